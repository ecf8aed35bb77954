// What a person does with tasks beyond their words, against a service in memory:
// close with subtasks, move, bring back; and what is refused or lost on the way.

import "./support/browser.ts";
import { expect } from "@playwright/test";
import { Code, type Task, TaskStatus } from "duet-client";
import { refusal } from "../client/test/support/refusal.ts";
import { link, tryNow } from "../src/link.ts";
import { BLANK } from "../src/tasks/draft.ts";
import { placeAt, placeOn } from "../src/tasks/places.ts";
import type { TaskStore } from "../src/tasks/store.ts";
import { viewOf } from "../src/tasks/view.ts";
import { OWNER, type Service } from "./support/service.ts";
import { EVERY, keyOf, OPEN, settled, test, titles, typed } from "./support/store.ts";

const INBOX = viewOf("list=inbox");
const BIN = viewOf("list=bin");

/** The lines of the inbox, steps after two blanks for each level. */
const lines = (store: TaskStore): string[] =>
  store.lists.nodes(INBOX).map(({ row, depth }) => "  ".repeat(depth) + row.task.title);

/** Three tasks in the inbox, the first with two steps. */
async function family(service: Service, store: TaskStore): Promise<Task> {
  service.has("three");
  service.has("two");
  const one = service.has("one");
  service.has("b", { parentTask: one.name });
  service.has("a", { parentTask: one.name });
  await store.lists.show(INBOX, 1);
  expect(lines(store)).toEqual(["one", "  a", "  b", "two", "three"]);
  return one;
}

const open = (store: TaskStore): string[] =>
  store.entries
    .rows()
    .filter(({ task }) => task.status === TaskStatus.OPEN)
    .map(({ task }) => task.title)
    .sort();

test("a parent with open subtasks is closed with all of them, once the person says so", async ({
  service,
  said,
  store,
}) => {
  await family(service, store);
  store.complete(keyOf(store, "one"));
  expect(said.asked[0]?.question).toContain("“one” has open subtasks");
  expect(service.calls).not.toContain("complete");
  said.asked[0]?.yes();
  expect(open(store)).toEqual(["three", "two"]);
  await settled(store);
  expect(service.calls).toContain("complete all");
  expect(open(store)).toEqual(["three", "two"]);
  // They stay in sight until the list is shown anew.
  expect(lines(store)).toEqual(["one", "  a", "  b", "two", "three"]);
});

test("subtasks that only the service knows of are asked about after its answer", async ({
  service,
  said,
  store,
}) => {
  const one = service.has("one");
  await store.lists.show(OPEN, 1);
  service.has("made elsewhere", { parentTask: one.name });
  store.complete(keyOf(store, "one"));
  await settled(store);
  expect(said.refused).toEqual([]);
  expect(open(store)).toContain("one");
  said.asked[0]?.yes();
  await settled(store);
  expect(service.task("made elsewhere")?.status).toBe(TaskStatus.DONE);
  expect(service.task("one")?.status).toBe(TaskStatus.DONE);
});

test("what will not be done is cancelled, and opened again", async ({ service, store }) => {
  service.has("one");
  await store.lists.show(EVERY, 1);
  const key = keyOf(store, "one");
  store.complete(key, true);
  expect(store.entries.row(key)?.task.status).toBe(TaskStatus.CANCELLED);
  store.reopen(key);
  await settled(store);
  expect(service.calls.slice(1)).toEqual(["complete cancelled", "reopen"]);
  expect(service.task("one")?.status).toBe(TaskStatus.OPEN);
});

test("a refused completion opens the subtasks again as well", async ({ service, said, store }) => {
  await family(service, store);
  service.failNext(refusal(Code.Internal, "INTERNAL", "A fault of ours."));
  store.complete(keyOf(store, "one"), false, true);
  expect(open(store)).toHaveLength(2);
  await settled(store);
  expect(open(store)).toHaveLength(5);
  expect(said.refused).toMatchObject([{ title: "one" }]);
});

