// One person's tasks on the page: what is known, which lists are loaded, what
// is being typed, and every write a person can make. Shown at once, taken back
// and said if the service refuses. No component here, and no call that is not
// made through the lists or the outbox.

import { signal } from "@preact/signals";
import { Code, create, failureOf, type Task, TaskSchema, TaskStatus } from "duet-client";
import { persist } from "../link.ts";
import {
  changes,
  clashes,
  type Draft,
  edited,
  type Path,
  PATHS,
  type Values,
  valuesOf,
} from "./draft.ts";
import type { Row } from "./entries.ts";
import { type Refusal, Writes } from "./writes.ts";

/** Two versions of the same task; the person chooses. */
export interface Conflict {
  readonly key: string;
  readonly theirs: Task;
  readonly mine: Values;
  readonly paths: readonly Path[];
}

class Clash extends Error {
  readonly conflict: Conflict;
  constructor(conflict: Conflict) {
    super("The task was changed elsewhere.");
    this.conflict = conflict;
  }
}

export class TaskStore extends Writes {
  /** What is typed as a new task. */
  readonly newTitle = signal("");
  /** Editors that are open, by the key of their task. */
  readonly drafts = signal<ReadonlyMap<string, Draft>>(new Map());
  /** Conflicts that wait for a decision. */
  readonly conflicts = signal<readonly Conflict[]>([]);

  /** Takes that a task is gone, as others say; only what is newer brings it back. */
  readonly gone = (key: string, revision: bigint): void => {
    this.lost(key);
    this.entries.forget(key, revision);
  };

  /** Reads one task; resolves to its key, or to nothing if there is no such task. */
  async read(id: string): Promise<string | undefined> {
    const name = `users/${this.owner}/tasks/${id}`;
    try {
      const { task } = await persist(() => this.api.getTask({ name }), {
        signal: this.closed.signal,
      });
      if (task) this.entries.merge(task);
    } catch (error) {
      const { code } = failureOf(error);
      if (code !== Code.NotFound && code !== Code.InvalidArgument) throw error;
      return undefined;
    }
    return this.entries.keyOf(name);
  }

  /** Adds a task, as a step of the one with the key `parent` if there is one. */
  add(values: Values, parent = ""): void {
    const requestId = crypto.randomUUID();
    const above = this.entries.row(parent)?.task;
    const blank = create(TaskSchema, {
      status: TaskStatus.OPEN,
      list: above?.list ?? values.list,
      parentTask: above?.name || parent,
    });
    const task = edited(blank, values, PATHS);
    const key = this.entries.enter(task);
    this.outbox.add({
      send: async () => {
        const parentTask = this.nameOf(parent);
        const made = await this.api.createTask({ task: { ...task, parentTask }, requestId });
        if (made.task) this.entries.made(key, made.task);
      },
      refused: (failure) => {
        this.entries.forget(key);
        // What was typed goes back to where it was typed, unless there is something new.
        if (parent === "" && this.newTitle.value === "") this.newTitle.value = values.title;
        this.told.refused(failure, values.title);
      },
    });
  }

  /** Opens an editor, or changes what is typed into it. */
  draft(key: string, values?: Values): void {
    const base = this.entries.row(key)?.task;
    const open = this.drafts.value.get(key);
    if (open) this.#setDraft(key, { ...open, values: values ?? open.values });
    else if (base) this.#setDraft(key, { base, values: values ?? valuesOf(base), faults: [] });
  }

  /** Closes an editor without saving. */
  discard(key: string): void {
    const drafts = new Map(this.drafts.value);
    drafts.delete(key);
    this.drafts.value = drafts;
  }

  /** Saves what was typed, and closes the editor. */
  save(key: string): void {
    const draft = this.drafts.value.get(key);
    if (!draft) return;
    this.discard(key);
    this.#save(key, draft.base, draft.values);
  }

  /** Decides the oldest conflict. */
  decide(keepMine: boolean): void {
    const [conflict, ...others] = this.conflicts.value;
    this.conflicts.value = others;
    if (conflict && keepMine)
      this.#save(conflict.key, conflict.theirs, conflict.mine, conflict.paths);
  }

