// The second factor in the settings: added, its recovery codes kept and renewed,
// removed; and the proof of who one is that this takes.

import { readFile } from "node:fs/promises";
import { answerWith, loseAnswers, PROOF_WANTED } from "./harness/answer.ts";
import { addFactor, Authenticator } from "./harness/authenticator.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const PATH = "/settings/factors";
const MAY_BE_DONE = "It may be done already; make new recovery codes to be sure.";
const MAY_BE_ADDED = "It may be added already.";

function apps(someone: Someone) {
  return someone.page.getByRole("list", { name: "Authenticators" }).getByRole("listitem");
}

function codes(someone: Someone) {
  return someone.page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
}

function proof(someone: Someone) {
  return someone.page.getByRole("dialog", { name: "Confirm that it is you" });
}

/** Opens the settings and begins to add an app; tells what it shows. */
async function begin(someone: Someone, name: string): Promise<Authenticator> {
  await someone.open(PATH);
  await someone.field("What you call it (optional)").fill(name);
  await someone.button("Add").click();
  return scanned(someone);
}

async function scanned({ page }: Someone): Promise<Authenticator> {
  await expect(page.getByRole("heading", { name: "Scan this with your app" })).toBeFocused();
  const key = (await page.locator("code.key").textContent()) ?? "";
  expect(key).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
  return new Authenticator(key);
}

test("an app is added by its picture or its key, and a first code", async ({ person }) => {
  const ada = await person("ada");
  const app = await begin(ada, "Phone");
  const picture = ada.page.getByRole("img", { name: /^QR code/ });
  expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(
    0,
  );
  const key = (await ada.page.locator("code.key").textContent())?.replaceAll(" ", "") ?? "";
  const uri = (await ada.link("Open in an app on this device").getAttribute("href")) ?? "";
  expect(uri).toMatch(/^otpauth:\/\/totp\/Duet:/);
  expect(new URL(uri).searchParams.get("secret")).toBe(key);

  await ada.field("Code").fill(app.wrong());
  await ada.button("Confirm").click();
  await expect(ada.alert("This is not the code.")).toBeFocused();
  await ada.field("Code").fill(await app.code());
  await ada.button("Confirm").click();
  await expect(ada.page.getByRole("heading", { name: "Keep these recovery codes" })).toBeFocused();
  await expect(codes(ada)).toHaveCount(10);
  await expect(apps(ada)).toHaveCount(1);
  await expect(apps(ada)).toContainText(/Phone.*Added .*, not used since/);
  await expect(ada.page.locator("code.key")).toHaveCount(0);
});

test("recovery codes are shown once: to copy, to download, and then never again", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const app = await begin(ada, "");
  await ada.field("Code").fill(await app.code());
  await ada.button("Confirm").click();
  await expect(codes(ada)).toHaveCount(10);
  const shown = await codes(ada).allTextContents();
  await ada.button("Copy").click();
  await expect(ada.status("Copied.")).toBeVisible();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toBe(shown.join("\n"));
  const download = ada.page.waitForEvent("download");
  await ada.button("Download").click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("duet-recovery-codes.txt");
  const text = await readFile(await file.path(), "utf8");
  expect(text).toContain(ada.who.email);
  for (const code of shown) expect(text).toContain(`${code}\n`);

  await ada.button("I have kept them").click();
  await expect(codes(ada)).toHaveCount(0);
  await expect(ada.page.getByText("10 recovery codes are left.")).toBeVisible();
  await ada.page.reload();
  await expect(ada.page.getByText("10 recovery codes are left.")).toBeVisible();
  for (const code of shown) await expect(ada.page.getByText(code)).toHaveCount(0);

  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await ada.signIn();
  await ada.button("Use a recovery code instead").click();
  await ada.field("Recovery code").fill(shown[4] ?? "");
  await ada.button("Sign in").click();
  await ada.seesTasks();
  await ada.open(PATH);
  await expect(ada.page.getByText("9 recovery codes are left.")).toBeVisible();
});

