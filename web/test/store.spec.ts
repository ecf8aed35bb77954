// What a person writes, against a service in memory: shown at once, true in the
// end.

import { plugIn } from "./support/browser.ts";
import { expect } from "@playwright/test";
import { Code, create, TaskSchema, TaskStatus } from "duet-client";
import { refusal } from "../client/test/support/refusal.ts";
import { link, nextTry, tryNow } from "../src/link.ts";
import { viewOf } from "../src/tasks/view.ts";
import { EVERY, keyOf, OPEN, settled, test, titles, typed } from "./support/store.ts";

test("S5.1: a new task is there before the service has answered, and keeps its place", async ({
  service,
  store,
}) => {
  service.has("older");
  await store.lists.show(EVERY, 1);
  const release = service.holdNext();
  store.add(typed("new"));
  expect(titles(store, EVERY)).toEqual(["new", "older"]);
  const [row] = store.lists.rows(EVERY);
  expect(row).toMatchObject({ waiting: true, task: { name: "" } });
  release();
  await settled(store);
  expect(store.lists.rows(EVERY)[0]).toMatchObject({ key: row?.key, waiting: false });
  expect(store.lists.rows(EVERY)[0]?.task.name).toContain("/tasks/");
});

test("a task can be checked off and deleted before it has a name", async ({ service, store }) => {
  await store.lists.show(OPEN, 1);
  const release = service.holdNext();
  store.add(typed("first"));
  store.add(typed("second"));
  store.complete(keyOf(store, "first"));
  const second = keyOf(store, "second");
  store.hide(second);
  store.remove(second);
  release();
  await settled(store);
  expect(service.titles()).toEqual(["first"]);
  expect(service.calls.slice(1)).toEqual(["create first", "create second", "complete", "delete"]);
  expect(store.lists.count(viewOf("status=done"))).toEqual({ known: 1, more: false });
});

test("what was checked off stays in sight until the list is shown anew", async ({
  service,
  store,
}) => {
  service.has("milk");
  await store.lists.show(OPEN, 1);
  store.complete(keyOf(store, "milk"));
  expect(titles(store)).toEqual(["milk"]);
  expect(store.lists.count(OPEN)?.known).toBe(0);
  await settled(store);
  await store.lists.show(OPEN, 1);
  expect(titles(store)).toEqual([]);
});

test("what the service refused is taken back and said", async ({ service, said, store }) => {
  service.has("milk");
  await store.lists.show(OPEN, 1);
  service.failNext(refusal(Code.Internal, "INTERNAL", "A fault of ours.", { requestId: "r-1" }));
  store.complete(keyOf(store, "milk"));
  expect(store.lists.rows(OPEN)[0]?.task.status).toBe(TaskStatus.DONE);
  await settled(store);
  expect(store.lists.rows(OPEN)[0]?.task.status).toBe(TaskStatus.OPEN);
  expect(said.refused).toMatchObject([{ title: "milk", failure: { requestId: "r-1" } }]);
});

test("a refused new task goes back to where it was typed", async ({ service, said, store }) => {
  await store.lists.show(OPEN, 1);
  service.failNext(refusal(Code.InvalidArgument, "FIELD_INVALID", "Too long."));
  store.add(typed("a title that is too long"));
  await settled(store);
  expect(titles(store)).toEqual([]);
  expect(store.newTitle.value).toBe("a title that is too long");
  expect(said.refused).toHaveLength(1);
});

test("a refused edit opens again with what was typed and what is wrong with it", async ({
  service,
  store,
}) => {
  service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, { ...typed(" "), notes: "two litres" });
  store.save(key);
  await settled(store);
  const draft = store.drafts.value.get(key);
  expect(draft?.values).toMatchObject({ title: " ", notes: "two litres" });
  expect(draft?.faults).toEqual([{ field: "task.title", message: "A task needs a title." }]);
  expect(titles(store)).toEqual(["milk"]);
});

test("nothing that was not changed is written", async ({ service, store }) => {
  service.has("milk");
  await store.lists.show(OPEN, 1);
  store.draft(keyOf(store, "milk"));
  store.save(keyOf(store, "milk"));
  expect(store.drafts.value.size).toBe(0);
  expect(store.outbox.waiting.value).toBe(0);
});

test("two people change the same field: both versions, and mine if I say so", async ({
  service,
  store,
}) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, typed("mine"));
  service.put({ ...milk, title: "theirs" });
  store.save(key);
  await settled(store);
  expect(store.conflicts.value).toMatchObject([
    { theirs: { title: "theirs" }, mine: { title: "mine" }, paths: ["title"] },
  ]);
  expect(titles(store)).toEqual(["theirs"]);
  store.decide(true);
  await settled(store);
  expect(service.titles()).toEqual(["mine"]);
  expect(store.conflicts.value).toEqual([]);
});

test("two people change the same field: theirs if I say so", async ({ service, store }) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, typed("mine"));
  service.put({ ...milk, title: "theirs" });
  store.save(key);
  await settled(store);
  store.decide(false);
  await settled(store);
  expect(titles(store)).toEqual(["theirs"]);
});

