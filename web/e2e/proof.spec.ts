// The proof of who one is, and the wait after wrong passwords, as the services
// themselves ask for them: sessions that are old, passwords that are wrong.

import type { Locator } from "@playwright/test";
import { addFactor } from "./harness/authenticator.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

test.use({ settings: { AUTH_SIGN_IN_FREE_ATTEMPTS: "2", AUTH_SIGN_IN_DELAY: "5m" } });

/** How long a button says that one has to wait. */
async function secondsOf(button: Locator): Promise<number> {
  return Number(/\d+/.exec((await button.textContent()) ?? ""));
}

/** What is asked, as one who looks for it sees it. */
function dialog({ page }: Someone) {
  return page.getByRole("dialog", { name: "Confirm that it is you" });
}

test("a session of long ago has to prove who it is, and a recent one has not", async ({
  person,
  pair,
}) => {
  const ada = await person("ada");
  await ada.open("/settings/factors");
  await ada.button("Add").click();
  await expect(ada.page.locator("code.key")).toBeVisible();
  await expect(dialog(ada)).toHaveCount(0);

  pair.age(ada.who, "11 minutes");
  // The next access token says when the proof was.
  await ada.open("/settings/factors");
  await ada.button("Add").click();
  await expect(dialog(ada)).toBeVisible();
  await ada.field("Your password").fill(ada.who.password);
  await dialog(ada).getByRole("button", { name: "Confirm" }).click();
  await expect(ada.page.locator("code.key")).toBeVisible();
  await expect(dialog(ada)).toHaveCount(0);
  expect(ada.calls.count("Reauthenticate")).toBe(1);

  await ada.page.reload();
  await ada.button("Add").click();
  await expect(ada.page.locator("code.key")).toBeVisible();
  expect(ada.calls.count("Reauthenticate")).toBe(1);
});

test("a new password takes the current one for the proof where no code is wanted", async ({
  person,
  pair,
}) => {
  const ada = await person("ada");
  pair.age(ada.who, "11 minutes");
  await ada.open("/settings/password");
  const change = async (current: string, next: string) => {
    await ada.field("Current password").fill(current);
    await ada.field("New password").fill(next);
    await ada.button("Change password").click();
  };
  await change("walnut-Trombone-92", "cello-Bassoon-17");
  await expect(ada.field("Current password")).toHaveAttribute("aria-invalid", "true");
  await expect(ada.field("New password")).toHaveValue("cello-Bassoon-17");
  await change(ada.who.password, "cello-Bassoon-17");
  await expect(ada.status("Password changed.")).toBeVisible();
  expect(ada.calls.count("Reauthenticate")).toBe(2);

  const { app } = await addFactor(ada.account);
  pair.age(ada.who, "11 minutes");
  await ada.open("/settings/password");
  await change("cello-Bassoon-17", "oboe-Timpani-31");
  await expect(dialog(ada)).toBeVisible();
  expect(ada.calls.count("Reauthenticate")).toBe(2);
  await ada.field("Your password").fill("cello-Bassoon-17");
  await ada.field("Code").fill(await app.code());
  await dialog(ada).getByRole("button", { name: "Confirm" }).click();
  await expect(ada.status("Password changed.")).toBeVisible();
});

test("after wrong passwords one has to wait, sees for how long, and goes on", async ({
  person,
  pair,
  sit,
}) => {
  const { who } = await person("ada");
  const ada = await sit(who);
  await ada.page.clock.install();
  await ada.open("/signin");
  for (let tries = 0; tries < 2; tries += 1) {
    await ada.answered("SignIn", () => ada.signIn("walnut-Trombone-92"));
    await expect(ada.alert("Invalid credentials")).toBeVisible();
  }
  await ada.answered("SignIn", () => ada.signIn());
  const waits = ada.page.getByRole("button", { name: /^Try again in [1-9]\d* s$/ });
  await expect(waits).toHaveAttribute("aria-disabled", "true");
  await expect(ada.alert("Too many")).toBeFocused();
  const before = await secondsOf(waits);
  expect(before).toBeGreaterThan(3 * 60);
  expect(before).toBeLessThanOrEqual(5 * 60);
  await ada.page.clock.fastForward("02:00");
  await expect.poll(() => secondsOf(waits)).toBeLessThanOrEqual(before - 2 * 60);
  // It is not sent before it would do.
  await ada.field("Password").press("Enter");
  expect(ada.calls.count("SignIn")).toBe(3);
  pair.relent();
  await ada.page.clock.fastForward("03:00");
  await ada.button("Sign in").click();
  await ada.seesTasks();
  expect(ada.calls.count("SignIn")).toBe(4);
});

test("so it is where a password is asked for again", async ({ person, pair }) => {
  const ada = await person("ada");
  pair.age(ada.who, "11 minutes");
  await ada.page.clock.install();
  await ada.open("/settings/delete");
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  const confirm = dialog(ada).locator("button[type=submit]");
  for (let tries = 0; tries < 3; tries += 1) {
    await ada.field("Your password").fill("walnut-Trombone-92");
    await ada.answered("Reauthenticate", () => confirm.click());
  }
  await expect(confirm).toHaveText(/^Try again in [1-9]\d* s$/);
  await ada.field("Your password").fill(ada.who.password);
  pair.relent();
  await ada.page.clock.fastForward("05:00");
  await expect(confirm).toHaveText("Confirm");
  await confirm.click();
  await expect(ada.heading("Your account is deleted")).toBeVisible();
});
