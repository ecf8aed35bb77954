// One person's tasks on the page: what is known, which lists are loaded, what
// is being typed, and every write a person can make. Shown at once, taken back
// and said if the service refuses. No component here, and no call that is not
// made through the lists or the outbox.

import { signal } from "@preact/signals";
import {
  type Client,
  Code,
  create,
  type Failure,
  failureOf,
  type Task,
  TaskSchema,
  type TaskService,
  TaskStatus,
} from "duet-client";
import { persist } from "../link.ts";
import { changes, clashes, type Draft, edited, type Path, type Values, valuesOf } from "./draft.ts";
import { type Change, Entries, type Row } from "./entries.ts";
import { Lists } from "./lists.ts";
import { Outbox } from "./outbox.ts";

/** Two versions of the same task; the person chooses. */
export interface Conflict {
  readonly key: string;
  readonly theirs: Task;
  readonly mine: Values;
  readonly paths: readonly Path[];
}

/** What the store has to say to the person. */
export interface Told {
  /** The service refused a write to the task with this title. */
  refused(failure: Failure, title: string): void;
  /** A task was gone when it was written to; `again` makes it anew, if something was typed. */
  vanished(title: string, again?: () => void): void;
}

class Clash extends Error {
  readonly conflict: Conflict;
  constructor(conflict: Conflict) {
    super("The task was changed elsewhere.");
    this.conflict = conflict;
  }
}

export class TaskStore {
  /** The id of the user whose tasks these are. */
  readonly owner: string;
  readonly entries = new Entries();
  readonly lists: Lists;
  readonly outbox: Outbox;
  /** What is typed as a new task. */
  readonly newTitle = signal("");
  /** Editors that are open, by the key of their task. */
  readonly drafts = signal<ReadonlyMap<string, Draft>>(new Map());
  /** Conflicts that wait for a decision. */
  readonly conflicts = signal<readonly Conflict[]>([]);
  readonly #api: Client<typeof TaskService>;
  readonly #told: Told;
  readonly #closed = new AbortController();

