// Subtasks and the manual order: made, moved, closed together.

import { answerWith, FAULT } from "./harness/answer.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

/** The titles from the top, those of subtasks after a dash for each level. */
async function seesOrder(ada: Someone, ...titles: string[]): Promise<void> {
  const shown = (): Promise<string[]> =>
    ada.tasks.evaluateAll((lines) =>
      lines.map((line) => {
        const level = Number(line.getAttribute("aria-level")) - 1;
        return (
          "-".repeat(level) + (line.querySelector(".title span:last-child")?.textContent ?? "")
        );
      }),
    );
  await expect.poll(shown).toEqual(titles);
}

async function inbox(ada: Someone, ...titles: string[]): Promise<void> {
  for (const title of titles.reverse()) await ada.account.add(title);
  await ada.open("/tasks?list=inbox");
  await expect(ada.tasks).toHaveCount(titles.length);
}

async function choose(ada: Someone, title: string, choice: string): Promise<void> {
  await ada.button(`More for ${title}`).click();
  await ada.button(choice).click();
}

test("subtasks are typed one after the other, shown under their task, and put out of sight", async ({
  person,
}) => {
  const ada = await person("ada");
  await inbox(ada, "Concert", "Rehearse");
  await choose(ada, "Concert", "Add subtask");
  const field = ada.field("New subtask of Concert");
  await expect(field).toBeFocused();
  for (const title of ["Book the hall", "Tune the piano"]) {
    await field.fill(title);
    await ada.answered("CreateTask", () => field.press("Enter"));
  }
  await field.press("Escape");
  await expect(ada.button("Edit Concert")).toBeFocused();
  await seesOrder(ada, "Concert", "-Tune the piano", "-Book the hall", "Rehearse");
  const fold = ada.page.getByRole("button", { name: "2 subtasks of Concert" });
  await fold.click();
  await expect(fold).toHaveAttribute("aria-expanded", "false");
  await seesOrder(ada, "Concert", "Rehearse");
  await fold.click();
  await ada.page.reload();
  await seesOrder(ada, "Concert", "-Tune the piano", "-Book the hall", "Rehearse");
});

test("a task with open subtasks is closed with them after one question", async ({ person }) => {
  const ada = await person("ada");
  const parentTask = ada.account.nameOf(await ada.account.add("Concert"));
  await ada.account.tasks.createTask({ task: { title: "Rehearse", parentTask } });
  await ada.open("/tasks?list=inbox");
  await ada.box("Concert").click();
  const dialog = ada.page.getByRole("dialog", { name: /open subtasks/ });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(ada.box("Concert")).not.toBeChecked();
  await ada.box("Concert").click();
  await ada.answered("CompleteTask", () =>
    dialog.getByRole("button", { name: "Complete all" }).click(),
  );
  await expect(ada.box("Concert")).toBeChecked();
  await expect(ada.box("Rehearse")).toBeChecked();
  await ada.settled();
  await expect(ada.box("Rehearse")).toBeChecked();
  await ada.uncheck("Concert");
  await expect(ada.box("Rehearse")).not.toBeChecked();
});

test("what will not be done says so, and can be opened again", async ({ person }) => {
  const ada = await person("ada");
  await inbox(ada, "Concert");
  await ada.answered("CompleteTask", () => choose(ada, "Concert", "Won’t do"));
  await expect(ada.task("Concert")).toContainText("Won’t do");
  await expect(ada.box("Concert")).toBeChecked();
  await ada.uncheck("Concert");
  await expect(ada.task("Concert")).not.toContainText("Won’t do");
});

test("with Alt and the arrows a task goes up, down, in and out, and keeps the focus", async ({
  person,
}) => {
  const ada = await person("ada");
  await inbox(ada, "One", "Two", "Three");
  await seesOrder(ada, "One", "Two", "Three");
  const press = (key: string): Promise<void> =>
    ada.answered("MoveTask", () => ada.page.keyboard.press(`Alt+${key}`));
  await ada.button("Edit Three").focus();
  await press("ArrowUp");
  await seesOrder(ada, "One", "Three", "Two");
  await expect(ada.button("Edit Three")).toBeFocused();
  await expect(ada.status("Three moved up.")).toBeAttached();
  await press("ArrowRight");
  await seesOrder(ada, "One", "-Three", "Two");
  await expect(ada.button("Edit Three")).toBeFocused();
  await press("ArrowLeft");
  await seesOrder(ada, "One", "Three", "Two");
  await press("ArrowDown");
  await seesOrder(ada, "One", "Two", "Three");
  await ada.isAt("/tasks?list=inbox");
  await ada.page.reload();
  await seesOrder(ada, "One", "Two", "Three");
});

test("a task is dragged by its handle, and a refused move is taken back", async ({ person }) => {
  const ada = await person("ada");
  await inbox(ada, "One", "Two", "Three");
  const drag = async (title: string, before: string): Promise<void> => {
    const target = await ada.task(before).boundingBox();
    await ada.task(title).locator(".handle").hover();
    await ada.page.mouse.down();
    await ada.page.mouse.move((target?.x ?? 0) + 20, (target?.y ?? 0) + 2, { steps: 5 });
    await ada.page.mouse.up();
  };
  await ada.answered("MoveTask", () => drag("Three", "One"));
  await seesOrder(ada, "Three", "One", "Two");
  await ada.settled();
  await ada.page.reload();
  await seesOrder(ada, "Three", "One", "Two");
  await answerWith(ada.page, "MoveTask", FAULT);
  await drag("Two", "Three");
  await expect(ada.alert(FAULT.message)).toBeVisible();
  await seesOrder(ada, "Three", "One", "Two");
});

test("what recurs says how, and when it comes again", async ({ person }) => {
  const ada = await person("ada");
  await inbox(ada, "Water the plants");
  await ada.edit("Water the plants");
  await ada.editor.getByLabel("Due date").fill("2099-12-24");
  await ada.editor.getByLabel("Repeat").selectOption("Every day");
  await ada.editor.getByLabel("Priority").selectOption("High");
  await ada.editor.getByLabel("Labels").fill("home,");
  await ada.save();
  const row = ada.task("Water the plants").first();
  await expect(row).toContainText("Every day");
  await expect(row).toContainText("High priority");
  await expect(row.getByRole("link", { name: "home" })).toBeVisible();
  await ada.answered("CompleteTask", () => ada.box("Water the plants").click());
  await expect(ada.toasts).toContainText("“Water the plants” comes again: Due 25 Dec 2099.");
  await expect(ada.tasks).toHaveCount(2);
});
