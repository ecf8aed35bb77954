// The views of the tasks that were opened, each loaded page by page and read
// again when others may have changed it. What a live feed brings goes into the
// entries directly and needs nothing from here.

import { batch, signal } from "@preact/signals";
import {
  type Client,
  type Failure,
  failureOf,
  type GetUsageResponse,
  type TaskService,
} from "duet-client";
import { link, persist } from "../link.ts";
import type { Entries, Row } from "./entries.ts";
import { PAGE, Pages } from "./pages.ts";
import { type Node, treeOf } from "./tree.ts";
import { addressOf, ALL, isExact, isPlain, matches, orderOf, type View } from "./view.ts";

/** A part of a list that stays together. */
export interface Piece {
  readonly key: string;
  readonly nodes: readonly Node[];
}

export interface Count {
  readonly known: number;
  /** Whether there may be more than is known. */
  readonly more: boolean;
}

/** How many views are remembered. */
const VIEWS = 24;

export class Lists {
  readonly loading = signal(false);
  /** Why the last attempt to load failed, as long as none has succeeded since. */
  readonly failure = signal<Failure | undefined>(undefined);
  /** How many tasks there are, as the service counts them. */
  readonly usage = signal<GetUsageResponse | undefined>(undefined);
  /** Keys of tasks whose steps are not shown. */
  readonly folded = signal<ReadonlySet<string>>(new Set());
  readonly #entries: Entries;
  readonly #api: Client<typeof TaskService>;
  readonly #closed: AbortSignal;
  readonly #views = new Map<string, Pages>();
  /** Keys that stay in the list on the screen although they left it by a change made here. */
  readonly #kept = new Set<string>();
  readonly #gone: (key: string) => void;
  #shown = ALL;
  #counting = false;
  #uncounted = false;
  #heard = false;
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

  /** The rows of a view in its order, as far as it is loaded. */
  rows(view: View): Row[] {
    const pages = this.#pages(view);
    const shown = (row: Row): boolean =>
      this.#kept.has(row.key) ||
      (matches(view, row.task) &&
        (isExact(view) || row.task.name === "" ? pages.reach(row) : pages.has(row)));
    const rows = this.#entries.rows().filter(shown);
    return rows.sort(orderOf(view));
  }

  /** The rows in pieces of about a page, each under a name that it keeps. */
  pieces(view: View): Piece[] {
    const pages = this.#pages(view);
    const pieces: Piece[] = [];
    let nodes: Node[] = [];
    let at = 0;
    const finish = (): void => {
      if (nodes.length > 0) pieces.push({ key: pages.ends[at]?.key ?? "", nodes });
      nodes = [];
      at += 1;
    };
    for (const group of treeOf(this.rows(view), this.folded.value)) {
      const root = group[0]?.row;
      while (root && pages.isAfter(root, at)) finish();
      nodes.push(...group);
    }
    finish();
    return pieces;
  }

  /** All lines of a view, as far as it is loaded. */
  nodes(view: View): Node[] {
    return treeOf(this.rows(view), this.folded.value).flat();
  }

