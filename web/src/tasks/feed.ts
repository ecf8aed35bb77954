// What others change, as they change it: told by the client, put into the
// entries, and said aloud in few words. The feed begins where the first list
// was read, so nothing is read twice and nothing lies between.
//
// What a person types is never touched: a task that is being edited, and one
// that may be the person's own and has no name yet, wait until that is over.

import { batch, effect, type ReadonlySignal } from "@preact/signals";
import { type Change, type Client, Code, type Duet, type Task } from "duet-client";
import type { TaskService, Told } from "duet-client";
import { link, persist, tryNow } from "../link.ts";
import { announce, find, hush, lose } from "../live.ts";
import type { Entries } from "./entries.ts";

/** What the feed is put into. */
interface Store {
  readonly entries: Entries;
  /** By the keys of the tasks that are being edited. */
  readonly drafts: ReadonlySignal<ReadonlyMap<string, unknown>>;
  /** Takes that a task is gone; only what is newer brings it back. */
  gone(key: string, revision: bigint): void;
}

/** Who knows the lists. */
interface Lists {
  take(change: Change): void;
  load(): unknown;
}

/** How long changes are gathered before `changed` hears of them. */
const GATHER_MS = 500;

/** What a change is to the person: made by them or seen already, somebody else's, or no task's. */
type Verdict = "known" | "news" | "none";

export class Feed {
  /** The calls to tasks for the store; the first list says where the feed begins. */
  readonly tasks: Client<typeof TaskService>;
  /** Who is told what changed of lists. */
  lists: Lists | undefined;
  /** Hears soon that something was told; if `all`, everything may be different. */
  changed: (all: boolean) => void = () => undefined;
  readonly #duet: Pick<Duet, "tasks" | "followTasks">;
  readonly #closed = new AbortController();
  /** At which revision tasks were told to be gone; an older answer does not bring them back. */
  readonly #removed = new Map<string, bigint>();
  /** What waits until nobody types, by the names of the tasks. */
  readonly #held = new Map<string, Change>();
  #store: Store | undefined;
  #token = "";
  #following: { wake: () => void } | undefined;
  #isLost = false;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #all = false;

