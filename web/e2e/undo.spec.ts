// Deleting: shown at once, done only when it can no longer be undone.

import { Account } from "./harness/account.ts";
import { answerWith, FAULT } from "./harness/answer.ts";
import { expect, test } from "./harness/test.ts";

const UNDO_MS = 10_000;

test("a deleted task is gone at once; the call is made when the ten seconds are over", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await ada.stopTheClock();
  await ada.delete("Sell the piano");
  await expect(ada.toasts).toContainText("Deleted “Sell the piano”.");
  await ada.seesTasks();
  await ada.page.mouse.move(0, 0);
  await ada.field("New task").focus();
  await ada.page.clock.runFor(UNDO_MS - 2_000);
  expect(ada.calls.count("DeleteTask")).toBe(0);
  expect(await ada.account.titles()).toEqual(["Sell the piano"]);
  await ada.answered("DeleteTask", () => ada.page.clock.runFor(3_000));
  await expect(ada.toasts).toBeEmpty();
  expect(await ada.account.titles()).toEqual([]);
});

test("undone in time, nothing ever happened", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await ada.stopTheClock();
  await ada.delete("Sell the piano");
  await ada.toasts.getByRole("button", { name: "Undo" }).click();
  await ada.seesTasks("Sell the piano");
  await ada.page.clock.runFor(UNDO_MS * 2);
  expect(ada.calls.count("DeleteTask")).toBe(0);
});

test("the time does not run while one looks at the note", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await ada.stopTheClock();
  await ada.delete("Sell the piano");
  await ada.toasts.getByText("Deleted").hover();
  await ada.page.clock.runFor(UNDO_MS * 3);
  await expect(ada.toasts).toContainText("Deleted");
  await ada.page.mouse.move(0, 0);
  await ada.toasts.getByRole("button", { name: "Undo" }).focus();
  await ada.page.clock.runFor(UNDO_MS * 3);
  await expect(ada.toasts).toContainText("Deleted");
  expect(ada.calls.count("DeleteTask")).toBe(0);
  await ada.field("New task").focus();
  await ada.answered("DeleteTask", () => ada.page.clock.runFor(UNDO_MS * 2));
});

test("leaving the page means it", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await ada.delete("Sell the piano");
  await expect(ada.toasts).toContainText("Deleted");
  await ada.page.close();
  await expect.poll(() => ada.account.titles()).toEqual([]);
});

test("signing out means it, too", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await ada.delete("Sell the piano");
  await ada.signOut();
  await ada.isAt("/signin");
  // Nobody is let in with a token of the session that is over.
  const again = await Account.signIn(ada.place, ada.who);
  expect(await again.titles()).toEqual([]);
});

test("of several, each can be had back", async ({ person }) => {
  const ada = await person("ada");
  for (const title of ["One", "Two", "Three"]) await ada.add(title);
  for (const title of ["One", "Two", "Three"]) await ada.delete(title);
  const note = ada.toasts.getByRole("status").filter({ hasText: "“Two”" });
  await note.getByRole("button", { name: "Undo" }).click();
  await ada.seesTasks("Two");
});

test("a refused deletion brings the task back, with a reference", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Sell the piano");
  await answerWith(ada.page, "DeleteTask", FAULT);
  await ada.stopTheClock();
  await ada.delete("Sell the piano");
  await ada.seesTasks();
  await ada.field("New task").focus();
  await ada.page.clock.runFor(UNDO_MS * 2);
  await ada.seesTasks("Sell the piano");
  await expect(ada.alert(FAULT.message)).toContainText(`Reference: ${FAULT.requestId}`);
});
