// One's own lists: made, renamed, sorted, put aside and deleted.

import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const nav = (ada: Someone) => ada.page.getByRole("navigation", { name: "Lists" });

async function makeList(ada: Someone, title: string): Promise<void> {
  await ada.field("New list").fill(title);
  await ada.answered("CreateList", () => ada.button("Add list").click());
  await expect(ada.heading(title)).toBeVisible();
}

async function choose(ada: Someone, choice: string): Promise<void> {
  await ada.button("List options").click();
  await ada.button(choice).click();
}

test("a list is made, and what one types in it belongs to it", async ({ person }) => {
  const ada = await person("ada");
  await makeList(ada, "Music");
  await expect(ada.heading("Music")).toBeFocused();
  await expect(ada.page).toHaveURL(/\/tasks\?list=[0-9a-f-]{36}$/);
  await ada.add("Tune the piano");
  await nav(ada).getByRole("link", { name: "Inbox" }).click();
  await ada.isAt("/tasks?list=inbox");
  await expect(ada.page.getByText("Nothing to do.")).toBeVisible();
  await ada.page.goBack();
  await expect(ada.heading("Music")).toBeVisible();
  await expect(ada.box("Tune the piano")).toBeVisible();
  await ada.page.reload();
  await expect(ada.heading("Music")).toBeVisible();
  await expect(ada.box("Tune the piano")).toBeVisible();
  await nav(ada).getByRole("link", { name: "All tasks" }).click();
  await ada.seesTasks("Tune the piano");
});

test("a list is renamed, put aside, found there and brought back", async ({ person }) => {
  const ada = await person("ada");
  await makeList(ada, "Music");
  await choose(ada, "Rename");
  await expect(ada.field("Name of the list")).toBeFocused();
  await ada.field("Name of the list").fill("Songs");
  await ada.answered("UpdateList", () => ada.button("Rename").click());
  await expect(ada.heading("Songs")).toBeVisible();
  await ada.answered("UpdateList", () => choose(ada, "Archive"));
  await expect(nav(ada).getByRole("link", { name: "Songs" })).toBeHidden();
  await nav(ada).getByText("Archived").click();
  await expect(nav(ada).getByRole("link", { name: "Songs" })).toBeVisible();
  await ada.answered("UpdateList", () => choose(ada, "Bring back"));
  await expect(nav(ada).getByText("Archived")).toBeHidden();
  await ada.page.reload();
  await expect(nav(ada).getByRole("link", { name: "Songs" })).toBeVisible();
});

test("lists are sorted by keyboard and by hand", async ({ person }) => {
  const ada = await person("ada");
  for (const title of ["Three", "Two", "One"]) await makeList(ada, title);
  const own = nav(ada).locator(".own");
  await expect(own).toContainText(["One", "Two", "Three"]);
  await ada.answered("UpdateList", () => choose(ada, "Move down"));
  await expect(own).toContainText(["Two", "One", "Three"]);
  await expect(ada.status("One moved down.")).toBeAttached();

  const handle = own.filter({ hasText: "Three" }).locator(".handle");
  const first = await own.first().boundingBox();
  await handle.hover();
  await ada.page.mouse.down();
  await ada.page.mouse.move((first?.x ?? 0) + 4, (first?.y ?? 0) + 2, { steps: 4 });
  await ada.answered("UpdateList", () => ada.page.mouse.up());
  await expect(own).toContainText(["Three", "Two", "One"]);
  await ada.page.reload();
  await expect(own).toContainText(["Three", "Two", "One"]);
});

test("a list with tasks is deleted after a question, and its tasks lie in the bin", async ({
  person,
}) => {
  const ada = await person("ada");
  await makeList(ada, "Music");
  await ada.add("Tune the piano");
  await choose(ada, "Delete");
  const dialog = ada.page.getByRole("dialog", { name: /still has tasks/ });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(nav(ada).getByRole("link", { name: "Music" })).toBeVisible();

  await nav(ada).getByRole("link", { name: "Music" }).click();
  await choose(ada, "Delete");
  await ada.answered("DeleteList", () =>
    dialog.getByRole("button", { name: "Delete all" }).click(),
  );
  await expect(nav(ada).getByRole("link", { name: "Music" })).toBeHidden();
  await ada.seesTasks();
  await nav(ada).getByRole("link", { name: "Bin" }).click();
  await expect(ada.button("Restore Tune the piano")).toBeVisible();
});

test("on a narrow screen the lists are behind a button", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.setViewportSize({ width: 320, height: 700 });
  await expect(nav(ada)).toBeHidden();
  await ada.button("Lists").click();
  await expect(ada.button("Lists")).toHaveAttribute("aria-expanded", "true");
  await nav(ada).getByRole("link", { name: "Today" }).click();
  await expect(ada.heading("Today")).toBeVisible();
  await expect(nav(ada)).toBeHidden();
});

test("the bin keeps what was deleted, says until when, and gives it back", async ({ person }) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  await ada.account.tasks.deleteTask({ name: ada.account.nameOf(id) });
  await ada.open("/tasks?list=bin");
  await expect(ada.heading("Bin")).toBeVisible();
  await expect(ada.tasks.first()).toContainText(/Gone for good on \d+ \w+ \d{4}/);
  await ada.answered("UndeleteTask", () => ada.button("Restore Tune the piano").click());
  await expect(ada.page.getByText("The bin is empty.")).toBeVisible();
  await ada.open("/tasks");
  await ada.seesTasks("Tune the piano");
});

test("a task in the bin has its page, and comes back from there", async ({ person }) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  await ada.account.tasks.deleteTask({ name: ada.account.nameOf(id) });
  await ada.open(`/tasks/${id}`);
  await expect(ada.page.getByText(/^In the bin since/)).toBeVisible();
  await ada.answered("UndeleteTask", () => ada.button("Restore").click());
  await expect(ada.field("Done")).toBeVisible();
});
