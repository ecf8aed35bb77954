// A store on a service in memory, and what it had to say.

import { plugIn } from "./browser.ts";
import { expect, test as base } from "@playwright/test";
import type { Failure } from "duet-client";
import { tryNow } from "../../src/link.ts";
import type { Values } from "../../src/tasks/draft.ts";
import type { Filter } from "../../src/tasks/pages.ts";
import { TaskStore } from "../../src/tasks/store.ts";
import { OWNER, Service } from "./service.ts";

interface Said {
  refused: { failure: Failure; title: string }[];
  vanished: { title: string; again: (() => void) | undefined }[];
}

export const test = base.extend<{ service: Service; said: Said; store: TaskStore }>({
  service: async ({}, use) => use(new Service()),
  said: async ({}, use) => use({ refused: [], vanished: [] }),
  store: async ({ service, said }, use) => {
    const store = new TaskStore(OWNER, service.client, {
      refused: (failure, title) => said.refused.push({ failure, title }),
      vanished: (title, again) => said.vanished.push({ title, again }),
    });
    await use(store);
    store.close();
    plugIn(true);
    tryNow();
  },
});

export const typed = (title: string): Values => ({ title, notes: "", date: "", time: "" });

export function titles(store: TaskStore, filter: Filter = "open"): string[] {
  return store.lists.rows(filter).map(({ task }) => task.title);
}

export function keyOf(store: TaskStore, title: string): string {
  const row = store.entries.rows().find(({ task }) => task.title === title);
  return row?.key ?? "no such row";
}

/** Everything that was written has been answered. */
export async function settled(store: TaskStore): Promise<void> {
  await expect.poll(() => store.outbox.waiting.value).toBe(0);
}