test("new recovery codes take the place of the old ones", async ({ person, sit }) => {
  const ada = await person("ada");
  const { recoveryCodes } = await addFactor(ada.account);
  await ada.open(PATH);
  await ada.button("Make new recovery codes").click();
  await ada.button("Make new codes").click();
  await expect(ada.page.getByRole("heading", { name: "Keep these recovery codes" })).toBeFocused();
  const made = await codes(ada).allTextContents();
  expect(made).toHaveLength(10);
  await ada.button("I have kept them").click();
  await expect(ada.status("The recovery codes from before are good no more.")).toBeFocused();
  const again = await sit(ada.who);
  await again.open("/signin");
  await again.signIn();
  await again.button("Use a recovery code instead").click();
  await again.field("Recovery code").fill(recoveryCodes[0] ?? "");
  await again.button("Sign in").click();
  await expect(again.alert("This is none of your recovery codes")).toBeVisible();
  await again.field("Recovery code").fill(made[0] ?? "");
  await again.button("Sign in").click();
  await again.seesTasks();
});

test("a second app brings no new codes; with the last the recovery codes go", async ({
  person,
}) => {
  const ada = await person("ada");
  await addFactor(ada.account, "Phone");
  const app = await begin(ada, "Tablet");
  await ada.field("Code").fill(await app.code());
  await ada.button("Confirm").click();
  await expect(ada.status("Added “Tablet”.")).toBeFocused();
  await expect(codes(ada)).toHaveCount(0);
  await expect(apps(ada)).toHaveCount(2);

  await ada.button("Remove Phone").click();
  await expect(ada.page.getByRole("dialog", { name: "Remove “Phone”?" })).toBeVisible();
  await ada.button("Cancel").click();
  await expect(apps(ada)).toHaveCount(2);
  for (const [name, left] of [
    ["Phone", 1],
    ["Tablet", 0],
  ] as const) {
    await ada.button(`Remove ${name}`).click();
    await ada.button("Remove").click();
    await expect(ada.status(`Removed “${name}”.`)).toBeFocused();
    await expect(apps(ada)).toHaveCount(left);
  }
  await expect(ada.page.getByText("recovery codes are left.")).toHaveCount(0);
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await ada.signIn();
  await ada.seesTasks();
});

test("recovery codes stay until they are kept, whatever else is changed", async ({ person }) => {
  const ada = await person("ada");
  const phone = await begin(ada, "Phone");
  await ada.field("Code").fill(await phone.code());
  await ada.button("Confirm").click();
  await expect(codes(ada)).toHaveCount(10);
  const shown = await codes(ada).allTextContents();

  await ada.field("What you call it (optional)").fill("Tablet");
  await ada.button("Add").click();
  const tablet = await scanned(ada);
  await ada.field("Code").fill(await tablet.code());
  await ada.button("Confirm").click();
  await expect(ada.status("Added “Tablet”.")).toBeFocused();
  await expect(codes(ada)).toHaveText(shown);

  await ada.button("Remove Phone").click();
  await ada.button("Remove").click();
  await expect(ada.status("Removed “Phone”.")).toBeFocused();
  await expect(codes(ada)).toHaveText(shown);
  await ada.button("Remove Tablet").click();
  await ada.button("Remove").click();
  await expect(ada.status("Removed “Tablet”.")).toBeFocused();
  await expect(codes(ada)).toHaveCount(0);
});

/** Adds an authenticator twice, since the first answer is lost: what is said each time. */
async function addUnheard(ada: Someone, name: string, said: string, there: number): Promise<void> {
  const app = await begin(ada, name);
  const confirmation = await loseAnswers(ada.page, "ConfirmTotpEnrollment");
  await ada.field("Code").fill(await app.code());
  await ada.button("Confirm").click();
  await expect(ada.alert(said)).toBeFocused();
  await expect(apps(ada)).toHaveCount(there);
  await confirmation.stop();
  await ada.field("Code").fill(await app.code());
  await ada.button("Confirm").click();
  await expect(ada.status(said)).toBeFocused();
}

