// A store on a service in memory, and what it had to say.

import { plugIn } from "./browser.ts";
import { expect, test as base } from "@playwright/test";
import { create, type Failure, type Task, TaskSchema } from "duet-client";
import { tryNow } from "../../src/link.ts";
import { type Values, valuesOf } from "../../src/tasks/draft.ts";
import { viewOf } from "../../src/tasks/view.ts";
import { TaskStore } from "../../src/tasks/store.ts";
import { OWNER, Service } from "./service.ts";

interface Said {
  refused: { failure: Failure; title: string }[];
  vanished: { title: string; again: (() => void) | undefined }[];
  asked: { question: string; yes: () => void }[];
  again: Task[];
}

export const test = base.extend<{ service: Service; said: Said; store: TaskStore }>({
  service: async ({}, use) => use(new Service()),
  said: async ({}, use) => use({ refused: [], vanished: [], asked: [], again: [] }),
  store: async ({ service, said }, use) => {
    const api = { tasks: service.client, lists: service.lists };
    const store = new TaskStore(OWNER, api, {
      refused: (failure, title) => said.refused.push({ failure, title }),
      vanished: (title, again) => said.vanished.push({ title, again }),
      ask: (question, _answer, yes) => said.asked.push({ question, yes }),
      again: (next) => said.again.push(next),
    });
    await use(store);
    store.close();
    plugIn(true);
    tryNow();
  },
});

export const typed = (title: string): Values => valuesOf(create(TaskSchema, { title }));

/** Everything that is open, and everything. */
export const OPEN = viewOf("");
export const EVERY = viewOf("status=all");

export function titles(store: TaskStore, view = OPEN): string[] {
  return store.lists.rows(view).map(({ task }) => task.title);
}

export function keyOf(store: TaskStore, title: string): string {
  const row = store.entries.rows().find(({ task }) => task.title === title);
  return row?.key ?? "no such row";
}

/** Everything that was written has been answered. */
export async function settled(store: TaskStore): Promise<void> {
  await expect.poll(() => store.outbox.waiting.value).toBe(0);
}
