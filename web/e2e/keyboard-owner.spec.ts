// What is the owner's without a mouse: by Tab, Enter and Space alone.

import { tabTo } from "./harness/keys.ts";
import { expect, test } from "./harness/test.ts";

test("a device is signed out where it is told of", async ({ person, sit }) => {
  const ada = await person("ada");
  const phone = await sit(ada.who);
  await phone.open("/signin");
  await phone.signIn();
  await phone.seesTasks();
  await tabTo(ada, ada.link("Settings"));
  await ada.page.keyboard.press("Enter");
  await expect(ada.heading("Profile")).toBeFocused();
  await tabTo(ada, ada.link("Activity"));
  await ada.page.keyboard.press("Enter");
  await expect(ada.heading("Activity")).toBeFocused();
  await tabTo(ada, ada.page.getByRole("button", { name: /^Sign out Chrome/ }));
  await ada.page.keyboard.press("Enter");
  await expect(ada.status("Signed out Chrome on Linux.")).toBeFocused();
  await expect(phone.heading("Sign in")).toBeVisible();
});

test("everything is taken out", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/settings/export");
  const file = ada.page.waitForEvent("download");
  await tabTo(ada, ada.button("Download everything"));
  await ada.page.keyboard.press("Space");
  expect((await file).suggestedFilename()).toMatch(/^duet-account-/);
  await expect(ada.status("The file was downloaded")).toBeVisible();
  // The focus is where one goes on from.
  await tabTo(ada, ada.button("Download everything"), "Shift+Tab");
});

test("an address is verified", async ({ person, mails }) => {
  const ada = await person("ada");
  await ada.page.goto(await mails.link(ada.who.email, "Please verify your address"));
  await expect(ada.heading("Please confirm")).toBeVisible();
  await tabTo(ada, ada.button("Confirm"));
  await ada.page.keyboard.press("Enter");
  await expect(ada.status("Your address is verified.")).toBeFocused();
  await tabTo(ada, ada.link("To your tasks"));
  await ada.page.keyboard.press("Enter");
  await expect(ada.heading("Tasks")).toBeFocused();
});

test("an account is deleted, with the proof that this wants", async ({ person, pair }) => {
  const ada = await person("ada");
  const { keyboard } = ada.page;
  pair.age(ada.who, "11 minutes");
  await ada.open("/settings/delete");
  await tabTo(ada, ada.field("Email of this account"));
  await keyboard.type("somebody@example.org");
  await keyboard.press("Enter");
  await expect(ada.alert("This is not the email of your account.")).toBeFocused();
  await keyboard.press("Tab");
  await keyboard.press("Enter");
  await expect(ada.field("Email of this account")).toBeFocused();
  await keyboard.press("Control+a");
  await keyboard.type(ada.who.email);
  await tabTo(ada, ada.button("Delete my account"));
  await keyboard.press("Enter");
  await expect(ada.field("Your password")).toBeFocused();
  await keyboard.press("Escape");
  await expect(ada.button("Delete my account")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.field("Your password")).toBeFocused();
  await keyboard.type(ada.who.password);
  await keyboard.press("Enter");
  await expect(ada.heading("Your account is deleted")).toBeFocused();
});
