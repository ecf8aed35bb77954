// The three lists, loaded page by page and read again when others may have
// changed them. What a live feed brings goes into the entries directly and
// needs nothing from here.

import { batch, signal } from "@preact/signals";
import { type Client, type Failure, failureOf, type TaskService } from "duet-client";
import { link, persist } from "../link.ts";
import type { Entries, Row } from "./entries.ts";
import { type Filter, matches, PAGE, Pages } from "./pages.ts";

/** A part of a list that stays together. */
export interface Piece {
  readonly key: string;
  readonly rows: readonly Row[];
}

export interface Count {
  readonly known: number;
  /** Whether there may be more than is known. */
  readonly more: boolean;
}

export class Lists {
  readonly loading = signal(false);
  /** Why the last attempt to load failed, as long as none has succeeded since. */
  readonly failure = signal<Failure | undefined>(undefined);
  readonly #entries: Entries;
  readonly #api: Client<typeof TaskService>;
  readonly #closed: AbortSignal;
  readonly #pages = { open: new Pages("open"), done: new Pages("done"), all: new Pages("all") };
  /** Keys that stay in the list on the screen although they left it by a change made here. */
  readonly #kept = new Set<string>();
  readonly #gone: (key: string) => void;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    entries: Entries,
    api: Client<typeof TaskService>,
    closed: AbortSignal,
    gone: (key: string) => void,
  ) {
    this.#entries = entries;
    this.#api = api;
    this.#closed = closed;
    this.#gone = gone;
  }

  /** The rows of a list, newest first, as far as it is loaded. */
  rows(filter: Filter): Row[] {
    const pages = this.#pages[filter];
    const shown = ({ key, task }: Row): boolean =>
      (matches(filter, task) || this.#kept.has(key)) && pages.reach(task.name);
    return this.#entries.rows().filter(shown);
  }

  /** The rows in pieces of about a page, each under a name that it keeps. */
  pieces(filter: Filter): Piece[] {
    const pieces: Piece[] = [];
    const { ends } = this.#pages[filter];
    let rows: Row[] = [];
    let at = 0;
    const finish = (): void => {
      if (rows.length > 0) pieces.push({ key: ends[at] ?? "", rows });
      rows = [];
      at += 1;
    };
    for (const row of this.rows(filter)) {
      // A task without a name is above every end.
      while (row.task.name !== "" && row.task.name < (ends[at] ?? "")) finish();
      rows.push(row);
    }
    finish();
    return pieces;
  }

  /** How many tasks a list has; unknown before it was read. */
  count(filter: Filter): Count | undefined {
    const rows = this.#entries.rows();
    const { all, open, done } = this.#pages;
    const whole = all.complete || (open.complete && done.complete);
    if (!this.#pages[filter].begun && !whole) return undefined;
    const known = rows.filter(({ task }) => matches(filter, task)).length;
    return { known, more: !whole && !this.#pages[filter].complete };
  }

  begun(filter: Filter): boolean {
    void this.#entries.changed.value;
    return this.#pages[filter].begun;
  }

  complete(filter: Filter): boolean {
    void this.#entries.changed.value;
    return this.#pages[filter].complete;
  }

  /** Has a task stay where it is until a list is shown anew. */
  keep(key: string): void {
    this.#kept.add(key);
  }

  /** Shows a list anew, from its first page down to this one. */
  async show(filter: Filter, page: number): Promise<void> {
    this.#kept.clear();
    this.#entries.changed.value += 1;
    await this.refresh(filter);
    const pages = this.#pages[filter];
    while (!pages.complete && pages.loaded < page * PAGE) {
      if (!(await this.more(filter, page * PAGE - pages.loaded))) return;
    }
  }

  /** Loads what follows; tells whether that went well. */
  more(filter: Filter, rows = PAGE): Promise<boolean> {
    return this.#inTurn(async () => {
      const pages = this.#pages[filter];
      const answer = await this.#api.listTasks(pages.following(rows));
      batch(() => {
        for (const task of answer.tasks) this.#entries.merge(task);
        pages.append(answer);
        this.#entries.changed.value += 1;
      });
    });
  }

  /** Reads again what is loaded of a list, and how many tasks the others have. */
  async refresh(filter: Filter): Promise<boolean> {
    const well = await this.#inTurn(() => this.#read(filter));
    for (const other of ["open", "done"] as const) {
      if (well && other !== filter && link.value === "up") {
        await this.#inTurn(() => this.#read(other));
      }
    }
    return well;
  }

  async #read(filter: Filter): Promise<void> {
    const pages = this.#pages[filter];
    const since = this.#entries.now;
    const answer = await this.#api.listTasks(pages.again());
    batch(() => {
      const there = new Set(answer.tasks.map((task) => task.name));
      const covered = pages.restart(answer);
      const missing = this.#entries.drop(
        since,
        (task) => matches(filter, task) && covered(task.name) && !there.has(task.name),
      );
      for (const key of missing) this.#gone(key);
      for (const task of answer.tasks) this.#entries.merge(task);
      this.#entries.changed.value += 1;
    });
  }

  /** One reading at a time: each begins where the one before ended. */
  #inTurn(read: () => Promise<void>): Promise<boolean> {
    const turn = this.#turn.then(() => this.#load(read));
    this.#turn = turn;
    return turn;
  }

  async #load(read: () => Promise<void>): Promise<boolean> {
    this.loading.value = true;
    try {
      const lost = (failure: Failure): void => void (this.failure.value = failure);
      await persist(read, { lost, signal: this.#closed });
      this.failure.value = undefined;
      return true;
    } catch (error) {
      if (!this.#closed.aborted) this.failure.value = failureOf(error);
      return false;
    } finally {
      this.loading.value = false;
    }
  }
}
