// The screens around second factors, and what is said of a part of the page that
// did not come; for screens.spec.ts, as those of scenes.ts.

import { expect } from "@playwright/test";
import { answerWith, PROOF_WANTED } from "./answer.ts";
import { addFactor } from "./authenticator.ts";
import type { Someone } from "./someone.ts";
import type { People } from "./test.ts";

type Scene = (people: People) => Promise<Someone>;

const LONG = "The telephone that lies in the drawer of the desk in the small room upstairs";

/** At the second step of the sign-in. */
async function second({ person, sit }: People): Promise<Someone> {
  const { account, who } = await person("ada");
  await addFactor(account);
  const ada = await sit(who);
  await ada.open("/signin");
  await ada.signIn();
  await expect(ada.heading("Enter your code")).toBeVisible();
  return ada;
}

/** At the settings, with an authenticator or without. */
async function settings({ person }: People, ...apps: string[]): Promise<Someone> {
  const ada = await person("ada");
  for (const app of apps) await addFactor(ada.account, app);
  await ada.open("/settings/factors");
  await expect(ada.button("Add")).toBeVisible();
  return ada;
}

async function renewed(people: People): Promise<Someone> {
  const ada = await settings(people, "Phone");
  await ada.button("Make new recovery codes").click();
  await ada.button("Make new codes").click();
  return ada;
}

export const factorScenes: Record<string, Scene> = {
  "sign-in, second step": second,
  "sign-in, second step, wrong code": async (people) => {
    const ada = await second(people);
    await ada.field("Code").fill("12");
    await ada.button("Sign in").click();
    await expect(ada.alert("A code has six digits.")).toBeFocused();
    return ada;
  },
  "sign-in, second step, recovery code": async (people) => {
    const ada = await second(people);
    await ada.button("Use a recovery code instead").click();
    await expect(ada.field("Recovery code")).toBeFocused();
    return ada;
  },
  "second factor, none": (people) => settings(people),
  "second factor, some": (people) => settings(people, "Phone", LONG),
  "second factor, being added": async (people) => {
    const ada = await settings(people);
    await ada.button("Add").click();
    await expect(ada.page.getByRole("img", { name: /^QR code/ })).toBeVisible();
    return ada;
  },
  "second factor, recovery codes": async (people) => {
    const ada = await renewed(people);
    await expect(ada.button("I have kept them")).toBeVisible();
    return ada;
  },
  "second factor, a recent proof": async (people) => {
    const ada = await settings(people, "Phone");
    await answerWith(ada.page, "RegenerateRecoveryCodes", PROOF_WANTED);
    await ada.button("Make new recovery codes").click();
    await ada.button("Make new codes").click();
    await expect(ada.field("Code")).toBeVisible();
    await ada.button("Confirm").click();
    await expect(ada.alert("Enter your password.")).toBeFocused();
    return ada;
  },
  "part not loaded": async ({ person, watch }) => {
    watch.allow(/status of 404/);
    const ada = await person("ada");
    await ada.page.route("**/assets/rare-*.js", (route) => route.fulfill({ status: 404 }));
    await ada.link("Settings").click();
    await expect(ada.heading("Not loaded")).toBeVisible();
    return ada;
  },
};