test("where an answer with recovery codes is lost, one is told what to do", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await addUnheard(ada, "Phone", MAY_BE_DONE, 1);
  await expect(ada.page.locator("code.key")).toHaveCount(0);

  const made = await loseAnswers(ada.page, "RegenerateRecoveryCodes");
  await ada.button("Make new recovery codes").click();
  await ada.button("Make new codes").click();
  await expect(ada.toasts).toContainText("Duet cannot be reached.");
  await expect(ada.status(MAY_BE_DONE)).toBeFocused();
  await expect(codes(ada)).toHaveCount(0);
  await made.stop();
  await ada.button("Make new recovery codes").click();
  await ada.button("Make new codes").click();
  await expect(codes(ada)).toHaveCount(10);
});

test("a second app brings no codes, so nobody is told to make those that are good void", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await addFactor(ada.account, "Phone");
  await addUnheard(ada, "Tablet", MAY_BE_ADDED, 2);
  await expect(ada.page.getByText(MAY_BE_DONE)).toHaveCount(0);
});

for (const how of ["its answer is lost", "another tab did it"]) {
  test(`codes that went with the last app are shown no more, though ${how}`, async ({
    person,
    watch,
  }) => {
    watch.allowLostCalls();
    const ada = await person("ada");
    const app = await begin(ada, "Phone");
    await ada.field("Code").fill(await app.code());
    await ada.button("Confirm").click();
    await expect(codes(ada)).toHaveCount(10);
    await ada.button("Remove Phone").click();
    if (how === "its answer is lost") await loseAnswers(ada.page, "DeleteFactor");
    else {
      const { factors } = await ada.account.account.listFactors({});
      const phone = factors.find(({ displayName }) => displayName === "Phone");
      await ada.account.account.deleteFactor({ name: phone?.name ?? "" });
    }
    await ada.button("Remove").click();
    await expect(apps(ada)).toHaveCount(0);
    await expect(codes(ada)).toHaveCount(0);
    await expect(ada.page.getByText("Keep these recovery codes")).toHaveCount(0);
  });
}

test("what wants a recent proof asks for the password and goes on by itself", async ({
  person,
}) => {
  const ada = await person("ada");
  const wanted = await answerWith(ada.page, "BeginTotpEnrollment", PROOF_WANTED);
  await ada.open(PATH);
  await ada.button("Add").click();
  await expect(proof(ada)).toBeVisible();
  const before = await ada.calls.token();
  const password = proof(ada).getByLabel("Your password", { exact: true });
  await expect(password).toBeFocused();
  await password.fill("something else 7");
  await proof(ada).getByRole("button", { name: "Confirm" }).click();
  await expect(proof(ada).getByRole("alert")).toContainText("This is not your password.");
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await wanted.stop();
  await password.fill(ada.who.password);
  await ada.page.keyboard.press("Enter");
  await scanned(ada);
  await expect(proof(ada)).toBeHidden();
  expect(ada.calls.count("BeginTotpEnrollment")).toBe(2);
  expect(await ada.calls.token()).not.toBe(before);
});

test("who cancels the proof finds everything as it was", async ({ person }) => {
  const ada = await person("ada");
  await answerWith(ada.page, "BeginTotpEnrollment", PROOF_WANTED);
  await ada.open(PATH);
  await ada.field("What you call it (optional)").fill("Phone");
  for (const cancel of [
    () => proof(ada).getByRole("button", { name: "Cancel" }).click(),
    () => ada.page.keyboard.press("Escape"),
  ]) {
    await ada.button("Add").click();
    await expect(proof(ada)).toBeVisible();
    await cancel();
    await expect(proof(ada)).toBeHidden();
    await expect(ada.button("Add")).toBeFocused();
    await expect(ada.field("What you call it (optional)")).toHaveValue("Phone");
    await expect(ada.page.getByRole("alert")).toHaveCount(0);
  }
  expect(ada.calls.count("Reauthenticate")).toBe(0);
});