  /** How many tasks a view has; unknown before it was read. */
  count(view: View): Count | undefined {
    void this.#entries.changed.value;
    const { complete, begun } = this.#pages(view);
    const states = ["all", "open", "done"].map((status) => this.#pages({ ...view, status }));
    const [all, open, done] = states.map((pages) => pages.complete);
    const whole = all || (open && done);
    const usage = isPlain(view) && view.list === "" ? this.usage.value : undefined;
    if (!whole && !complete && usage) {
      const closed = usage.tasks - usage.openTasks;
      const { tasks, openTasks } = usage;
      const known = view.status === "all" ? tasks : view.status === "open" ? openTasks : closed;
      return { known: Number(known), more: false };
    }
    if (!begun && !whole) return undefined;
    const rows = this.#entries.rows();
    const known = rows.filter(({ task }) => matches(view, task)).length;
    return { known, more: !whole && !complete };
  }

  begun(view: View): boolean {
    void this.#entries.changed.value;
    return this.#pages(view).begun;
  }

  complete(view: View): boolean {
    void this.#entries.changed.value;
    return this.#pages(view).complete;
  }

  /** Has a task stay where it is until a view is shown anew. */
  keep(key: string): void {
    this.#kept.add(key);
  }

  /** Shows the steps of a task, or does not; by default the other way round. */
  fold(key: string, away = !this.folded.value.has(key)): void {
    const folded = new Set(this.folded.value);
    if (away) folded.add(key);
    else folded.delete(key);
    this.folded.value = folded;
  }

  /** Shows a view anew, from its first page down to this one. */
  async show(view: View, page: number): Promise<void> {
    this.#shown = view;
    this.#kept.clear();
    this.failure.value = undefined;
    this.#entries.changed.value += 1;
    await this.refresh(view);
    const pages = this.#pages(view);
    while (!pages.complete && pages.loaded < page * PAGE) {
      if (!(await this.more(view, page * PAGE - pages.loaded))) return;
    }
  }

  /** Loads what follows; tells whether that went well. */
  more(view: View, rows = PAGE): Promise<boolean> {
    return this.#inTurn(async () => {
      const pages = this.#pages(view);
      const answer = await this.#api.listTasks(pages.following(rows));
      batch(() => {
        for (const task of answer.tasks) this.#entries.merge(task);
        pages.append(answer);
        this.#entries.changed.value += 1;
      });
    });
  }

  /** Reads again what is loaded of a view, by default of the one on the screen. */
  async refresh(view = this.#shown): Promise<boolean> {
    const well = await this.#inTurn(() => this.#read(this.#pages(view)));
    if (well) void this.recount();
    return well;
  }

  /**
   * Others changed tasks, which are in the entries already unless it may be
   * anything (`all`). What only the service can judge is read again.
   */
  async heard(all: boolean): Promise<void> {
    if (!all && isExact(this.#shown)) return this.recount();
    // A look that has not begun yet will see this as well.
    if (this.#heard) return;
    this.#heard = true;
    const well = await this.#inTurn(() => {
      this.#heard = false;
      return this.#read(this.#pages(this.#shown));
    });
    if (well) void this.recount();
  }

  /** Asks how many tasks there are. Without an answer the counts stay as they are. */
  async recount(): Promise<void> {
    this.#uncounted = true;
    if (this.#counting || link.peek() !== "up" || this.#closed.aborted) return;
    this.#counting = true;
    try {
      // Whatever changes meanwhile is counted once more, all of it together.
      while (this.#uncounted) {
        this.#uncounted = false;
        this.usage.value = await this.#api.getUsage({});
      }
    } catch (error) {
      console.info(`The tasks were not counted: ${failureOf(error).message}`);
    } finally {
      this.#counting = false;
    }
  }

  async #read(pages: Pages): Promise<void> {
    const { view } = pages;
    const since = this.#entries.now;
    const answer = await this.#api.listTasks(pages.again());
    batch(() => {
      const there = new Set(answer.tasks.map((task) => task.name));
      const covered = pages.restart(answer);
      const missing = this.#entries.drop(
        since,
        (task) => isExact(view) && matches(view, task) && covered(task) && !there.has(task.name),
      );
      for (const key of missing) this.#gone(key);
      for (const task of answer.tasks) this.#entries.merge(task);
      this.#entries.changed.value += 1;
    });
  }

  #pages(view: View): Pages {
    const key = addressOf(view);
    const pages = this.#views.get(key) ?? new Pages(view);
    // What was used last is last.
    this.#views.delete(key);
    this.#views.set(key, pages);
    const [oldest] = this.#views.keys();
    if (this.#views.size > VIEWS && oldest !== undefined) this.#views.delete(oldest);
    return pages;
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
