// Every part a process of its own: while one of them dies and comes back, what
// others change arrives, once, without a reload.

import type { Someone } from "./harness/someone.ts";
import { expect, testParts as test } from "./harness/test.ts";

test.describe.configure({ mode: "default" });
test.beforeEach(({ watch }) => watch.allowLostCalls());
test.afterEach(({ parts }) => parts.mend());

/** A task from elsewhere arrives. */
async function isLive(ada: Someone, title: string, ...others: string[]): Promise<void> {
  await ada.account.add(title);
  await ada.seesTasks(title, ...others);
}

test("task-service is away: the page says that it reconnects, and misses nothing", async ({
  person,
  parts,
}) => {
  const ada = await person("ada");
  await isLive(ada, "Tune the piano");
  await parts.kill("task");
  await expect(ada.status("Reconnecting…")).toBeVisible();
  // Nothing else is lost: one goes on typing.
  await ada.field("New task").fill("Buy str");
  await parts.startService("task");
  await expect(ada.status("Reconnecting…")).toHaveCount(0, { timeout: 40_000 });
  await expect(ada.field("New task")).toHaveValue("Buy str");
  await isLive(ada, "Book the hall", "Tune the piano");
});

test("task-service restarts at once: nobody notices", async ({ person, parts, device }) => {
  const desk = await person("ada");
  const phone = await device(desk);
  await isLive(desk, "Tune the piano");
  await parts.kill("task");
  await parts.startService("task");
  await phone.type("Buy strings");
  await desk.seesTasks("Buy strings", "Tune the piano");
  await phone.seesTasks("Buy strings", "Tune the piano");
});

test("auth-service restarts: the stream goes on", async ({ person, parts }) => {
  const ada = await person("ada");
  await isLive(ada, "Tune the piano");
  await parts.kill("auth");
  await isLive(ada, "Buy strings", "Tune the piano");
  await parts.startService("auth");
  await isLive(ada, "Book the hall", "Buy strings", "Tune the piano");
});

test("Postgres dies and comes back: what is written then arrives", async ({ person, parts }) => {
  const ada = await person("ada");
  await isLive(ada, "Tune the piano");
  await parts.kill("postgres");
  await parts.startPostgres();
  await expect(async () => {
    await ada.account.tasks.createTask({
      task: { title: "Buy strings" },
      requestId: "0198c0de-0000-4000-8000-000000000001",
    });
  }).toPass({ timeout: 30_000 });
  await expect(ada.box("Buy strings")).toBeVisible({ timeout: 40_000 });
  await ada.seesTasks("Buy strings", "Tune the piano");
});

test("eight tabs through a restart: each has everything, once", async ({ person, parts }) => {
  const ada = await person("ada");
  const tabs = [ada];
  while (tabs.length < 8) tabs.push(await ada.tab());
  await isLive(ada, "Tune the piano");
  await parts.kill("task");
  await parts.startService("task");
  await ada.account.add("Buy strings");
  for (const tab of tabs) {
    await expect(tab.box("Buy strings")).toBeVisible({ timeout: 40_000 });
    await tab.seesTasks("Buy strings", "Tune the piano");
  }
});
