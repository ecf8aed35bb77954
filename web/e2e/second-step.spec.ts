// Signing in where there is a second factor: the code after the password, what
// ends the waiting for it, and the ways around an app that is not at hand.

import { answerWith } from "./harness/answer.ts";
import { addFactor, type SecondFactor } from "./harness/authenticator.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, type People, test as base } from "./harness/test.ts";

const LATE = "That took too long. Please enter your password again.";

const test = base.extend<{ asked: (path?: string) => Promise<Someone & { factor: SecondFactor }> }>(
  {
    /** Somebody with a second factor who has given the password. */
    asked: async ({ person, sit }, use) => {
      await use(async (path = "/signin") => asked({ person, sit }, path));
    },
  },
);

async function asked({ person, sit }: Pick<People, "person" | "sit">, path: string) {
  const { account, who } = await person("ada");
  const factor = await addFactor(account, "Phone");
  const ada = await sit(who);
  await ada.open(path);
  await ada.signIn();
  await expect(ada.heading("Enter your code")).toBeVisible();
  return Object.assign(ada, { factor });
}

test("the password alone signs nobody in; the code does, however it is typed", async ({
  asked,
}) => {
  const ada = await asked("/signin?next=/settings/sessions");
  const field = ada.field("Code");
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("inputmode", "numeric");
  await expect(field).toHaveAttribute("autocomplete", "one-time-code");
  await expect(ada.page).toHaveTitle("Enter your code · Duet");
  expect(await ada.context.cookies()).toEqual([]);
  const code = await ada.factor.app.code();
  // As it is pasted from an app that shows it in two halves.
  await ada.page.keyboard.insertText(` ${code.slice(0, 3)} ${code.slice(3)} `);
  await ada.page.keyboard.press("Enter");
  await ada.isAt("/settings/sessions");
  await ada.link("Tasks").click();
  await ada.seesTasks();
});

test("a wrong code is said beside the field, and the next one may be right", async ({ asked }) => {
  const ada = await asked();
  await ada.field("Code").fill("12 34");
  await ada.button("Sign in").click();
  await expect(ada.alert("A code has six digits.")).toBeFocused();
  expect(ada.calls.count("CompleteSignIn")).toBe(0);
  await ada.field("Code").fill(ada.factor.app.wrong());
  await ada.button("Sign in").click();
  const wrong = "This is not the code, or it was used before. Please try the next one.";
  await expect(ada.alert(wrong)).toBeFocused();
  await expect(ada.field("Code")).toHaveAttribute("aria-invalid", "true");
  await ada.alert(wrong).getByRole("link").click();
  await expect(ada.field("Code")).toBeFocused();
  await ada.field("Code").fill(await ada.factor.app.code());
  await ada.page.keyboard.press("Enter");
  await ada.seesTasks();
});

test("five wrong codes lead back to the password", async ({ asked }) => {
  const ada = await asked();
  for (let n = 0; n < 5; n += 1) {
    await ada.field("Code").fill(ada.factor.app.wrong());
    await ada.answered("CompleteSignIn", () => ada.button("Sign in").click());
  }
  await ada.field("Code").fill(await ada.factor.app.code());
  await ada.button("Sign in").click();
  await expect(ada.status("This sign-in took too long or is over.")).toBeVisible();
  await expect(ada.field("Password")).toBeFocused();
  await expect(ada.field("Password")).toHaveValue("");
  await expect(ada.field("Email")).toHaveValue(ada.who.email);
  await expect(ada.page.getByRole("alert")).toHaveCount(0);
  await ada.signIn();
  await ada.field("Code").fill(await ada.factor.app.code());
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("a recovery code lets one in without the app, once", async ({ asked }) => {
  const ada = await asked();
  const [code = ""] = ada.factor.recoveryCodes;
  for (const used of [false, true]) {
    await ada.button("Use a recovery code instead").click();
    await expect(ada.field("Recovery code")).toBeFocused();
    await ada.field("Recovery code").fill(` ${code.toUpperCase()} `);
    await ada.button("Sign in").click();
    if (used) break;
    await ada.seesTasks();
    await ada.signOut();
    await expect(ada.heading("Sign in")).toBeVisible();
    await ada.signIn();
  }
  await expect(ada.alert("This is none of your recovery codes")).toBeFocused();
  await ada.button("Use a code of the app instead").click();
  await expect(ada.field("Code")).toBeFocused();
  await expect(ada.page.getByRole("alert")).toHaveCount(0);
  await ada.field("Code").fill(await ada.factor.app.code());
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("the time for the code is counted down; when it is over the password is asked for", async ({
  person,
  sit,
}) => {
  const { account, who } = await person("ada");
  await addFactor(account);
  const ada = await sit(who);
  await ada.page.clock.install();
  await ada.open("/signin");
  await ada.signIn();
  const timer = ada.page.getByRole("timer");
  await expect(timer).toHaveText(/^(5:00|4:5\d) left$/);
  await ada.page.clock.fastForward("04:05");
  await expect(timer).toHaveText(/^0:[45]\d left$/);
  await expect(ada.status("Less than a minute is left for the code.")).toBeAttached();
  await ada.page.clock.fastForward("01:00");
  await expect(ada.status(LATE)).toBeVisible();
  await expect(ada.heading("Sign in")).toBeVisible();
  await expect(ada.field("Password")).toBeFocused();
});

test("too many wrong codes: those of the app wait, a recovery code need not", async ({ asked }) => {
  const ada = await asked();
  const throttled = await answerWith(ada.page, "CompleteSignIn", {
    code: "RESOURCE_EXHAUSTED",
    domain: "duet.auth",
    reason: "SIGN_IN_THROTTLED",
    message: "Too many wrong codes. Please wait, or use a recovery code.",
    retryAfterSeconds: 60,
  });
  await ada.field("Code").fill("123456");
  await ada.button("Sign in").click();
  await expect(ada.alert("Too many wrong codes.")).toBeFocused();
  const waits = ada.page.getByRole("button", { name: /^Try again in \d+ s$/ });
  await expect(waits).toHaveAttribute("aria-disabled", "true");
  await throttled.stop();
  await ada.button("Use a recovery code instead").click();
  await ada.field("Recovery code").fill(ada.factor.recoveryCodes[1] ?? "");
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("one can go back to the password, and nothing of the code is kept", async ({ asked }) => {
  const ada = await asked();
  await ada.field("Code").fill("123");
  await ada.button("Back to the password").click();
  await expect(ada.heading("Sign in")).toBeFocused();
  await expect(ada.field("Password")).toHaveValue("");
  await ada.signIn();
  await expect(ada.field("Code")).toHaveValue("");
});

test("with Tab and Enter alone", async ({ asked }) => {
  const ada = await asked();
  const { keyboard } = ada.page;
  await expect(ada.field("Code")).toBeFocused();
  await keyboard.press("Tab");
  await expect(ada.button("Use a recovery code instead")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.field("Recovery code")).toBeFocused();
  await keyboard.insertText(ada.factor.recoveryCodes[2] ?? "");
  await keyboard.press("Enter");
  await expect(ada.heading("Tasks")).toBeFocused();
});
