// What others change on the page, as the client tells it.

import { plugIn } from "./support/browser.ts";
import { expect, test as base } from "@playwright/test";
import {
  type Change,
  Code,
  create,
  type FollowOptions,
  type Task,
  TaskSchema,
  TaskStatus,
} from "duet-client";
import { tryNow } from "../src/link.ts";
import { news, reconnecting } from "../src/live.ts";
import { Feed } from "../src/tasks/feed.ts";
import { TaskStore } from "../src/tasks/store.ts";
import { OWNER, Service } from "./support/service.ts";
import { keyOf, settled, titles, typed } from "./support/store.ts";

class Page {
  readonly service = new Service();
  readonly feed: Feed;
  readonly store: TaskStore;
  readonly vanished: string[] = [];
  /** What the client was asked to follow, one after the other. */
  readonly followed: FollowOptions[] = [];
  readonly told: Change[] = [];
  loads = 0;
  wakes = 0;
  changes: boolean[] = [];

  constructor() {
    const { client } = this.service;
    const tasks = {
      ...client,
      listTasks: async (...call: Parameters<typeof client.listTasks>) => {
        const answer = await client.listTasks(...call);
        return { ...answer, syncToken: `after ${this.service.calls.length}` };
      },
    };
    const followTasks = (options: FollowOptions) => {
      this.followed.push(options);
      return { wake: () => void (this.wakes += 1) };
    };
    this.feed = new Feed({ tasks, followTasks });
    this.store = new TaskStore(
      OWNER,
      { tasks: this.feed.tasks, lists: this.service.lists },
      {
        refused: () => undefined,
        vanished: (title) => this.vanished.push(title),
        ask: () => undefined,
        again: () => undefined,
      },
    );
    this.feed.fill(this.store);
    this.feed.lists = { take: (change) => this.told.push(change), load: () => (this.loads += 1) };
    this.feed.changed = (all) => this.changes.push(all);
  }

  tell(...changes: Change[]): void {
    const revision = changes.at(-1)?.revision ?? 0n;
    const token = `r${revision}`;
    this.followed.at(-1)?.told({ changes, whole: false, current: false, token });
  }

  tellAll(...changes: Change[]): void {
    this.followed.at(-1)?.told({ changes, whole: true, current: true, token: "all" });
  }

  close(): void {
    this.feed.close();
    this.store.close();
    plugIn(true);
    tryNow();
  }
}

const changed = (task: Task) =>
  ({ revision: task.revision, resource: { case: "task", value: task } }) as Change;

const removed = ({ name }: Task, revision: bigint) =>
  ({ revision, resource: { case: "removedTask", value: name } }) as Change;

const test = base.extend<{ page: Page }>({
  page: async ({}, use) => {
    const page = new Page();
    await use(page);
    page.close();
    expect(news.value).toBe("");
  },
});

test("the feed begins where the first list was read", async ({ page }) => {
  page.service.has("One");
  page.feed.follow();
  expect(page.followed).toHaveLength(0);
  await page.store.lists.refresh();
  expect(page.followed.map(({ from }) => from)).toEqual(["after 1"]);
  expect(page.loads).toBe(1);
  await page.store.lists.refresh();
  page.feed.follow();
  expect(page.followed).toHaveLength(1);
});

test("what others write, make and delete is on the screen", async ({ page }) => {
  const [one, two] = [page.service.has("One"), page.service.has("Two")];
  await page.store.lists.refresh();
  page.tell(changed(page.service.put({ ...one, title: "First" })));
  expect(titles(page.store)).toEqual(["Two", "First"]);
  page.tell(changed(page.service.has("Three")), removed(two, 4n));
  expect(titles(page.store)).toEqual(["Three", "First"]);
  page.tell(changed({ ...two, revision: 5n, title: "Back from the bin" }));
  expect(titles(page.store)).toEqual(["Three", "Back from the bin", "First"]);
  await expect.poll(() => news.value).toBe("3 tasks changed elsewhere.");
});

