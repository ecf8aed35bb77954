// Every part a process of its own, behind the proxy of the compose file, with
// TLS: what people notice when one of them dies under their hands.

import type { Someone } from "./harness/someone.ts";
import { expect, testParts as test } from "./harness/test.ts";

test.describe.configure({ mode: "default" });
test.beforeEach(({ watch }) => watch.allowLostCalls());
test.afterEach(({ parts }) => parts.mend());

/** Ada has a task, and two thoughts that she has not finished typing. */
async function midSentence(ada: Someone): Promise<void> {
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Notes").fill("440");
  await ada.field("New task").fill("Buy str");
}

/** She finishes both, and they are there to stay. */
async function finishes(ada: Someone): Promise<void> {
  await expect(ada.editor.getByLabel("Notes")).toHaveValue("440");
  await expect(ada.field("New task")).toHaveValue("Buy str");
  await ada.field("New task").press("End");
  await ada.field("New task").pressSequentially("ings");
  await ada.field("New task").press("Enter");
  await ada.editor.getByLabel("Notes").fill("440 Hz");
  await ada.editor.getByLabel("Notes").press("Control+Enter");
  await ada.settled();
  await ada.page.reload();
  await ada.seesTasks("Buy strings", "Tune the piano");
  await expect(ada.task("Tune the piano")).toContainText("Notes");
}

test("S1.1 S2.1: over TLS one signs up, and the cookie is bound to the host", async ({
  visitor,
  place,
}) => {
  const ada = await visitor("ada");
  await ada.signUp();
  await ada.seesTasks();
  await ada.add("Tune the piano");
  const cookies = await ada.context.cookies();
  const bound = {
    httpOnly: true,
    secure: true,
    sameSite: "Strict",
    path: "/",
    domain: "localhost",
  };
  expect(cookies).toMatchObject([
    { name: "__Host-duet-rt", ...bound },
    { name: "__Host-duet-device", ...bound },
  ]);
  await ada.page.reload();
  await ada.seesTasks("Tune the piano");
  const protocols = await ada.page.evaluate(() =>
    performance
      .getEntriesByType("navigation")
      .map((entry) => Reflect.get(entry, "nextHopProtocol")),
  );
  expect(protocols).toEqual(["h2"]);
  const response = await ada.page.goto(`${place.origin}/signin`);
  expect(await response?.headerValue("content-security-policy")).toContain("default-src 'none'");
  await ada.signOut();
  await ada.isAt("/signin");
  expect(await ada.context.cookies()).toMatchObject([{ name: "__Host-duet-device", ...bound }]);
});

test("auth-service restarts in the middle of typing: nobody notices", async ({ person, parts }) => {
  const ada = await person("ada");
  await midSentence(ada);
  await parts.kill("auth");
  await parts.startService("auth");
  await finishes(ada);
});

test("auth-service is away when the token runs out: writes wait, nobody is signed out", async ({
  person,
  parts,
}) => {
  const ada = await person("ada");
  await ada.page.clock.install();
  await ada.page.reload();
  await ada.seesTasks();
  await parts.kill("auth");
  await ada.add("Still works");
  await ada.page.clock.fastForward("06:00");
  await ada.type("Has to wait");
  await expect(ada.status("Duet cannot be reached.")).toBeVisible();
  await expect(ada.status("1 change is waiting.")).toBeVisible();
  await expect(ada.status(/Trying again in \d+ s\./)).toBeVisible();
  await parts.startService("auth");
  await expect(ada.status("Duet cannot be reached.")).toHaveCount(0, { timeout: 30_000 });
  await ada.settled();
  await ada.page.reload();
  await ada.seesTasks("Has to wait", "Still works");
});

test("task-service restarts in the middle of typing: writes wait and go through by themselves", async ({
  person,
  parts,
}) => {
  const ada = await person("ada");
  await midSentence(ada);
  await parts.kill("task");
  await ada.box("Tune the piano").click();
  await expect(ada.status("Duet cannot be reached.")).toBeVisible();
  await expect(ada.status("1 change is waiting.")).toBeVisible();
  await parts.startService("task");
  await expect(ada.status("Duet cannot be reached.")).toHaveCount(0, { timeout: 30_000 });
  await expect(ada.box("Tune the piano")).toBeChecked();
  await ada.uncheck("Tune the piano");
  await finishes(ada);
});

test("E2: Postgres dies in the middle of typing: a friendly word, and on it goes", async ({
  person,
  parts,
}) => {
  const ada = await person("ada");
  await midSentence(ada);
  await parts.kill("postgres");
  await ada.box("Tune the piano").click();
  await expect(ada.status("Duet cannot be reached.")).toBeVisible();
  await parts.startPostgres();
  await expect(ada.status("Duet cannot be reached.")).toHaveCount(0, { timeout: 30_000 });
  await ada.uncheck("Tune the piano");
  await finishes(ada);
});

test("E2: Postgres hangs: sign-in says so within seconds and counts down, then works", async ({
  person,
  sit,
  parts,
}) => {
  const { who } = await person("ada");
  const ada = await sit(who);
  await ada.open("/signin");
  await ada.stopTheClock();
  const hung = parts.hang();
  try {
    await ada.signIn();
    await expect(ada.button("Try again in 1 s")).toBeVisible();
    await ada.page.clock.resume();
    const summary = ada.alert("There is a problem");
    await expect(summary).toBeFocused();
    await expect(summary).not.toContainText(/postgres|sql|database error|timeout/i);
  } finally {
    hung.carryOn();
  }
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("opened while everything is away, the page waits and then is there", async ({
  person,
  parts,
}) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await Promise.all([parts.kill("auth"), parts.kill("task")]);
  await ada.page.reload();
  await expect(ada.status("Duet cannot be reached.")).toBeVisible();
  await Promise.all([parts.startService("auth"), parts.startService("task")]);
  await expect(ada.status("Duet cannot be reached.")).toHaveCount(0, { timeout: 30_000 });
  await ada.seesTasks("Tune the piano");
});

test("behind the proxy, too, no unknown address has an answer", async ({
  person,
  watch,
  place,
}) => {
  watch.allow(/status of 404/);
  const ada = await person("ada");
  const response = await ada.page.goto(`${place.origin}/nowhere`);
  expect(response?.status()).toBe(404);
  await expect(ada.heading("Nothing found")).toBeVisible();
});
