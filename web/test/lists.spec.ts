// What is loaded, against a service in memory: other devices, pages, failures.

import { expect } from "@playwright/test";
import { keyOf, OPEN, settled, test, titles, typed } from "./support/store.ts";
import { tryNow } from "../src/link.ts";
import { viewOf } from "../src/tasks/view.ts";

test("what other devices did appears with the next look", async ({ service, store }) => {
  const milk = service.has("milk");
  const bread = service.has("bread");
  await store.lists.show(OPEN, 1);
  service.put({ ...milk, title: "oat milk" });
  service.loses(bread);
  service.has("butter");
  await store.lists.refresh(OPEN);
  expect(titles(store)).toEqual(["butter", "oat milk"]);
});

test("what others change is looked for again where only the service can judge", async ({
  service,
  store,
}) => {
  const found = viewOf("q=milk");
  const milk = service.has("milk");
  await store.lists.show(found, 1);
  expect(titles(store, found)).toEqual(["milk"]);
  const oat = service.has("oat milk");
  store.entries.merge(oat);
  store.entries.merge(service.put({ ...milk, title: "bread" }));
  await store.lists.heard(false);
  expect(titles(store, found)).toEqual(["oat milk"]);
  // Where the page can judge by itself, nothing is read again.
  await store.lists.show(OPEN, 1);
  const before = service.calls.filter((call) => call.startsWith("list")).length;
  await store.lists.heard(false);
  expect(service.calls.filter((call) => call.startsWith("list")).length).toBe(before);
});

test("an answer older than what is known changes nothing", async ({ service, store }) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  store.entries.merge(service.put({ ...milk, title: "newest" }));
  store.entries.merge(milk);
  expect(titles(store)).toEqual(["newest"]);
});

test("a look that began before a write does not undo it", async ({ service, store }) => {
  await store.lists.show(OPEN, 1);
  const release = service.holdNext();
  const looking = store.lists.refresh(OPEN);
  await expect.poll(() => service.calls.length).toBe(2);
  store.add(typed("new"));
  await settled(store);
  release();
  await looking;
  expect(titles(store)).toEqual(["new"]);
});

test("what is being typed into a task that disappears is not lost", async ({
  service,
  said,
  store,
}) => {
  const milk = service.has("milk");
  await store.lists.show(OPEN, 1);
  const key = keyOf(store, "milk");
  store.draft(key);
  store.draft(key, typed("half typed"));
  service.loses(milk);
  await store.lists.refresh(OPEN);
  expect(titles(store)).toEqual([]);
  said.vanished[0]?.again?.();
  await settled(store);
  expect(service.titles()).toEqual(["half typed"]);
});

test("a list is read page by page, each task once, and counted as the service counts", async ({
  service,
  store,
}) => {
  for (let n = 0; n < 120; n += 1) service.has(`task ${n}`);
  await store.lists.show(OPEN, 1);
  expect(titles(store)).toHaveLength(50);
  const count = { known: 120, more: false };
  await expect.poll(() => store.lists.count(OPEN)).toEqual(count);
  expect(store.lists.complete(OPEN)).toBe(false);
  service.has("came meanwhile");
  await store.lists.more(OPEN);
  await store.lists.more(OPEN);
  expect(new Set(titles(store)).size).toBe(120);
  expect(store.lists.complete(OPEN)).toBe(true);
  await store.lists.refresh(OPEN);
  expect(titles(store)).toHaveLength(121);
});

test("a place far down is reached in as few calls as there are 500 tasks", async ({
  service,
  store,
}) => {
  for (let n = 0; n < 1200; n += 1) service.has(`task ${n}`);
  await store.lists.show(OPEN, 20);
  expect(titles(store)).toHaveLength(1000);
  const lists = service.calls.filter((call) => call.startsWith("list status = OPEN"));
  expect(lists).toHaveLength(3);
});

test("a list that cannot be read says why, and heals by itself", async ({ service, store }) => {
  service.has("milk");
  service.loseNext("request");
  const showing = store.lists.show(OPEN, 1);
  await expect.poll(() => store.lists.failure.value?.unreachable).toBe(true);
  expect(store.lists.begun(OPEN)).toBe(false);
  tryNow();
  await showing;
  expect(store.lists.failure.value).toBeUndefined();
  expect(titles(store)).toEqual(["milk"]);
});
