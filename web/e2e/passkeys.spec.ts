// Passkeys as a second factor: added, signed in with, asked for again, removed; and
// what is said where a device or its owner will not.

import { loseAnswers } from "./harness/answer.ts";
import { addFactor } from "./harness/authenticator.ts";
import { tabTo } from "./harness/keys.ts";
import { looksRight } from "./harness/looks.ts";
import { PasskeyDevice } from "./harness/passkeys.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const PATH = "/settings/factors";
const NAME = "What you call the passkey (optional)";
const NOT_USED = "No passkey was used: it was cancelled, or took too long.";
const NOT_ADDED = "No passkey was added: it was cancelled, or took too long.";
const MAY_BE_DONE = "It may be done already; make new recovery codes to be sure.";

function passkeys(someone: Someone) {
  return someone.page.getByRole("list", { name: "Passkeys" }).getByRole("listitem");
}

function codes(someone: Someone) {
  return someone.page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
}

function proof(someone: Someone) {
  return someone.page.getByRole("dialog", { name: "Confirm that it is you" });
}

/** Adds a passkey at the settings; tells the recovery codes that came with it. */
async function add(someone: Someone, name: string): Promise<string[]> {
  await someone.open(PATH);
  await someone.field(NAME).fill(name);
  await someone.button("Add a passkey").click();
  await expect(passkeys(someone).filter({ hasText: name })).toHaveCount(1);
  return codes(someone).allTextContents();
}

/** To the second step of a sign-in. */
async function asked(someone: Someone): Promise<void> {
  await someone.signOut();
  await expect(someone.heading("Sign in")).toBeVisible();
  await someone.signIn();
  await expect(someone.heading("Use a passkey or a code")).toBeVisible();
}

test("a passkey is added, with recovery codes, and ends the next sign-in", async ({ person }) => {
  const ada = await person("ada");
  const device = await PasskeyDevice.of(ada);
  expect(await add(ada, "Laptop")).toHaveLength(10);
  await expect(ada.page.getByRole("heading", { name: "Keep these recovery codes" })).toBeFocused();
  await expect(passkeys(ada)).toContainText(/Laptop.*Added .*, not used since/);
  await expect(ada.field(NAME)).toHaveValue("");
  await looksRight(ada.page, "passkey, with its recovery codes");

  await asked(ada);
  // Nothing is asked of the device before somebody wants it.
  await expect(ada.button("Use a passkey")).toBeFocused();
  expect(await device.answers()).toEqual([1]);
  await looksRight(ada.page, "sign-in, second step, passkey");
  await ada.button("Use a passkey").click();
  await ada.seesTasks();
  expect(await device.answers()).toEqual([2]);
  await ada.open(PATH);
  await expect(passkeys(ada)).toContainText(/Laptop.*Added .*, last used /);
});

test("it proves again who one is, and is removed", async ({ person, pair }) => {
  const ada = await person("ada");
  await PasskeyDevice.of(ada);
  await add(ada, "Laptop");
  pair.age(ada.who, "11 minutes");
  await ada.open(PATH);
  await ada.button("Remove Laptop").click();
  await ada.button("Remove").click();
  await expect(proof(ada)).toBeVisible();
  await ada.button("Use a passkey").click();
  await expect(proof(ada).getByRole("alert")).toContainText("Enter your password.");
  const password = proof(ada).getByLabel("Your password", { exact: true });
  await password.fill("something else 7");
  await ada.button("Use a passkey").click();
  await expect(proof(ada).getByRole("alert")).toContainText("This is not your password.");
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await looksRight(ada.page, "passkey, a recent proof");
  await password.fill(ada.who.password);
  await ada.button("Use a passkey").click();
  await expect(ada.status("Removed “Laptop”.")).toBeFocused();
  await expect(passkeys(ada)).toHaveCount(0);
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await ada.signIn();
  await ada.seesTasks();
});

