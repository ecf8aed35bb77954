// A person's own lists, against a service in memory: shown at once, true in the
// end.

import "./support/browser.ts";
import { expect } from "@playwright/test";
import { Code, type List } from "duet-client";
import { refusal } from "../client/test/support/refusal.ts";
import { link, tryNow } from "../src/link.ts";
import type { TaskStore } from "../src/tasks/store.ts";
import { viewOf } from "../src/tasks/view.ts";
import { settled, test, titles, typed } from "./support/store.ts";

const names = ({ catalogue }: TaskStore): string[] =>
  catalogue.lists.value.map(({ title }) => title);

const list = ({ catalogue }: TaskStore, title: string): List =>
  catalogue.lists.value.find((each) => each.title === title) as List;

/** Three lists. */
async function three(store: TaskStore): Promise<void> {
  for (const title of ["Third", "Second", "First"]) store.catalogue.add(title);
  await settled(store);
  expect(names(store)).toEqual(["First", "Second", "Third"]);
}

test("a new list is there at once, first, and can be used before it is answered", async ({
  service,
  store,
}) => {
  const release = service.holdNext();
  const id = store.catalogue.add("Music");
  expect(names(store)).toEqual(["Music"]);
  store.add({ ...typed("Tune the piano"), list: store.catalogue.nameOf(id) });
  release();
  await settled(store);
  expect(service.calls).toEqual(["create list Music", "create Tune the piano"]);
  await store.catalogue.load();
  expect(names(store)).toEqual(["Music"]);
  const view = viewOf(`list=${id}`);
  await store.lists.show(view, 1);
  expect(titles(store, view)).toEqual(["Tune the piano"]);
});

test("an answer that is older than what was heard meanwhile changes nothing of that", async ({
  service,
  store,
}) => {
  await three(store);
  const release = service.holdNext();
  const loading = store.catalogue.load();
  await expect.poll(() => service.calls.at(-1)).toBe("lists");
  store.catalogue.add("Zeroth");
  store.catalogue.change(list(store, "First"), { title: "1st" });
  store.catalogue.remove(list(store, "Third"), () => undefined);
  await settled(store);
  expect(names(store)).toEqual(["Zeroth", "1st", "Second"]);
  release();
  await loading;
  expect(names(store)).toEqual(["Zeroth", "1st", "Second"]);
});

test("a refused list disappears, and that is said", async ({ service, said, store }) => {
  service.failNext(refusal(Code.ResourceExhausted, "LIST_QUOTA", "You have 200 lists."));
  store.catalogue.add("One too many");
  await settled(store);
  expect(names(store)).toEqual([]);
  expect(said.refused).toMatchObject([{ title: "One too many" }]);
});

test("a list is renamed and put aside, each by its own field", async ({ service, store }) => {
  await three(store);
  store.catalogue.change(list(store, "First"), { title: "Home" });
  expect(names(store)).toContain("Home");
  store.catalogue.change(list(store, "Home"), { archived: true });
  await settled(store);
  expect(service.calls.slice(3)).toEqual(["update list title", "update list archived"]);
  await store.catalogue.load();
  expect(list(store, "Home").archived).toBe(true);
});

test("a refused name is taken back", async ({ service, said, store }) => {
  await three(store);
  service.failNext(refusal(Code.InvalidArgument, "FIELD_INVALID", "Too long."));
  store.catalogue.change(list(store, "First"), { title: "x".repeat(300) });
  await settled(store);
  expect(names(store)).toEqual(["First", "Second", "Third"]);
  expect(said.refused).toHaveLength(1);
});

test("lists are put in another order, also to the top", async ({ store }) => {
  await three(store);
  store.catalogue.move(list(store, "First"), list(store, "Second"));
  expect(names(store)).toEqual(["Second", "First", "Third"]);
  await settled(store);
  expect(names(store)).toEqual(["Second", "First", "Third"]);
  store.catalogue.move(list(store, "Third"), undefined);
  expect(names(store)).toEqual(["Third", "Second", "First"]);
  await settled(store);
  expect(names(store)).toEqual(["Third", "Second", "First"]);
});

test("a list with tasks is deleted with them, once the person says so", async ({
  service,
  said,
  store,
}) => {
  const id = store.catalogue.add("Music");
  store.add({ ...typed("Tune the piano"), list: store.catalogue.nameOf(id) });
  await settled(store);
  let gone = 0;
  store.catalogue.remove(list(store, "Music"), () => (gone += 1));
  await settled(store);
  expect(names(store)).toEqual(["Music"]);
  expect(said.asked[0]?.question).toContain("“Music” still has tasks");
  said.asked[0]?.yes();
  expect(names(store)).toEqual([]);
  await settled(store);
  expect(gone).toBe(1);
  expect(service.titles()).toEqual([]);
});

test("a list whose answer was lost is made once, and the next write waits for it", async ({
  service,
  store,
}) => {
  service.loseNext("answer");
  store.catalogue.add("Music");
  await expect.poll(() => link.value).toBe("down");
  store.catalogue.change(list(store, "Music"), { title: "Songs" });
  tryNow();
  await settled(store);
  expect(service.calls).toEqual(["create list Music", "create list Music", "update list title"]);
  await store.catalogue.load();
  expect(names(store)).toEqual(["Songs"]);
});

test("what a live feed tells of lists is taken, unless something newer is known", async ({
  store,
}) => {
  await three(store);
  const first = list(store, "First");
  const tell = (value: List): void =>
    store.catalogue.take({
      $typeName: "task.v1.Change",
      revision: value.revision,
      resource: { case: "list", value },
    });
  tell({ ...first, title: "Theirs", revision: first.revision + 9n });
  expect(names(store)).toContain("Theirs");
  tell(first);
  expect(names(store)).toContain("Theirs");
  store.catalogue.take({
    $typeName: "task.v1.Change",
    revision: 99n,
    resource: { case: "removedList", value: first.name },
  });
  expect(names(store)).toEqual(["Second", "Third"]);
});