  /** Takes a task and its steps off the screen; `remove` or `restore` must follow. */
  hide(key: string, hidden = true): void {
    for (const each of [key, ...this.entries.stepsOf(key)]) this.entries.hide(each, hidden);
  }

  restore(key: string): void {
    this.hide(key, false);
  }

  /** Moves a task that was hidden to the bin, and its steps. */
  remove(key: string): void {
    const requestId = crypto.randomUUID();
    const title = this.entries.truth(key)?.title ?? "";
    const gone = (): void => {
      for (const each of [key, ...this.entries.stepsOf(key)]) {
        this.lost(each);
        this.entries.forget(each);
      }
    };
    this.outbox.add({
      send: async () => {
        const name = this.entries.truth(key)?.name;
        const { task } = name ? await this.api.deleteTask({ name, requestId }) : {};
        gone();
        if (task) this.entries.merge(task);
      },
      refused: (failure) => {
        if (failure.code === Code.NotFound) return gone();
        this.restore(key);
        this.told.refused(failure, title);
      },
    });
  }

  #save(key: string, base: Task, values: Values, only?: readonly Path[]): void {
    if (values.list !== base.list && !only) this.move(key, { list: values.list });
    const paths = only ?? changes(valuesOf(base), values);
    if (paths.length === 0) return;
    const ids = new Map<string, string>();
    this.write(
      key,
      (task) => edited(task, values, paths),
      (name) => this.#update(key, name, base, values, paths, ids),
      { typed: { base, values } },
    );
  }

  /**
   * Writes these fields if nobody else wrote them since `base` was read. What
   * others wrote into other fields stays.
   */
  async #update(
    key: string,
    name: string,
    base: Task,
    values: Values,
    paths: readonly Path[],
    ids: Map<string, string>,
  ): Promise<Task | undefined> {
    const task = { ...edited(base, values, paths), name };
    // A request id goes with its contents: another etag is another request.
    const requestId = ids.get(task.etag) ?? crypto.randomUUID();
    ids.set(task.etag, requestId);
    try {
      const mask = { paths: [...paths] };
      return (await this.api.updateTask({ task, updateMask: mask, requestId })).task;
    } catch (error) {
      if (failureOf(error).reason !== "ETAG_MISMATCH") throw error;
    }
    const { task: theirs } = await this.api.getTask({ name });
    if (!theirs) return undefined;
    const apart = clashes(valuesOf(base), valuesOf(theirs), values, paths);
    if (apart.length > 0) {
      this.entries.merge(theirs);
      throw new Clash({ key, theirs, mine: values, paths });
    }
    return this.#update(key, name, theirs, values, paths, ids);
  }

  /** A refused edit comes back with what was typed and what is wrong with it. */
  protected refused(key: string, { failure, error, title, typed }: Refusal): void {
    if (error instanceof Clash) {
      this.conflicts.value = [...this.conflicts.value, error.conflict];
      return;
    }
    if (failure.code === Code.NotFound) return this.#vanished(key, title, typed?.values);
    if (typed && this.entries.row(key) && !this.drafts.value.has(key)) {
      this.#setDraft(key, { ...typed, faults: failure.fields });
    }
    this.told.refused(failure, title);
  }

  #vanished(key: string, title: string, typed?: Values): void {
    this.entries.forget(key);
    this.told.vanished(title, typed && (() => this.add(typed)));
  }

  /** A task is gone; what was being typed into it is not. */
  protected lost(key: string): void {
    const draft = this.drafts.value.get(key);
    if (!draft) return;
    this.discard(key);
    const { base, values } = draft;
    if (changes(valuesOf(base), values).length > 0) {
      this.told.vanished(base.title, () => this.add(values));
    }
  }

  #setDraft(key: string, draft: Draft): void {
    this.drafts.value = new Map(this.drafts.value).set(key, draft);
  }
}

export type { Row };