test("what recurs is there again, and that is said", async ({ service, said, store }) => {
  service.has("water the plants", { recurrence: { rrule: "FREQ=DAILY" } });
  await store.lists.show(OPEN, 1);
  store.complete(keyOf(store, "water the plants"));
  await settled(store);
  expect(said.again.map(({ title }) => title)).toEqual(["water the plants"]);
  expect(open(store)).toEqual(["water the plants"]);
});

test("a subtask is there at once, under a parent that has no name yet", async ({
  service,
  store,
}) => {
  await store.lists.show(INBOX, 1);
  const release = service.holdNext();
  store.add(typed("parent"));
  store.add(typed("step"), keyOf(store, "parent"));
  expect(lines(store)).toEqual(["parent", "  step"]);
  release();
  await settled(store);
  expect(lines(store)).toEqual(["parent", "  step"]);
  expect(service.task("step")?.parentTask).toBe(service.task("parent")?.name);
});

test("a refused subtask disappears, and does not take the place of a new task", async ({
  service,
  said,
  store,
}) => {
  await family(service, store);
  service.failNext(refusal(Code.FailedPrecondition, "PARENT_CYCLE", "Too deep."));
  store.add({ ...BLANK, title: "step" }, keyOf(store, "one"));
  await settled(store);
  expect(lines(store)).not.toContain("  step");
  expect(store.newTitle.value).toBe("");
  expect(said.refused).toMatchObject([{ title: "step" }]);
});

for (const [way, title, after] of [
  ["up", "two", ["two", "one", "  a", "  b", "three"]],
  ["down", "one", ["two", "one", "  a", "  b", "three"]],
  ["down", "two", ["one", "  a", "  b", "three", "two"]],
  ["up", "b", ["one", "  b", "  a", "two", "three"]],
  ["in", "two", ["one", "  a", "  b", "  two", "three"]],
  ["out", "a", ["one", "  b", "a", "two", "three"]],
] as const) {
  test(`moving “${title}” ${way} shows at once where it goes, and it stays there`, async ({
    service,
    store,
  }) => {
    await family(service, store);
    const place = placeOn(way, keyOf(store, title), store.lists.nodes(INBOX));
    store.move(keyOf(store, title), place ?? {});
    expect(lines(store)).toEqual(after);
    await settled(store);
    expect(lines(store)).toEqual(after);
    await store.lists.show(INBOX, 1);
    expect(lines(store)).toEqual(after);
  });
}

test("there is no way up from the first, down from the last, or out of no parent", async ({
  service,
  store,
}) => {
  await family(service, store);
  const nodes = store.lists.nodes(INBOX);
  const from = (way: "up" | "down" | "in" | "out", title: string) =>
    placeOn(way, keyOf(store, title), nodes);
  expect(from("up", "one")).toBeUndefined();
  expect(from("in", "one")).toBeUndefined();
  expect(from("out", "one")).toBeUndefined();
  expect(from("down", "three")).toBeUndefined();
  expect(from("down", "b")).toBeUndefined();
});

test("what is dropped comes where it was dropped", async ({ service, store }) => {
  await family(service, store);
  const others = store.lists.nodes(INBOX).filter(({ row }) => row.task.title !== "three");
  const [one, a, , two] = others.map(({ row }) => row.key);
  expect(placeAt(0, others)).toEqual({ parent: "" });
  // Between a parent and its first step it is the first step.
  expect(placeAt(1, others)).toEqual({ parent: one });
  expect(placeAt(2, others)).toEqual({ parent: one, after: a });
  expect(placeAt(4, others)).toEqual({ parent: "", after: two });
});

test("a task does not go into its own subtasks", async ({ service, store }) => {
  await family(service, store);
  store.move(keyOf(store, "one"), { parent: keyOf(store, "a") });
  expect(store.outbox.waiting.value).toBe(0);
});