test("who turns away loses nothing, and has the recovery codes", async ({ person }) => {
  const ada = await person("ada");
  const device = await PasskeyDevice.of(ada);
  await device.agree(false);
  await ada.open(PATH);
  await ada.field(NAME).fill("Laptop");
  await ada.button("Add a passkey").click();
  await expect(ada.alert(NOT_ADDED)).toBeFocused();
  await expect(ada.field(NAME)).toHaveValue("Laptop");
  await expect(passkeys(ada)).toHaveCount(0);
  await device.agree(true);
  await ada.button("Add a passkey").click();
  await expect(codes(ada)).toHaveCount(10);
  const [code = ""] = await codes(ada).allTextContents();

  await asked(ada);
  await device.agree(false);
  await ada.button("Use a passkey").click();
  await expect(ada.alert(NOT_USED)).toBeFocused();
  expect(ada.calls.count("CompleteSignIn")).toBe(0);
  // Without an app there is nothing else to type in.
  await expect(ada.field("Code")).toHaveCount(0);
  await expect(ada.page.getByRole("button", { name: /instead$/ })).toHaveCount(0);
  await ada.field("Recovery code").fill(code);
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("the codes of an app stay beside it, also when the passkey is good no more", async ({
  person,
  sit,
}) => {
  const { account, who } = await person("ada");
  const { app } = await addFactor(account, "Phone");
  const ada = await sit(who);
  await PasskeyDevice.of(ada);
  await ada.open("/signin");
  await ada.signIn();
  await ada.field("Code").fill(await app.code());
  await ada.field("Code").press("Enter");
  await ada.seesTasks();
  expect(await add(ada, "Laptop")).toEqual([]);
  await asked(ada);
  const { factors } = await account.account.listFactors({});
  const laptop = factors.find(({ displayName }) => displayName === "Laptop");
  await account.account.deleteFactor({ name: laptop?.name ?? "" });
  await ada.button("Use a passkey").click();
  await expect(ada.alert("This passkey was not accepted.")).toBeFocused();
  await ada.field("Code").fill("12");
  await ada.field("Code").press("Enter");
  await expect(ada.alert("A code has six digits.")).toBeFocused();
  await expect(ada.alert("This passkey was not accepted.")).toHaveCount(0);
  await ada.field("Code").fill(await app.code());
  await ada.field("Code").press("Enter");
  await ada.seesTasks();
});

test("one whose answer was lost is confirmed again, and not made again", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  const device = await PasskeyDevice.of(ada);
  const confirmation = await loseAnswers(ada.page, "ConfirmPasskeyEnrollment");
  await ada.open(PATH);
  await ada.button("Add a passkey").click();
  await expect(ada.alert(MAY_BE_DONE)).toBeFocused();
  await expect(passkeys(ada)).toHaveCount(1);
  await confirmation.stop();
  await ada.button("Add a passkey").click();
  await expect(ada.status(MAY_BE_DONE)).toBeFocused();
  await expect(passkeys(ada)).toHaveCount(1);
  expect(await device.answers()).toHaveLength(1);

  // The device knows that it has one.
  await ada.button("Add a passkey").click();
  await expect(ada.alert("This device has a passkey for your account already.")).toBeFocused();
  await expect(passkeys(ada)).toHaveCount(1);
});

test("from adding a passkey to removing it with the keyboard alone", async ({ person }) => {
  const ada = await person("ada");
  const { keyboard } = ada.page;
  await PasskeyDevice.of(ada);
  await ada.open(PATH);
  await tabTo(ada, ada.field(NAME));
  await keyboard.type("Laptop");
  await keyboard.press("Enter");
  await expect(ada.page.getByRole("heading", { name: "Keep these recovery codes" })).toBeFocused();
  await tabTo(ada, ada.button("I have kept them"));
  await keyboard.press("Enter");
  await expect(ada.status("Added “Laptop”.")).toBeFocused();
  await tabTo(ada, ada.button("Sign out"), "Shift+Tab");
  await keyboard.press("Enter");
  await expect(ada.heading("Sign in")).toBeFocused();
  await tabTo(ada, ada.field("Email"));
  await keyboard.type(ada.who.email);
  await tabTo(ada, ada.field("Password"));
  await keyboard.type(ada.who.password);
  await keyboard.press("Enter");
  await expect(ada.button("Use a passkey")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.heading("Tasks")).toBeFocused();
  await ada.open(PATH);
  await tabTo(ada, ada.button("Remove Laptop"));
  await keyboard.press("Enter");
  await expect(ada.button("Remove")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.status("Removed “Laptop”.")).toBeFocused();
});

test("a part that does not come is said, and codes go on", async ({ person, watch }) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await PasskeyDevice.of(ada);
  const [code = ""] = await add(ada, "Laptop");
  await asked(ada);
  await ada.page.reload();
  await ada.page.route("**/assets/webauthn-*.js", (route) => route.abort());
  await ada.signIn();
  await ada.button("Use a passkey").click();
  await expect(ada.alert("This part of the page could not be loaded.")).toBeFocused();
  await ada.field("Recovery code").fill(code);
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("a browser that knows no passkeys is not offered any", async ({ person, sit }) => {
  const ada = await person("ada");
  await PasskeyDevice.of(ada);
  const [code = ""] = await add(ada, "Laptop");
  const old = await sit(ada.who);
  await old.page.addInitScript(() => Reflect.deleteProperty(window, "PublicKeyCredential"));
  await old.open("/signin");
  await old.signIn();
  await expect(old.heading("Enter your code")).toBeVisible();
  await expect(old.field("Recovery code")).toBeFocused();
  await expect(old.button("Use a passkey")).toHaveCount(0);
  await old.field("Recovery code").fill(code);
  await old.button("Sign in").click();
  await old.seesTasks();
  await old.open(PATH);
  await expect(passkeys(old)).toHaveCount(1);
  await expect(old.button("Add a passkey")).toHaveCount(0);
});

test("who has only passkeys left is asked for nothing else", async ({ person, pair, sit }) => {
  const ada = await person("ada");
  await PasskeyDevice.of(ada);
  await add(ada, "Laptop");
  pair.spendCodes(ada.who);
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await ada.signIn();
  await expect(ada.heading("Use a passkey")).toBeVisible();
  await expect(ada.page.locator("form input")).toHaveCount(0);
  await ada.button("Use a passkey").click();
  await ada.seesTasks();

  const old = await sit(ada.who);
  await old.page.addInitScript(() => Reflect.deleteProperty(window, "PublicKeyCredential"));
  await old.open("/signin");
  await old.signIn();
  await expect(old.page.getByText("a passkey, which this browser cannot use")).toBeVisible();
  await expect(old.page.locator("form input")).toHaveCount(0);
});