test("one change is said as one", async ({ page }) => {
  const one = page.service.has("One");
  await page.store.lists.refresh();
  page.tell(changed(page.service.put({ ...one, title: "First" })));
  page.tell(changed(page.service.put({ ...one, title: "First of all" })));
  await expect.poll(() => news.value).toBe("1 task changed elsewhere.");
});

test("an answer that is older than a removal does not bring the task back", async ({ page }) => {
  const one = page.service.has("One");
  const two = page.service.has("Two");
  await page.store.lists.refresh();
  for (const task of [one, two]) page.tell(removed(task, 9n));
  await page.store.lists.refresh();
  expect(titles(page.store)).toEqual([]);
});

test("a removal that is older than what is known removes nothing", async ({ page }) => {
  const one = page.service.has("One");
  page.service.put({ ...one, title: "Again" });
  await page.store.lists.refresh();
  page.tell(removed(one, 1n));
  expect(titles(page.store)).toEqual(["Again"]);
});

test("a task that was deleted elsewhere can be seen in the bin", async ({ page }) => {
  const one = page.service.has("One");
  await page.store.lists.refresh();
  page.tell(removed(one, 2n));
  page.store.entries.merge({ ...one, revision: 2n, title: "In the bin" });
  page.tell(removed(one, 2n));
  expect(titles(page.store)).toEqual(["In the bin"]);
});

test("one's own writes are not said, whichever comes first", async ({ page }) => {
  const { service, store } = page;
  service.has("One");
  await store.lists.refresh();
  const said: string[] = [];
  const stop = news.subscribe((text) => said.push(text));

  // The feed is faster than the answer.
  const release = service.holdNext();
  store.complete(keyOf(store, "One"));
  const done = store.entries.truth(keyOf(store, "One"));
  page.tell({ ...changed({ ...(done as Task), status: TaskStatus.DONE, revision: 2n }) });
  release();
  await settled(store);
  // The answer is faster than the feed.
  store.reopen(keyOf(store, "One"));
  await settled(store);
  const now = store.entries.truth(keyOf(store, "One")) as Task;
  page.tell(changed(now));
  // What a deletion takes along is not said either.
  store.hide(keyOf(store, "One"));
  page.tell(removed(now, 9n), changed(create(TaskSchema, { name: "other", revision: 10n })));

  // Somebody else's is said, and nothing before it was.
  page.tell(changed(create(TaskSchema, { name: "news", title: "News", revision: 11n })));
  await expect.poll(() => news.value).toBe("1 task changed elsewhere.");
  expect(said.filter(Boolean)).toEqual(["1 task changed elsewhere."]);
  stop();
});

test("a task that is being made is there once, though the feed is faster", async ({ page }) => {
  const { service, store } = page;
  service.has("One");
  await store.lists.refresh();
  let seen = 0;
  const stop = store.entries.changed.subscribe(() => {
    seen = Math.max(seen, titles(store).filter((title) => title === "Mine").length);
  });
  service.loseNext("answer");
  store.add(typed("Mine"));
  await expect.poll(() => service.titles()).toContain("Mine");
  const made = service.task("Mine") as Task;
  page.tell(changed(made));
  expect(titles(store)).toEqual(["Mine", "One"]);
  tryNow();
  await settled(store);
  expect(titles(store)).toEqual(["Mine", "One"]);
  // What was held back is put in now.
  page.tell(changed({ ...made, title: "Ours", revision: 3n }));
  expect(titles(store)).toEqual(["Ours", "One"]);
  expect(seen).toBe(1);
  stop();
});

test("what is being typed into is left alone until one is through", async ({ page }) => {
  const { service, store } = page;
  const one = service.has("One");
  await store.lists.refresh();
  const key = keyOf(store, "One");
  store.draft(key, { ...typed("Mine"), notes: "" });
  page.tell(changed(service.put({ ...one, title: "Theirs", status: TaskStatus.DONE })));
  expect(titles(store)).toEqual(["One"]);
  expect(store.drafts.value.get(key)?.values.title).toBe("Mine");
  store.discard(key);
  await expect.poll(() => store.entries.truth(key)?.title).toBe("Theirs");
  expect(titles(store)).toEqual([]);
});

