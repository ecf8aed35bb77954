// The tasks that are known: for each what the service said last, and what was
// written since and is not answered yet. What is shown is the first with the
// second applied, so taking back a refused write is forgetting it.

import { computed, signal } from "@preact/signals";
import type { Task } from "duet-client";

/** A task on the screen. */
export interface Row {
  /** Stays the same while the task lives here, also before it has a name. */
  readonly key: string;
  readonly task: Task;
  /** Whether something about it was not answered yet. */
  readonly waiting: boolean;
}

export type Change = (task: Task) => Task;

interface Entry {
  readonly key: string;
  truth: Task;
  changes: Change[];
  /** Not shown, because the person deleted it; the call may still be to come. */
  hidden: boolean;
  /** When it last changed, in the count of `Entries.now`. */
  touched: number;
  row: Row;
}

export class Entries {
  /** Grows with every change; reading it makes a component hear of the next. */
  readonly changed = signal(0);
  readonly #entries = new Map<string, Entry>();
  readonly #rows = computed(() => {
    void this.changed.value;
    const rows: Row[] = [];
    for (const { hidden, row } of this.#entries.values()) if (!hidden) rows.push(row);
    return rows;
  });
  readonly #keys = new Map<string, string>();
  /** Tasks that are gone, and since when, so that a late answer cannot bring them back. */
  readonly #gone = new Map<string, bigint>();
  #entered = 0;

  get now(): number {
    return this.changed.peek();
  }

  /** What is shown, in no order. */
  rows(): readonly Row[] {
    return this.#rows.value;
  }

  row(key: string): Row | undefined {
    void this.changed.value;
    const entry = this.#entries.get(key);
    return entry?.hidden ? undefined : entry?.row;
  }

  /** What the service said last about a task. */
  truth(key: string): Task | undefined {
    return this.#entries.get(key)?.truth;
  }

  keyOf(name: string): string | undefined {
    void this.changed.value;
    return this.#keys.get(name);
  }

  /** Adds a task that the service does not know yet, and tells its key. */
  enter(task: Task): string {
    this.#entered += 1;
    // Later ones sort as newer.
    const key = `new ${String(this.#entered).padStart(9, "0")}`;
    this.#add(key, task);
    return key;
  }

  /** The service has made it, under this name. */
  made(key: string, task: Task): void {
    const other = this.#keys.get(task.name);
    if (this.#entries.has(key) && other !== key) {
      // A list, or the feed, told of it before its own answer came.
      const early = other === undefined ? undefined : this.#entries.get(other)?.truth;
      if (other !== undefined) this.#entries.delete(other);
      this.#keys.set(task.name, key);
      if (early) this.merge(early);
    }
    this.merge(task);
  }

  /** Takes what the service said about a task, unless something newer is known. */
  merge(task: Task): void {
    if ((this.#gone.get(task.name) ?? -1n) >= task.revision) return;
    const key = this.#keys.get(task.name);
    const known = key === undefined ? undefined : this.#entries.get(key);
    if (known) {
      if (known.truth.revision >= task.revision) return;
      known.truth = task;
      this.#put(known);
    } else {
      this.#keys.set(task.name, task.name);
      this.#add(task.name, task);
    }
  }

  /**
   * Shows a change before it is answered; the result ends that. If it is told
   * that the change was made, it stays until the service says more.
   */
  expect(key: string, change: Change): (made?: boolean) => void {
    const entry = this.#entries.get(key);
    if (!entry) return () => undefined;
    entry.changes.push(change);
    this.#put(entry);
    return (made = false) => {
      if (made) entry.truth = change(entry.truth);
      entry.changes = entry.changes.filter((other) => other !== change);
      if (this.#entries.get(key) === entry) this.#put(entry);
    };
  }

  hide(key: string, hidden: boolean): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.hidden = hidden;
    this.#put(entry);
  }

  /** All that are steps of a task, and the steps of these; also what is not shown. */
  stepsOf(key: string): string[] {
    const name = this.#entries.get(key)?.truth.name || key;
    const steps = [...this.#entries.values()].filter(({ row }) =>
      [key, name].includes(row.task.parentTask),
    );
    return steps.flatMap((step) => [step.key, ...this.stepsOf(step.key)]);
  }

  /** Takes that a task is gone, at this revision; only a newer one brings it back. */
  forget(key: string, revision?: bigint): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    const { name } = entry.truth;
    if (name !== "") this.#gone.set(name, revision ?? entry.truth.revision);
    this.#keys.delete(name);
    this.#entries.delete(key);
    this.changed.value += 1;
  }

  /**
   * Drops those of which the service did not speak although it should have:
   * known to it, not touched since `since`, and nothing on its way to them.
   */
  drop(since: number, expected: (task: Task) => boolean): string[] {
    const dropped: string[] = [];
    for (const { key, truth, changes, touched } of this.#entries.values()) {
      const settled = truth.name !== "" && changes.length === 0 && touched <= since;
      if (settled && expected(truth)) dropped.push(key);
    }
    for (const key of dropped) {
      this.#keys.delete(this.#entries.get(key)?.truth.name ?? "");
      this.#entries.delete(key);
    }
    if (dropped.length > 0) this.changed.value += 1;
    return dropped;
  }

  #add(key: string, truth: Task): void {
    const row = { key, task: truth, waiting: true };
    this.#put({ key, truth, changes: [], hidden: false, touched: 0, row });
  }

  #put(entry: Entry): void {
    const { key, truth, changes } = entry;
    const task = changes.reduce((shown, change) => change(shown), truth);
    entry.row = { key, task, waiting: changes.length > 0 || truth.name === "" };
    entry.touched = this.now + 1;
    this.#entries.set(key, entry);
    this.changed.value += 1;
  }
}