test("with a second factor the proof takes a code as well", async ({ person }) => {
  const ada = await person("ada");
  const { app, recoveryCodes } = await addFactor(ada.account, "Phone");
  await ada.open(PATH);
  const prove = async (label: string, code: string): Promise<void> => {
    const wanted = await answerWith(ada.page, "RegenerateRecoveryCodes", PROOF_WANTED);
    await ada.button("Make new recovery codes").click();
    await ada.button("Make new codes").click();
    await proof(ada).getByLabel("Your password", { exact: true }).fill(ada.who.password);
    if (label !== "Code") await ada.button("Use a recovery code instead").click();
    await proof(ada).getByLabel(label, { exact: true }).fill(code);
    await wanted.stop();
    await proof(ada).getByRole("button", { name: "Confirm" }).click();
  };
  await prove("Code", app.wrong());
  await expect(proof(ada).getByRole("alert")).toContainText("This is not the code");
  await proof(ada)
    .getByLabel("Code", { exact: true })
    .fill(await app.code());
  await proof(ada).getByRole("button", { name: "Confirm" }).click();
  await expect(codes(ada)).toHaveCount(10);
  const [made = ""] = await codes(ada).allTextContents();
  expect(recoveryCodes).not.toContain(made);
  await ada.button("I have kept them").click();
  await prove("Recovery code", made);
  await expect(codes(ada)).toHaveCount(10);
});

test("the proof has a field of its own beside that of an app that is being added", async ({
  person,
}) => {
  const ada = await person("ada");
  await addFactor(ada.account, "Phone");
  await begin(ada, "Tablet");
  await answerWith(ada.page, "DeleteFactor", PROOF_WANTED);
  await ada.button("Remove Phone").click();
  await ada.button("Remove").click();
  const code = proof(ada).getByLabel("Code", { exact: true });
  await expect(code).toBeVisible();
  await proof(ada).getByRole("button", { name: "Confirm" }).click();
  await expect(code).toHaveAttribute("aria-invalid", "true");
  await proof(ada).getByRole("link", { name: "Enter the code." }).click();
  await expect(code).toBeFocused();
  await expect(ada.page.locator("#totp_code")).toHaveCount(1);
});

test("an app that is not confirmed in ten minutes has to be added anew", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.clock.install();
  await begin(ada, "Phone");
  await ada.page.clock.fastForward("10:01");
  await expect(ada.status("That took longer than ten minutes")).toBeVisible();
  await expect(ada.page.locator("code.key")).toHaveCount(0);
});

test("from adding an app to removing it with the keyboard alone", async ({ person }) => {
  const ada = await person("ada");
  const { keyboard } = ada.page;
  await ada.open(PATH);
  await ada.field("What you call it (optional)").focus();
  await keyboard.type("Phone");
  await keyboard.press("Enter");
  const app = await scanned(ada);
  await keyboard.press("Tab");
  await expect(ada.link("Open in an app on this device")).toBeFocused();
  await keyboard.press("Tab");
  await expect(ada.field("Code")).toBeFocused();
  await keyboard.type(await app.code());
  await keyboard.press("Enter");
  await expect(ada.page.getByRole("heading", { name: "Keep these recovery codes" })).toBeFocused();
  for (const name of ["Copy", "Download", "I have kept them"]) {
    await keyboard.press("Tab");
    await expect(ada.button(name)).toBeFocused();
  }
  await keyboard.press("Enter");
  await expect(ada.status("Added “Phone”.")).toBeFocused();
  await keyboard.press("Tab");
  await expect(ada.button("Remove Phone")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.button("Remove")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.status("Removed “Phone”.")).toBeFocused();
});
