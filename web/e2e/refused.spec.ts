// The page shows at once what one did. When the service refuses it after all,
// it is taken back and said, with the reference under which it was logged.

import { answerWith, FAULT, hold } from "./harness/answer.ts";
import { expect, test } from "./harness/test.ts";

test("SC-008: a refused task disappears again, and what was typed comes back", async ({
  person,
}) => {
  const ada = await person("ada");
  const refused = await answerWith(ada.page, "CreateTask", FAULT);
  await ada.type("Tune the piano");
  const note = ada.alert(FAULT.message);
  await expect(note).toContainText(`Reference: ${FAULT.requestId}`);
  await ada.seesTasks();
  await expect(ada.field("New task")).toHaveValue("Tune the piano");
  await note.getByRole("button", { name: "Dismiss" }).click();
  await expect(ada.toasts).toBeEmpty();

  await refused.stop();
  await ada.answered("CreateTask", () => ada.field("New task").press("Enter"));
  await ada.seesTasks("Tune the piano");
});

test("a refused check mark goes away again", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await answerWith(ada.page, "CompleteTask", FAULT);
  await ada.box("Tune the piano").click();
  await expect(ada.alert(FAULT.message)).toContainText("Tune the piano");
  await expect(ada.box("Tune the piano")).not.toBeChecked();
  await expect(ada.count("Open 1")).toBeVisible();
});

test("a refused edit opens again, with what was typed", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  const refused = await answerWith(ada.page, "UpdateTask", FAULT);
  await ada.editor.getByLabel("Title").fill("Tune the grand piano");
  await ada.save();
  await expect(ada.alert(FAULT.message)).toBeVisible();
  await expect(ada.editor.getByLabel("Title")).toHaveValue("Tune the grand piano");
  await refused.stop();
  await ada.save();
  await expect(ada.task("Tune the grand piano")).toBeVisible();
});

test("a title that is too long is refused beside its field", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Title").fill("la ".repeat(200));
  await ada.save();
  const title = ada.editor.getByLabel("Title");
  await expect(title).toHaveAttribute("aria-invalid", "true");
  await expect(title).toHaveAccessibleDescription(/500/);
  expect(await ada.account.titles()).toEqual(["Tune the piano"]);
});

test("a list that cannot be loaded says so, with a reference and a way to try again", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  const broken = await answerWith(ada.page, "ListTasks", FAULT);
  await ada.open("/tasks");
  const failed = ada.alert("Your tasks could not be loaded");
  await expect(failed).toContainText(FAULT.message);
  await expect(failed).toContainText(`Reference: ${FAULT.requestId}`);
  await broken.stop();
  await failed.getByRole("button", { name: "Try again" }).click();
  await ada.seesTasks("Tune the piano");
  await expect(failed).toBeHidden();
});

for (const [screen, method, title] of [
  ["factors", "ListFactors", "Your second factors could not be loaded"],
  ["sessions", "ListSessions", "Your devices could not be loaded"],
] as const) {
  test(`what the settings could not load is loaded again: ${screen}`, async ({ person }) => {
    const ada = await person("ada");
    const broken = await answerWith(ada.page, method, FAULT);
    await ada.open(`/settings/${screen}`);
    const failed = ada.alert(title);
    await expect(failed).toContainText(`Reference: ${FAULT.requestId}`);
    await broken.stop();
    await ada.answered(method, () => failed.getByRole("button", { name: "Try again" }).click());
    await expect(failed).toBeHidden();
  });
}

test("a list that takes its time says so, but only after a moment", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  const release = await hold(ada.page, "ListTasks");
  await ada.page.clock.install();
  await ada.page.clock.pauseAt(Date.now() + 60_000);
  await ada.open("/tasks");
  await expect(ada.heading("Tasks")).toBeVisible();
  await ada.page.clock.runFor(150);
  await expect(ada.status("Loading…")).toHaveCount(0);
  await ada.page.clock.runFor(150);
  await expect(ada.status("Loading…")).toBeVisible();
  release();
  await ada.seesTasks("Tune the piano");
  await expect(ada.status("Loading…")).toHaveCount(0);
});
