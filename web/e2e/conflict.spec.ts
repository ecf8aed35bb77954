// The same task, changed on two devices: nobody's words are lost unseen.

import { expect, test } from "./harness/test.ts";
import type { Someone } from "./harness/someone.ts";

/** Ada edits a title that is meanwhile changed elsewhere; tells the task's id. */
async function collide(ada: Someone): Promise<string> {
  const id = await ada.account.add("Tune the piano");
  await ada.open("/tasks");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Title").fill("Tune the grand piano");
  await ada.account.rename(id, "Tune the old piano");
  await ada.editor.getByRole("button", { name: "Save" }).click();
  return id;
}

test("both versions are shown, and mine can be kept", async ({ person }) => {
  const ada = await person("ada");
  await collide(ada);
  const dialog = ada.page.getByRole("alertdialog", { name: "Changed elsewhere" });
  await expect(dialog.getByRole("columnheader", { name: "Theirs" })).toBeVisible();
  const row = dialog.getByRole("row", { name: /^Title/ });
  await expect(row.getByRole("cell")).toHaveText(["Tune the old piano", "Tune the grand piano"]);
  await expect(dialog.getByRole("row")).toHaveCount(2);
  await ada.page.keyboard.press("Escape");
  await expect(dialog).toBeVisible();

  await ada.answered("UpdateTask", () => dialog.getByRole("button", { name: "Keep mine" }).click());
  await expect(dialog).toBeHidden();
  await ada.seesTasks("Tune the grand piano");
  expect(await ada.account.titles()).toEqual(["Tune the grand piano"]);
});

test("theirs can be taken", async ({ person }) => {
  const ada = await person("ada");
  await collide(ada);
  await ada.button("Take theirs").click();
  await ada.seesTasks("Tune the old piano");
  expect(await ada.account.titles()).toEqual(["Tune the old piano"]);
});

test("changes to different fields need no choice: both are kept", async ({ person }) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  await ada.open("/tasks");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Notes").fill("440 Hz");
  await ada.account.rename(id, "Tune the old piano");
  await ada.save();
  await expect(ada.task("Tune the old piano")).toContainText("Notes");
  await expect(ada.page.getByRole("alertdialog")).toHaveCount(0);
});

test("a task that was deleted elsewhere can be had again, with what was typed", async ({
  person,
}) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  await ada.open("/tasks");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Title").fill("Tune the grand piano");
  await ada.account.tasks.deleteTask({ name: ada.account.nameOf(id) });
  await ada.editor.getByRole("button", { name: "Save" }).click();
  const note = ada.alert("deleted elsewhere");
  await expect(note).toBeVisible();
  await ada.seesTasks();
  await ada.answered("CreateTask", () =>
    note.getByRole("button", { name: "Add it again" }).click(),
  );
  await ada.seesTasks("Tune the grand piano");
});
