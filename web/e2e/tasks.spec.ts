// The five things one does with tasks, and what the page shows around them.

import { expect, test } from "./harness/test.ts";

test("S5.1 FR-021: a task is added with Enter, and the field is ready for the next", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await expect(ada.field("New task")).toHaveValue("");
  await expect(ada.field("New task")).toBeFocused();
  await ada.field("New task").fill("Buy strings");
  await ada.answered("CreateTask", () => ada.button("Add").click());
  await ada.seesTasks("Tune the piano", "Buy strings");
  // The newest is on top.
  await expect(ada.tasks.first()).toContainText("Buy strings");
  await ada.page.reload();
  await ada.seesTasks("Tune the piano", "Buy strings");
  expect(await ada.account.titles()).toEqual(["Buy strings", "Tune the piano"]);
});

test("many tasks typed in one go arrive in their order", async ({ person }) => {
  const ada = await person("ada");
  const titles = Array.from({ length: 12 }, (_, n) => `Scale ${n + 1}`);
  for (const title of titles) await ada.type(title);
  await expect(ada.tasks.getByRole("checkbox")).toHaveCount(12);
  await expect.poll(() => ada.account.titles()).toEqual(titles.reverse());
});

test("a task is checked off and back; what one checked stays in sight", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.check("Tune the piano");
  await expect(ada.box("Tune the piano")).toBeChecked();
  await expect(ada.count("Done 1")).toBeVisible();
  await ada.uncheck("Tune the piano");
  await expect(ada.box("Tune the piano")).not.toBeChecked();
  await ada.check("Tune the piano");
  await ada.page.reload();
  await ada.seesTasks();
  await ada.count("Done 1").click();
  await ada.isAt("/tasks?status=done");
  await ada.seesTasks("Tune the piano");
});

test("S5.2: title, notes and due are edited in place", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await expect(ada.editor.getByLabel("Title")).toBeFocused();
  await ada.editor.getByLabel("Title").fill("Tune the grand piano");
  await ada.editor.getByLabel("Notes").fill("440 Hz\nand the pedals");
  await ada.editor.getByLabel("Due date").fill("2099-12-24");
  await ada.editor.getByLabel("Due time").fill("18:30");
  await ada.save();
  await expect(ada.editor).toBeHidden();
  const row = ada.task("Tune the grand piano");
  await expect(row).toContainText("Due 24 Dec 2099, 18:30");
  await expect(row).toContainText("Notes");

  await ada.page.reload();
  await ada.edit("Tune the grand piano");
  await expect(ada.editor.getByLabel("Notes")).toHaveValue("440 Hz\nand the pedals");
  await expect(ada.editor.getByLabel("Due date")).toHaveValue("2099-12-24");
  await expect(ada.editor.getByLabel("Due time")).toHaveValue("18:30");

  await ada.editor.getByLabel("Due date").fill("");
  await ada.editor.getByLabel("Notes").fill("");
  await ada.save();
  await expect(row).not.toContainText("Due");
  await expect(row).not.toContainText("Notes");
});

test("Enter in the title and Ctrl+Enter in the notes save", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Title").fill("Tune both pianos");
  await ada.answered("UpdateTask", () => ada.editor.getByLabel("Title").press("Enter"));
  await ada.edit("Tune both pianos");
  await ada.editor.getByLabel("Notes").fill("soon");
  await ada.answered("UpdateTask", () => ada.editor.getByLabel("Notes").press("Control+Enter"));
  await expect(ada.task("Tune both pianos")).toContainText("Notes");
});

test("Esc leaves the editor with nothing changed, and the focus where it was", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Title").fill("Sell the piano");
  await ada.page.keyboard.press("Escape");
  await expect(ada.editor).toBeHidden();
  await expect(ada.button("Edit Tune the piano")).toBeFocused();
  expect(ada.calls.count("UpdateTask")).toBe(0);
});

test("what is due today and what is late says so", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.clock.setFixedTime(new Date("2026-06-15T10:00:00Z"));
  await ada.account.add("Late", { due: new Date(2026, 5, 1) });
  await ada.account.add("Now", { due: new Date(2026, 5, 15) });
  await ada.account.add("Later", { due: new Date(2026, 11, 24) });
  await ada.open("/tasks");
  await expect(ada.task("Late")).toContainText("Overdue since 1 Jun 2026");
  await expect(ada.task("Now")).toContainText("Due today");
  await expect(ada.task("Later")).toContainText("Due 24 Dec 2026");
});