test("saving what others changed as well leads to the choice", async ({ page }) => {
  const { service, store } = page;
  const one = service.has("One");
  await store.lists.refresh();
  const key = keyOf(store, "One");
  store.draft(key, { ...typed("Mine"), notes: "" });
  page.tell(changed(service.put({ ...one, title: "Theirs" })));
  store.save(key);
  await expect.poll(() => store.conflicts.value.length).toBe(1);
  expect(store.conflicts.value[0]).toMatchObject({ theirs: { title: "Theirs" } });
});

test("a task that is deleted while one types into it can be added again", async ({ page }) => {
  const { service, store } = page;
  const one = service.has("One");
  await store.lists.refresh();
  store.draft(keyOf(store, "One"), typed("What I typed"));
  page.tell(removed(one, 2n));
  expect(titles(store)).toEqual(["One"]);
  store.discard(keyOf(store, "One"));
  await expect.poll(() => titles(store)).toEqual([]);
});

test("all there is replaces all that was known", async ({ page }) => {
  const { service, store } = page;
  const [one, two] = [service.has("One"), service.has("Two")];
  const three = service.put({ ...service.has("Three"), title: "Three, much later" });
  await store.lists.refresh();
  page.tell(removed(two, 9n));
  const seen: string[][] = [];
  const stop = store.entries.changed.subscribe(() => seen.push(titles(store)));
  // The service was restored from a copy: what is there is older than what was told.
  const restored = { ...three, title: "Three", revision: 3n };
  page.tellAll(
    changed(two),
    changed(restored),
    changed(create(TaskSchema, { ...one, revision: 9n })),
  );
  expect(titles(store)).toEqual(["Three", "One"]);
  page.tellAll(changed({ ...one, title: "Alone", revision: 10n }));
  expect(titles(store)).toEqual(["Alone"]);
  // At no time was there nothing.
  expect(seen.every((shown) => shown.length > 0)).toBe(true);
  await expect.poll(() => page.changes).toEqual([true]);
  expect(page.loads).toBe(3);
  stop();
});

test("what comes within a moment is told of once", async ({ page }) => {
  const one = page.service.has("One");
  await page.store.lists.refresh();
  for (const title of ["First", "Second", "Third"]) {
    page.tell(changed(page.service.put({ ...one, title })));
  }
  page.tell();
  expect(page.changes).toEqual([]);
  await expect.poll(() => page.changes).toEqual([false]);
});

test("changes of lists go to whoever keeps them", async ({ page }) => {
  await page.store.lists.refresh();
  const list = { name: "users/me/lists/1", title: "Garden" };
  const change = { revision: 1n, resource: { case: "list", value: list } } as Change;
  page.tell(change);
  expect(page.told).toEqual([change]);
});

test("a stream that is away for two seconds is said to be, until it is back", async ({ page }) => {
  await page.store.lists.refresh();
  const [followed] = page.followed;
  followed?.lost?.();
  expect(reconnecting.value).toBe(false);
  await expect.poll(() => reconnecting.value).toBe(true);
  page.tell();
  expect(reconnecting.value).toBe(false);
});

test("when others are answered again, the stream is tried at once", async ({ page }) => {
  const { service, store } = page;
  await store.lists.refresh();
  page.followed[0]?.lost?.();
  service.loseNext("request");
  const reading = store.lists.refresh();
  await expect.poll(() => page.wakes).toBe(0);
  tryNow();
  await reading;
  expect(page.wakes).toBe(1);
});

test("who signs in again goes on from the last token", async ({ page }) => {
  await page.store.lists.refresh();
  page.tell(changed(page.service.has("One")));
  const failure = { code: Code.Unauthenticated, message: "", fields: [], metadata: {} };
  page.followed[0]?.ended?.({ ...failure, unreachable: false });
  page.feed.follow();
  expect(page.followed.map(({ from }) => from)).toEqual(["after 1", "r1"]);
});