  constructor(duet: Pick<Duet, "tasks" | "followTasks">) {
    this.#duet = duet;
    this.tasks = {
      ...duet.tasks,
      listTasks: async (...call) => {
        const answer = await duet.tasks.listTasks(...call);
        const isThere = ({ name, revision }: Task): boolean =>
          (this.#removed.get(name) ?? 0n) <= revision;
        answer.tasks = answer.tasks.filter(isThere);
        this.#begin(answer.syncToken);
        return answer;
      },
    };
  }

  /** Puts what is told into this store from now on. */
  fill(store: Store): void {
    this.#store = store;
    const stops = [
      effect(() => {
        if (link.value === "up" && this.#isLost) this.#following?.wake();
      }),
      effect(() => {
        void store.drafts.value;
        void store.entries.changed.value;
        if (this.#held.size > 0) queueMicrotask(() => this.#release());
      }),
    ];
    this.#closed.signal.addEventListener("abort", () => stops.forEach((stop) => stop()));
  }

  /** Goes on, as after a session that was over; before the first list was read it waits for that. */
  follow(): void {
    if (!this.#token || this.#following || this.#closed.signal.aborted) return;
    this.#following = this.#duet.followTasks({
      from: this.#token,
      signal: this.#closed.signal,
      told: (told) => this.#take(told),
      lost: () => {
        this.#isLost = true;
        lose();
      },
      ended: ({ code, message }) => {
        this.#following = undefined;
        find();
        // Whoever signs in again goes on.
        if (code !== Code.Unauthenticated) {
          console.info(`What others change is not told any more: ${message}`);
        }
      },
    });
  }

  /** Begins where no list is read: the end of the session is heard of here, too. */
  async begin(): Promise<void> {
    if (this.#token) return;
    const { signal } = this.#closed;
    // Whoever wants to see tasks reads them, and hears what is wrong.
    await persist(() => this.tasks.listTasks({ pageSize: 1 }), { signal }).catch(() => undefined);
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#soon);
    hush();
  }

  #begin(token: string): void {
    if (this.#token || !token) return;
    this.#token = token;
    // Lists that were read before might have changed since; what changes from here on is told.
    void this.lists?.load();
    this.follow();
  }

  #take({ changes, whole, token }: Told): void {
    const store = this.#store;
    this.#token = token;
    this.#found();
    if (!store || (!whole && changes.length === 0)) return;
    // Looked up once: there may be thousands of both.
    const making = isMaking(store);
    const verdicts = batch(() => {
      if (whole) this.#forget(store, changes);
      return changes.map((change) => this.#apply(store, change, making));
    });
    // What a write of the person's own brings about elsewhere comes along with it.
    const isNews = (_: Change, at: number): boolean => verdicts[at] === "news";
    if (!verdicts.includes("known")) announce(changes.filter(isNews).map(nameOf));
    if (whole) void this.lists?.load();
    this.#all ||= whole;
    this.#soon ??= setTimeout(() => this.#tell(), GATHER_MS);
  }

  /** Tells of what came within a moment at once. */
  #tell(): void {
    const all = this.#all;
    this.#soon = undefined;
    this.#all = false;
    this.changed(all);
  }

  /** Drops what is not in a whole, and what is older there: the service went back in time. */
  #forget({ entries, gone }: Store, changes: readonly Change[]): void {
    const there = new Map(changes.map((change) => [nameOf(change), change.revision]));
    this.#removed.clear();
    this.#held.clear();
    const dropped = new Map<string, string>();
    entries.drop(entries.now, ({ name, revision }) => {
      const isOver = (there.get(name) ?? -1n) < revision;
      const key = entries.keyOf(name);
      if (isOver && !there.has(name) && key !== undefined) dropped.set(name, key);
      return isOver;
    });
    for (const key of dropped.values()) gone(key, 0n);
  }

  #apply(store: Store, change: Change, making: boolean): Verdict {
    const { resource } = change;
    if (resource.case !== "task" && resource.case !== "removedTask") {
      this.lists?.take(change);
      return "none";
    }
    const name = nameOf(change);
    const verdict = verdictOf(store, change, making);
    this.#held.delete(name);
    if (isBusy(store, name, making)) this.#held.set(name, change);
    else this.#put(store, change);
    return verdict;
  }

  #put({ entries, gone }: Store, { resource, revision }: Change): void {
    if (resource.case === "task") entries.merge(resource.value);
    if (resource.case !== "removedTask") return;
    this.#removed.set(resource.value, revision);
    const key = entries.keyOf(resource.value);
    const known = key === undefined ? undefined : entries.truth(key);
    // In the bin it lies with this revision itself, and may be brought back.
    if (key !== undefined && known && known.revision < revision) gone(key, revision - 1n);
  }

  /** Puts in what waited for the person, as far as the person is through with it. */
  #release(): void {
    const store = this.#store;
    if (!store) return;
    const making = isMaking(store);
    batch(() => {
      for (const [name, change] of [...this.#held]) {
        if (isBusy(store, name, making)) continue;
        this.#held.delete(name);
        this.#put(store, change);
      }
    });
  }

  #found(): void {
    this.#isLost = false;
    find();
    // Somebody answered: whoever waits for that need not wait longer.
    if (link.peek() === "down") tryNow();
  }
}

function nameOf({ resource }: Change): string {
  if (typeof resource.value === "string") return resource.value;
  return resource.value?.name ?? "";
}

function verdictOf({ entries }: Store, change: Change, making: boolean): Verdict {
  const key = entries.keyOf(nameOf(change));
  // One that is being made has no name yet: this may be it.
  if (key === undefined && change.resource.case === "task") return making ? "known" : "news";
  if (key === undefined) return "none";
  const row = entries.row(key);
  const seen = (entries.truth(key)?.revision ?? 0n) >= change.revision;
  // What is not shown was deleted here, what waits was changed here.
  return seen || !row || row.waiting ? "known" : "news";
}

/** Whether putting in a change now would take something from under the person's hands. */
function isBusy({ entries, drafts }: Store, name: string, making: boolean): boolean {
  const key = entries.keyOf(name);
  return key === undefined ? making : drafts.peek().has(key);
}

/** Whether a task is on its way to the service, which does not have a name yet. */
function isMaking({ entries }: Store): boolean {
  return entries.rows().some(({ task }) => task.name === "");
}
