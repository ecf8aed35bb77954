// The screens that mails lead to, and those of the owner, in every state: a part
// of scenes.ts.

import { expect } from "@playwright/test";
import { answerWith, FAULT, hold } from "./answer.ts";
import type { Someone } from "./someone.ts";
import type { People } from "./test.ts";

type Scene = (people: People) => Promise<Someone>;

/** Somebody without a session at this address. */
async function at({ visitor }: People, path: string, heading: string): Promise<Someone> {
  const ada = await visitor("ada", path);
  await expect(ada.heading(heading)).toBeVisible();
  return ada;
}

async function signedInAt({ person }: People, path: string, heading: string): Promise<Someone> {
  const ada = await person("ada");
  await ada.open(path);
  await expect(ada.heading(heading)).toBeVisible();
  return ada;
}

async function deleted(people: People, after: (ada: Someone) => Promise<void>): Promise<Someone> {
  const ada = await signedInAt(people, "/settings/delete", "Delete account");
  await after(ada);
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  await expect(ada.heading("Your account is deleted")).toBeVisible();
  return ada;
}

const recovery: Record<string, Scene> = {
  "forgot password": (people) => at(people, "/forgot", "Forgot your password?"),
  "forgot password, sent": async (people) => {
    const ada = await at(people, "/forgot", "Forgot your password?");
    await ada.field("Email").fill(ada.who.email);
    await ada.button("Send the mail").click();
    await expect(ada.button("Send another mail")).toBeVisible();
    return ada;
  },
  "new password, nothing typed": async (people) => {
    const ada = await at(people, "/reset#token=dm_nonsense", "Set a new password");
    await ada.button("Set the password").click();
    await expect(ada.alert("Enter a new password.")).toBeFocused();
    return ada;
  },
  "link that leads nowhere": (people) => at(people, "/reset", "This link leads nowhere"),
  confirming: (people) => at(people, "/verify#token=dm_nonsense", "Please confirm"),
  confirmed: async (people) => {
    const ada = await people.person("ada");
    await ada.page.goto(await people.mails.link(ada.who.email, "Please verify your address"));
    await ada.button("Confirm").click();
    await expect(ada.heading("Thank you")).toBeVisible();
    return ada;
  },
  "new password set": async (people) => {
    const ada = await people.sit((await people.person("ada")).who);
    await ada.open("/forgot");
    await ada.field("Email").fill(ada.who.email);
    await ada.button("Send the mail").click();
    await ada.page.goto(await people.mails.link(ada.who.email, "Set a new password"));
    await ada.field("New password").fill("cello-Bassoon-17");
    await ada.button("Set the password").click();
    await expect(ada.status("Your new password is set.")).toBeVisible();
    return ada;
  },
  "email, not verified and to be changed": async (people) => {
    const ada = await signedInAt(people, "/settings/profile", "Profile");
    await ada.page.getByText("Change the email").click();
    await ada.field("New email").fill(`${"a".repeat(60)}@example.org`);
    await ada.button("Ask both addresses").click();
    await expect(ada.status("Mails are on their way")).toBeVisible();
    await ada.button("Send the mail again").click();
    await expect(ada.alert("A mail was sent a moment ago.")).toBeVisible();
    return ada;
  },
};

const owner: Record<string, Scene> = {
  activity: async (people) => {
    const ada = await people.person("ada");
    const phone = await people.device(ada);
    await phone.open("/forgot");
    await ada.account.account.requestEmailChange({ newEmail: "lovelace@example.org" });
    await ada.open("/settings/activity");
    await expect(ada.page.getByText("Was this you?")).toBeVisible();
    return ada;
  },
  "activity, not loaded": async (people) => {
    const ada = await people.person("ada");
    await answerWith(ada.page, "ListActivity", FAULT);
    await ada.open("/settings/activity");
    await expect(ada.alert("Your activity could not be loaded")).toBeVisible();
    return ada;
  },
  "export, under way": async (people) => {
    const ada = await signedInAt(people, "/settings/export", "Export");
    await hold(ada.page, "ExportUser");
    await ada.button("Download everything").click();
    await expect(ada.button("Cancel")).toBeVisible();
    return ada;
  },
  "export, broken off": async (people) => {
    const ada = await signedInAt(people, "/settings/export", "Export");
    await answerWith(ada.page, "ExportUser", FAULT);
    await ada.button("Download everything").click();
    await expect(ada.alert("The export broke off")).toBeVisible();
    return ada;
  },
  "delete account, another address": async (people) => {
    const ada = await signedInAt(people, "/settings/delete", "Delete account");
    await ada.field("Email of this account").fill("somebody@example.org");
    await ada.button("Delete my account").click();
    await expect(ada.alert("This is not the email of your account.")).toBeVisible();
    return ada;
  },
  "receipt, asked for": (people) => at(people, "/receipt", "Deleted account"),
  "receipt, not loaded": (people) =>
    deleted(people, async ({ page }) => {
      await answerWith(page, "GetDeletionReceipt", FAULT);
    }),
  receipt: async (people) => {
    const ada = await deleted(people, () => Promise.resolve());
    await expect(ada.button("Save the statement")).toBeVisible();
    return ada;
  },
};

export const ownersScenes: Record<string, Scene> = { ...recovery, ...owner };