test("a refused move is taken back", async ({ service, said, store }) => {
  await family(service, store);
  service.failNext(refusal(Code.FailedPrecondition, "PARENT_CYCLE", "Not into itself."));
  store.move(keyOf(store, "three"), {});
  expect(lines(store)[0]).toBe("three");
  await settled(store);
  expect(lines(store)).toEqual(["one", "  a", "  b", "two", "three"]);
  expect(said.refused).toMatchObject([{ title: "three" }]);
});

test("a move beside a task that is gone loses nothing", async ({ service, said, store }) => {
  await family(service, store);
  const two = service.task("two") as Task;
  const release = service.holdNext();
  store.move(keyOf(store, "three"), { after: keyOf(store, "two") });
  service.loses(two);
  release();
  await settled(store);
  await expect.poll(() => lines(store)).toEqual(["one", "  a", "  b", "three"]);
  expect(said.refused).toMatchObject([{ title: "three" }]);
  expect(said.vanished).toEqual([]);
});

test("a move whose answer was lost is not made twice", async ({ service, store }) => {
  await family(service, store);
  service.loseNext("answer");
  store.move(keyOf(store, "three"), {});
  await expect.poll(() => link.value).toBe("down");
  const { position } = service.task("three") as Task;
  tryNow();
  await settled(store);
  expect(service.task("three")?.position).toBe(position);
  expect(lines(store)[0]).toBe("three");
});

test("in another list a task takes its subtasks along", async ({ service, store }) => {
  await family(service, store);
  const list = `users/${OWNER}/lists/other`;
  store.move(keyOf(store, "one"), { list });
  await settled(store);
  expect(service.task("a")?.list).toBe(list);
  await store.lists.show(INBOX, 1);
  expect(lines(store)).toEqual(["two", "three"]);
});

test("the editor moves to another list, and writes only what else was changed", async ({
  service,
  store,
}) => {
  service.has("one");
  await store.lists.show(INBOX, 1);
  const key = keyOf(store, "one");
  const list = `users/${OWNER}/lists/other`;
  store.draft(key);
  store.draft(key, { ...typed("one"), list });
  store.save(key);
  await settled(store);
  expect(service.calls.slice(1)).toEqual(["move first"]);
  expect(service.task("one")?.list).toBe(list);
});

test("every new field is written, and only those that were changed", async ({ service, store }) => {
  service.has("one");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "one");
  store.draft(key);
  store.draft(key, {
    ...typed("one"),
    date: "2026-12-24",
    priority: "3",
    labels: ["home"],
    rrule: "FREQ=DAILY",
    after: true,
  });
  store.save(key);
  await settled(store);
  expect(service.calls.at(-1)).toMatch(/^update due,priority,labels,recurrence /);
  expect(service.task("one")).toMatchObject({
    priority: 3,
    labels: ["home"],
    recurrence: { rrule: "FREQ=DAILY", anchor: 2 },
  });
});

test("a deleted task goes to the bin with its subtasks, and comes back with them", async ({
  service,
  store,
}) => {
  await family(service, store);
  const key = keyOf(store, "one");
  store.hide(key);
  expect(lines(store)).toEqual(["two", "three"]);
  store.remove(key);
  await settled(store);
  expect(service.titles()).toEqual(["two", "three"]);
  await store.lists.show(BIN, 1);
  expect(titles(store, BIN)).toContain("one");
  store.undelete(keyOf(store, "one"));
  expect(titles(store, BIN)).not.toContain("one");
  await settled(store);
  await store.lists.show(INBOX, 1);
  expect(lines(store)).toEqual(["one", "  a", "  b", "two", "three"]);
});

test("undone in time, the subtasks are there again", async ({ service, store }) => {
  await family(service, store);
  const key = keyOf(store, "one");
  store.hide(key);
  store.restore(key);
  expect(lines(store)).toEqual(["one", "  a", "  b", "two", "three"]);
});

test("steps can be put out of sight, and are counted all the same", async ({ service, store }) => {
  await family(service, store);
  store.lists.fold(keyOf(store, "one"));
  expect(lines(store)).toEqual(["one", "two", "three"]);
  expect(store.lists.nodes(INBOX)[0]).toMatchObject({ folded: true, steps: 2 });
});
