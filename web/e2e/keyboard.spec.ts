// Everything without a mouse: by Tab, Enter and Space alone, and by the
// shortcuts for whoever likes them.

import { tabTo } from "./harness/keys.ts";
import { expect, test } from "./harness/test.ts";

test("from sign-up to sign-out with Tab, Enter and Space alone", async ({ visitor }) => {
  const ada = await visitor("ada");
  const { keyboard } = ada.page;
  await expect(ada.heading("Create your account")).toBeVisible();
  await keyboard.press("Tab");
  await expect(ada.link("Skip to content")).toBeFocused();
  await expect(ada.link("Skip to content")).toBeInViewport();
  await keyboard.press("Enter");
  await expect(ada.page.getByRole("main")).toBeFocused();
  await tabTo(ada, ada.field("Email"));
  await keyboard.type(ada.who.email);
  await tabTo(ada, ada.field("Password"));
  await keyboard.type(ada.who.password);
  await keyboard.press("Enter");

  await expect(ada.heading("Tasks")).toBeFocused();
  await tabTo(ada, ada.field("New task"));
  for (const title of ["One", "Two"]) {
    await keyboard.type(title);
    await ada.answered("CreateTask", () => keyboard.press("Enter"));
  }
  await tabTo(ada, ada.box("Two"));
  await ada.answered("CompleteTask", () => keyboard.press("Space"));
  await tabTo(ada, ada.button("Edit One"));
  await keyboard.press("Enter");
  await expect(ada.editor.getByLabel("Title")).toBeFocused();
  await keyboard.press("End");
  await keyboard.type(" and a half");
  await tabTo(ada, ada.editor.getByLabel("Due date"));
  // Day and month are alike, because their order is the browser's.
  await keyboard.type("12122099");
  await tabTo(ada, ada.editor.getByRole("button", { name: "Save" }));
  await ada.answered("UpdateTask", () => keyboard.press("Enter"));
  await expect(ada.button("Edit One and a half")).toBeFocused();
  await expect(ada.task("One and a half")).toContainText("Due 12 Dec 2099");

  await tabTo(ada, ada.button("Delete One and a half"));
  await keyboard.press("Enter");
  // The focus goes to the neighbour, not to the top of the page.
  await expect(ada.button("Edit Two")).toBeFocused();
  await tabTo(ada, ada.toasts.getByRole("button", { name: "Undo" }));
  await keyboard.press("Enter");
  await expect(ada.button("Edit One and a half")).toBeVisible();

  await tabTo(ada, ada.page.getByRole("link", { name: /^Done/ }), "Shift+Tab");
  await keyboard.press("Enter");
  await ada.seesTasks("Two");
  await tabTo(ada, ada.link("Settings"), "Shift+Tab");
  await keyboard.press("Enter");
  await expect(ada.heading("Profile")).toBeFocused();
  await tabTo(ada, ada.button("Sign out"), "Shift+Tab");
  await keyboard.press("Enter");
  await expect(ada.heading("Sign in")).toBeFocused();
});

test("the shortcuts do what the overview says", async ({ person }) => {
  const ada = await person("ada");
  const { keyboard } = ada.page;
  for (const title of ["Three", "Two", "One"]) await ada.account.add(title);
  await ada.page.reload();
  await ada.seesTasks("One", "Two", "Three");

  await keyboard.press("n");
  await expect(ada.field("New task")).toBeFocused();
  await keyboard.type("jx?");
  await expect(ada.field("New task")).toHaveValue("jx?");
  await ada.field("New task").fill("");
  await keyboard.press("Tab");

  await keyboard.press("j");
  await expect(ada.button("Edit One")).toBeFocused();
  await keyboard.press("ArrowDown");
  await expect(ada.button("Edit Two")).toBeFocused();
  await keyboard.press("j");
  await expect(ada.button("Edit Three")).toBeFocused();
  await keyboard.press("k");
  await keyboard.press("ArrowUp");
  await expect(ada.button("Edit One")).toBeFocused();

  await ada.answered("CompleteTask", () => keyboard.press("x"));
  await expect(ada.box("One")).toBeChecked();
  await ada.answered("ReopenTask", () => keyboard.press("x"));
  await expect(ada.box("One")).not.toBeChecked();

  await keyboard.press("e");
  await expect(ada.editor.getByLabel("Title")).toBeFocused();
  await keyboard.press("Escape");
  await expect(ada.button("Edit One")).toBeFocused();
  await keyboard.press("Enter");
  await expect(ada.editor).toBeVisible();
  await keyboard.press("Escape");

  for (const key of ["#", "Delete"]) {
    await keyboard.press(key);
    await ada.seesTasks("Two", "Three");
    await keyboard.press("u");
    await ada.seesTasks("One", "Two", "Three");
    await ada.button("Edit One").focus();
  }

  await keyboard.press("2");
  await ada.isAt("/tasks?status=done");
  await keyboard.press("3");
  await ada.isAt("/tasks?status=all");
  await keyboard.press("1");
  await ada.isAt("/tasks");
});

test("? shows the overview, Esc closes it and gives the focus back", async ({ person }) => {
  const ada = await person("ada");
  const dialog = ada.page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await ada.button("Add").focus();
  await ada.page.keyboard.press("?");
  await expect(dialog).toBeVisible();
  await ada.page.keyboard.press("2");
  await ada.isAt("/tasks");
  await ada.page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(ada.button("Add")).toBeFocused();
  await ada.button("Keyboard shortcuts").press("Enter");
  await expect(dialog).toBeVisible();
});

test("shortcuts can be turned off, and stay off", async ({ person }) => {
  const ada = await person("ada");
  const use = ada.page.getByRole("checkbox", { name: "Use keyboard shortcuts" });
  await ada.page.keyboard.press("?");
  await tabTo(ada, use);
  await ada.page.keyboard.press("Space");
  await ada.page.keyboard.press("Escape");
  await ada.page.keyboard.press("2");
  await ada.isAt("/tasks");

  await ada.page.reload();
  await ada.seesTasks();
  await ada.page.keyboard.press("2");
  await ada.isAt("/tasks");
  expect(await ada.page.evaluate(() => Object.keys(localStorage))).toEqual(["duet.shortcuts"]);

  await ada.button("Keyboard shortcuts").press("Enter");
  await expect(use).not.toBeChecked();
  await use.press("Space");
  await ada.page.keyboard.press("Escape");
  await ada.page.keyboard.press("2");
  await ada.isAt("/tasks?status=done");
});
