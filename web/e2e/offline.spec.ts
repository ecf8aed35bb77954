// In the tunnel: what one types and does is kept, and goes out by itself when
// the network is back.

import { expect, test } from "./harness/test.ts";

test.beforeEach(({ watch }) => watch.allowLostCalls());

test("offline is said at once, and over as soon as it is over", async ({ person }) => {
  const ada = await person("ada");
  await ada.context.setOffline(true);
  await expect(ada.status("You are offline. What you type is kept.")).toBeVisible();
  await ada.context.setOffline(false);
  await expect(ada.status("You are offline")).toHaveCount(0);
});

test("what one adds, checks and edits offline waits and goes through", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.add("Buy strings");
  await ada.context.setOffline(true);
  await ada.type("Book the hall");
  await expect(ada.status("1 change is waiting.")).toBeVisible();
  await ada.box("Tune the piano").click();
  await ada.edit("Buy strings");
  await ada.editor.getByLabel("Title").fill("Buy gut strings");
  await ada.editor.getByLabel("Title").press("Enter");
  await expect(ada.status("3 changes are waiting.")).toBeVisible();
  await ada.seesTasks("Book the hall", "Tune the piano", "Buy gut strings");
  await ada.field("New task").fill("Write the programme");
  expect((await ada.account.titles()).sort()).toEqual(["Buy strings", "Tune the piano"]);

  await ada.context.setOffline(false);
  await expect(ada.status("waiting")).toHaveCount(0);
  await expect
    .poll(() => ada.account.titles())
    .toEqual(["Book the hall", "Buy gut strings", "Tune the piano"]);
  await expect(ada.field("New task")).toHaveValue("Write the programme");
  await expect(ada.box("Tune the piano")).toBeChecked();
  // Each was made once, however often it was tried.
  await ada.page.reload();
  await ada.seesTasks("Book the hall", "Buy gut strings");
});

test("an answer that was lost on the way does not make the task twice", async ({ person }) => {
  const ada = await person("ada");
  let lost = 0;
  await ada.page.route("**/*Service/CreateTask", async (route) => {
    lost += 1;
    if (lost > 1) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  // The page tries again by itself, and may hear of the task from the feed first.
  await ada.type("Tune the piano");
  await expect.poll(() => lost).toBe(2);
  await ada.settled();
  await ada.seesTasks("Tune the piano");
  expect(await ada.account.titles()).toEqual(["Tune the piano"]);
  await ada.page.reload();
  await ada.seesTasks("Tune the piano");
  expect(lost).toBe(2);
});

test("a list that could not be loaded appears when the network is back", async ({ person }) => {
  const ada = await person("ada");
  await ada.account.complete(await ada.account.add("Tune the piano"));
  await ada.context.setOffline(true);
  await ada.count("All").click();
  await ada.context.setOffline(false);
  await ada.seesTasks("Tune the piano");
});