test("open, done and all have their counts, addresses and words for nothing", async ({
  person,
}) => {
  const ada = await person("ada");
  await expect(ada.page.getByText("Nothing to do. Enjoy, or add a task above.")).toBeVisible();
  await ada.count("Done 0").click();
  await ada.isAt("/tasks?status=done");
  await expect(ada.page.getByText("Nothing is done yet.")).toBeVisible();
  await ada.count("All 0").click();
  await ada.isAt("/tasks?status=all");
  await expect(ada.page.getByText("No tasks yet. Add your first above.")).toBeVisible();

  for (const title of ["One", "Two", "Three"]) await ada.account.add(title);
  await ada.account.complete(await ada.account.add("Four"));
  await ada.page.reload();
  await ada.seesTasks("One", "Two", "Three", "Four");
  await expect(ada.count("All 4")).toHaveAttribute("aria-current", "page");
  await expect(ada.count("Open 3")).not.toHaveAttribute("aria-current", "page");
  await ada.count("Open 3").click();
  await ada.isAt("/tasks");
  await ada.seesTasks("One", "Two", "Three");
  await ada.count("Done 1").click();
  await ada.seesTasks("Four");
  await ada.page.goBack();
  await ada.isAt("/tasks");
  await ada.seesTasks("One", "Two", "Three");
});

test("more tasks than a page are counted exactly", async ({ person }) => {
  const ada = await person("ada");
  for (let n = 0; n < 51; n += 1) await ada.account.add(`Task ${n}`);
  // So that the end of the list is not near enough to load more by itself.
  await ada.page.setViewportSize({ width: 1280, height: 600 });
  await ada.page.reload();
  await expect(ada.count("Open 51")).toBeVisible();
  await expect(ada.tasks).toHaveCount(50);
  await ada.page.keyboard.press("End");
  await expect(ada.tasks).toHaveCount(51);
});

test("a task has a page of its own, with everything about it", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await ada.link("Open on its own page").click();
  await expect(ada.heading("Tune the piano")).toBeVisible();
  await expect(ada.page).toHaveTitle("Tune the piano · Duet");
  await expect(ada.page).toHaveURL(/\/tasks\/[0-9a-f-]{36}$/);
  await expect(ada.page.getByText(/^Created/)).toBeVisible();

  await ada.editor.getByLabel("Title").fill("Tune the organ");
  await ada.save();
  await expect(ada.heading("Tune the organ")).toBeVisible();
  await ada.answered("CompleteTask", () => ada.field("Done").click());
  await expect(ada.page.getByText(/^Completed/)).toBeVisible();
  await ada.editor.getByLabel("Title").fill("Something else");
  await ada.editor.getByRole("button", { name: "Cancel" }).click();
  await expect(ada.editor.getByLabel("Title")).toHaveValue("Tune the organ");

  await ada.page.reload();
  await expect(ada.heading("Tune the organ")).toBeVisible();
  await expect(ada.field("Done")).toBeChecked();
  await ada.link("Back to tasks").click();
  await ada.isAt("/tasks");
});

test("a task is deleted from its own page, and can be had back there", async ({ person }) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  await ada.open(`/tasks/${id}`);
  await ada.button("Delete task").click();
  await ada.isAt("/tasks");
  await ada.seesTasks();
  await ada.toasts.getByRole("button", { name: "Undo" }).click();
  await ada.seesTasks("Tune the piano");
});

test("an address with no task behind it says so", async ({ person }) => {
  const ada = await person("ada");
  for (const id of [crypto.randomUUID(), "nonsense"]) {
    await ada.open(`/tasks/${id}`);
    await expect(ada.heading("Nothing found")).toBeVisible();
    await expect(ada.page.getByText("There is no such task.")).toBeVisible();
    await ada.link("Back to tasks").click();
    await ada.isAt("/tasks");
  }
});

test("what another device did appears when one comes back", async ({ person, device }) => {
  const ada = await person("ada");
  const phone = await device(ada);
  await phone.add("From the phone");
  await ada.page.clock.install();
  await ada.page.clock.fastForward(10_000);
  await ada.page.evaluate(() => dispatchEvent(new Event("focus")));
  await ada.seesTasks("From the phone");
});