  constructor(owner: string, api: Client<typeof TaskService>, told: Told) {
    this.owner = owner;
    this.#api = api;
    this.#told = told;
    this.outbox = new Outbox(this.#closed.signal);
    this.lists = new Lists(this.entries, api, this.#closed.signal, (key) => this.#lost(key));
  }

  /** Nothing is sent or loaded any more. */
  close(): void {
    this.#closed.abort(new Error("Somebody else is here now."));
  }

  /** Takes that a task is gone, as others say; only what is newer brings it back. */
  readonly gone = (key: string, revision: bigint): void => {
    this.#lost(key);
    this.entries.forget(key, revision);
  };

  /** Reads one task; resolves to its key, or to nothing if there is no such task. */
  async read(id: string): Promise<string | undefined> {
    const name = `users/${this.owner}/tasks/${id}`;
    try {
      const { task } = await persist(() => this.#api.getTask({ name }), {
        signal: this.#closed.signal,
      });
      if (task) this.entries.merge(task);
    } catch (error) {
      const { code } = failureOf(error);
      if (code !== Code.NotFound && code !== Code.InvalidArgument) throw error;
      return undefined;
    }
    return this.entries.keyOf(name);
  }

  /** Adds a task; `values` beyond the title are for one that is made anew. */
  add(values: Values): void {
    const requestId = crypto.randomUUID();
    const blank = create(TaskSchema, { status: TaskStatus.OPEN });
    const task = edited(blank, values, ["title", "notes", "due"]);
    const key = this.entries.enter(task);
    this.outbox.add({
      send: async () => {
        const made = await this.#api.createTask({ task, requestId });
        if (made.task) this.entries.made(key, made.task);
      },
      refused: (failure) => {
        this.entries.forget(key);
        // What was typed goes back to where it was typed, unless there is something new.
        if (this.newTitle.value === "") this.newTitle.value = values.title;
        this.#told.refused(failure, values.title);
      },
    });
  }

  /** Checks a task off, or opens it again. */
  check(key: string, done: boolean): void {
    const requestId = crypto.randomUUID();
    const status = done ? TaskStatus.DONE : TaskStatus.OPEN;
    this.lists.keep(key);
    this.#write(
      key,
      (task) => ({ ...task, status }),
      async (name) => {
        const request = { name, requestId };
        const { task } = done
          ? await this.#api.completeTask(request)
          : await this.#api.reopenTask(request);
        return task;
      },
    );
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

  /** Takes a task off the screen; `remove` or `restore` must follow. */
  hide(key: string): void {
    this.entries.hide(key, true);
  }

  restore(key: string): void {
    this.entries.hide(key, false);
  }

  /** Deletes a task that was hidden. */
  remove(key: string): void {
    const requestId = crypto.randomUUID();
    const title = this.entries.truth(key)?.title ?? "";
    this.outbox.add({
      send: async () => {
        const name = this.entries.truth(key)?.name;
        if (name) await this.#api.deleteTask({ name, requestId });
        this.#lost(key);
        this.entries.forget(key);
      },
      refused: (failure) => {
        if (failure.code === Code.NotFound) return this.entries.forget(key);
        this.restore(key);
        this.#told.refused(failure, title);
      },
    });
  }

  #save(key: string, base: Task, values: Values, only?: readonly Path[]): void {
    const paths = only ?? changes(valuesOf(base), values);
    if (paths.length === 0) return;
    const ids = new Map<string, string>();
    this.#write(
      key,
      (task) => edited(task, values, paths),
      (name) => this.#update(key, name, base, values, paths, ids),
      { base, values },
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
      return (await this.#api.updateTask({ task, updateMask: mask, requestId })).task;
    } catch (error) {
      if (failureOf(error).reason !== "ETAG_MISMATCH") throw error;
    }
    const { task: theirs } = await this.#api.getTask({ name });
    if (!theirs) return undefined;
    const apart = clashes(valuesOf(base), valuesOf(theirs), values, paths);
    if (apart.length > 0) {
      this.entries.merge(theirs);
      throw new Clash({ key, theirs, mine: values, paths });
    }
    return this.#update(key, name, theirs, values, paths, ids);
  }

  #write(
    key: string,
    change: Change,
    send: (name: string) => Promise<Task | undefined>,
    typed?: { base: Task; values: Values },
  ): void {
    const settled = this.entries.expect(key, change);
    const title = this.entries.row(key)?.task.title ?? "";
    this.outbox.add({
      send: async () => {
        const name = this.entries.truth(key)?.name;
        const task = name ? await send(name) : undefined;
        if (task) this.entries.merge(task);
        settled();
      },
      refused: (failure, error) => {
        settled();
        if (error instanceof Clash)
          this.conflicts.value = [...this.conflicts.value, error.conflict];
        else if (failure.code === Code.NotFound) this.#vanished(key, title, typed?.values);
        else this.#refused(key, failure, title, typed);
      },
    });
  }

  /** A refused edit comes back with what was typed and what is wrong with it. */
  #refused(
    key: string,
    failure: Failure,
    title: string,
    typed?: { base: Task; values: Values },
  ): void {
    if (typed && this.entries.row(key) && !this.drafts.value.has(key)) {
      this.#setDraft(key, { ...typed, faults: failure.fields });
    }
    this.#told.refused(failure, title);
  }

  #vanished(key: string, title: string, typed?: Values): void {
    this.entries.forget(key);
    this.#told.vanished(title, typed && (() => this.add(typed)));
  }

  /** A task is gone; what was being typed into it is not. */
  #lost(key: string): void {
    const draft = this.drafts.value.get(key);
    if (!draft) return;
    this.discard(key);
    const { base, values } = draft;
    if (changes(valuesOf(base), values).length > 0) {
      this.#told.vanished(base.title, () => this.add(values));
    }
  }

  #setDraft(key: string, draft: Draft): void {
    this.drafts.value = new Map(this.drafts.value).set(key, draft);
  }
}

export type { Row };
