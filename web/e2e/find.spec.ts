// Searching, filtering and sorting: everything stands in the address.

import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

async function some(ada: Someone): Promise<void> {
  const make = (task: Parameters<typeof ada.account.tasks.createTask>[0]["task"]) =>
    ada.account.tasks.createTask({ task });
  await make({ title: "Buy strings", notes: "gut, for the viola", labels: ["shop"] });
  await make({ title: "Tune the piano", priority: 3, labels: ["home", "music"] });
  await make({ title: "Rehearse", priority: 1, due: { date: { year: 2020, month: 1, day: 2 } } });
  await ada.open("/tasks");
  await ada.seesTasks("Buy strings", "Tune the piano", "Rehearse");
}

test("what is searched for stands in title or notes, and in the address", async ({ person }) => {
  const ada = await person("ada");
  await some(ada);
  await ada.page.keyboard.press("/");
  await expect(ada.field("Search")).toBeFocused();
  await ada.page.keyboard.type("VIOLA");
  await ada.seesTasks("Buy strings");
  await ada.isAt("/tasks?q=VIOLA");
  await ada.page.reload();
  await ada.seesTasks("Buy strings");
  await expect(ada.field("Search")).toHaveValue("VIOLA");
  await ada.field("Search").fill("nobody");
  await expect(ada.page.getByText("Nothing found.")).toBeVisible();
  await ada.page.goBack();
  await ada.seesTasks("Buy strings", "Tune the piano", "Rehearse");
});

test("labels, priority and due narrow it down, one after the other", async ({ person }) => {
  const ada = await person("ada");
  await some(ada);
  await ada.button("Filter and sort").click();
  await ada.picker("Priority").selectOption("Low or more");
  await ada.seesTasks("Tune the piano", "Rehearse");
  await ada.picker("Due").selectOption("Overdue");
  await ada.seesTasks("Rehearse");
  await ada.isAt("/tasks?priority=1&due=overdue");
  await ada.button("Clear").click();
  await ada.isAt("/tasks");
  await ada.task("Tune the piano").getByRole("link", { name: "music" }).click();
  await ada.isAt("/tasks?label=music");
  await ada.seesTasks("Tune the piano");
  await ada.page.goBack();
  await ada.seesTasks("Buy strings", "Tune the piano", "Rehearse");
});

test("tasks are sorted by what matters, and the address says by what", async ({ person }) => {
  const ada = await person("ada");
  await some(ada);
  await ada.button("Filter and sort").click();
  await ada.picker("Order").selectOption("Priority");
  await ada.isAt("/tasks?order=priority");
  await expect(ada.tasks).toContainText(["Tune the piano", "Rehearse", "Buy strings"]);
  await ada.picker("Order").selectOption("Due");
  await expect(ada.tasks.first()).toContainText("Rehearse");
});

test("an advanced filter is the service's own; what is wrong with it is said beside it", async ({
  person,
}) => {
  const ada = await person("ada");
  await some(ada);
  await ada.button("Filter and sort").click();
  await ada.field("Advanced").fill("labels:home OR title:strings");
  await ada.field("Advanced").press("Enter");
  await ada.seesTasks("Buy strings", "Tune the piano");
  await ada.field("Advanced").fill("due > hello");
  await ada.field("Advanced").press("Enter");
  await expect(ada.field("Advanced")).toHaveAttribute("aria-invalid", "true");
  await expect(ada.field("Advanced")).toHaveAccessibleDescription(/\d/);
  await expect(ada.alert("could not be loaded")).toBeHidden();
  await ada.button("Clear").click();
  await ada.seesTasks("Buy strings", "Tune the piano", "Rehearse");
  await expect(ada.field("Advanced")).not.toHaveAttribute("aria-invalid");
});

test("what is typed where one filters belongs there", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/tasks?list=today");
  await expect(ada.heading("Today")).toBeVisible();
  await ada.add("Now");
  await expect(ada.task("Now")).toContainText("Due today");
  await ada.open("/tasks?label=home");
  await ada.add("Sweep");
  await expect(ada.task("Sweep").getByRole("link", { name: "home" })).toBeVisible();
  await ada.page.reload();
  await ada.seesTasks("Sweep");
});