test("two people change different fields: both changes stay, and nobody is asked", async ({
  service,
  store,
}) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, typed("oat milk"));
  service.put({ ...milk, notes: "two litres" });
  store.save(key);
  await settled(store);
  expect(store.conflicts.value).toEqual([]);
  expect(store.lists.rows(OPEN)[0]?.task).toMatchObject({
    title: "oat milk",
    notes: "two litres",
  });
});

test("one's own check is no conflict with one's own edit", async ({ service, store }) => {
  service.has("milk");
  await store.lists.show(EVERY, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.complete(key);
  store.draft(key, typed("oat milk"));
  store.save(key);
  await settled(store);
  expect(store.conflicts.value).toEqual([]);
  const [row] = store.lists.rows(EVERY);
  expect(row?.task).toMatchObject({ title: "oat milk", status: TaskStatus.DONE });
});

test("an edited task that was deleted elsewhere can be made again", async ({
  service,
  said,
  store,
}) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, typed("oat milk"));
  service.loses(milk);
  store.save(key);
  await settled(store);
  expect(titles(store)).toEqual([]);
  said.vanished[0]?.again?.();
  await settled(store);
  expect(service.titles()).toEqual(["oat milk"]);
});

test("E2: writes wait for a service that does not answer, and go out once and in order", async ({
  service,
  said,
  store,
}) => {
  await store.lists.show(OPEN, 1);
  service.loseNext("request");
  store.add(typed("first"));
  store.add(typed("second"));
  await expect.poll(() => link.value).toBe("down");
  expect(nextTry.value).toBeGreaterThan(0);
  expect(store.outbox.waiting.value).toBe(2);
  expect(titles(store)).toEqual(["second", "first"]);
  tryNow();
  await settled(store);
  expect(link.value).toBe("up");
  expect(service.titles()).toEqual(["second", "first"]);
  expect(said.refused).toEqual([]);
});

test("a write whose answer was lost is not made twice", async ({ service, store }) => {
  await store.lists.show(OPEN, 1);
  service.loseNext("answer");
  store.add(typed("milk"));
  await expect.poll(() => link.value).toBe("down");
  expect(service.titles()).toEqual(["milk"]);
  tryNow();
  await settled(store);
  expect(service.titles()).toEqual(["milk"]);
  expect(titles(store)).toEqual(["milk"]);
});

test("offline is not the service's fault, and ends with the network", async ({
  service,
  store,
}) => {
  await store.lists.show(OPEN, 1);
  plugIn(false);
  expect(link.value).toBe("offline");
  service.loseNext("request");
  store.add(typed("typed in a tunnel"));
  await expect.poll(() => nextTry.value).toBeGreaterThan(0);
  expect(link.value).toBe("offline");
  plugIn(true);
  await settled(store);
  expect(service.titles()).toEqual(["typed in a tunnel"]);
});

test("E1: without a session writes wait, and go on with the next one", async ({
  service,
  store,
}) => {
  await store.lists.show(OPEN, 1);
  service.failNext(refusal(Code.Unauthenticated, "SESSION_REVOKED", "Session expired."));
  store.add(typed("milk"));
  await expect.poll(() => service.calls.at(-1)).toBe("create milk");
  expect(store.outbox.waiting.value).toBe(1);
  await store.outbox.resume();
  await settled(store);
  expect(service.titles()).toEqual(["milk"]);
});

test("a closed store writes nothing any more", async ({ service, store }) => {
  await store.lists.show(OPEN, 1);
  service.loseNext("request");
  store.add(typed("secret"));
  await expect.poll(() => nextTry.value).toBeGreaterThan(0);
  store.close();
  tryNow();
  await store.outbox.resume();
  expect(service.titles()).toEqual([]);
});

test("a deletion that is undone makes no call; one that is refused comes back", async ({
  service,
  said,
  store,
}) => {
  service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.hide(key);
  expect(titles(store)).toEqual([]);
  store.restore(key);
  expect(titles(store)).toEqual(["milk"]);
  expect(service.calls).not.toContain("delete");
  service.failNext(refusal(Code.PermissionDenied, "NOT_YOURS", "Not yours."));
  store.hide(key);
  store.remove(key);
  await settled(store);
  expect(titles(store)).toEqual(["milk"]);
  expect(said.refused).toHaveLength(1);
});

test("a new task that others tell of before its own answer is there once", async ({
  service,
  store,
}) => {
  await store.lists.show(OPEN, 1);
  const key = store.entries.enter(create(TaskSchema, { title: "milk", status: TaskStatus.OPEN }));
  const made = service.has("milk");
  store.entries.merge(made);
  const renamed = service.put({ ...made, title: "oat milk" });
  store.entries.merge(renamed);
  store.entries.made(key, made);
  expect(titles(store)).toEqual(["oat milk"]);
  expect(store.entries.keyOf(made.name)).toBe(key);
});
