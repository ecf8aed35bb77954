// What a person does with a task as a whole: close and open it, put it
// elsewhere, bring it back. Shown at once, said to the service through the
// outbox, taken back if it refuses.

import {
  type Client,
  Code,
  type Failure,
  type ListService,
  type Task,
  type TaskService,
  TaskStatus,
} from "duet-client";
import { Catalogue } from "./catalogue.ts";
import type { Values } from "./draft.ts";
import { type Change, Entries } from "./entries.ts";
import { Lists } from "./lists.ts";
import { Outbox } from "./outbox.ts";
import { ownZone } from "./view.ts";

/** What the store has to say to the person. */
export interface Told {
  /** The service refused a write to the task with this title. */
  refused(failure: Failure, title: string): void;
  /** A task was gone when it was written to; `again` makes it anew, if something was typed. */
  vanished(title: string, again?: () => void): void;
  /** Something goes further than the person may think; `yes` does it. */
  ask(question: string, answer: string, yes: () => void): void;
  /** A task was completed and is there again, as `next`. */
  again(next: Task): void;
}

/** The services that hold tasks and lists. */
export interface Api {
  readonly tasks: Client<typeof TaskService>;
  readonly lists: Client<typeof ListService>;
}

/** Where a task goes to; what is absent stays, but without `after` it goes first. */
export interface Place {
  /** Name of a list. */
  readonly list?: string;
  /** Key of the task that it becomes a step of; empty for none. */
  readonly parent?: string;
  /** Key of the task that it comes after. */
  readonly after?: string | undefined;
}

export interface Typed {
  readonly base: Task;
  readonly values: Values;
}

/** What is particular about a write. */
interface More {
  /** What the person typed; it comes back if it is refused. */
  readonly typed?: Typed;
  /** Whether it changes other tasks too, which are read again then. */
  readonly further?: boolean;
  /** Called when it is answered: whether it was made. */
  readonly settled?: (made: boolean) => void;
  /** Deals with a refusal in another way than by saying so; tells whether it did. */
  readonly refused?: (failure: Failure) => boolean;
}

/** A write that the service did not make. */
export interface Refusal {
  readonly failure: Failure;
  readonly error: unknown;
  /** What the task was called when it was written to. */
  readonly title: string;
  readonly typed: Typed | undefined;
}

export abstract class Writes {
  /** The id of the user whose tasks these are. */
  readonly owner: string;
  readonly entries = new Entries();
  readonly lists: Lists;
  readonly catalogue: Catalogue;
  readonly outbox: Outbox;
  protected readonly api: Client<typeof TaskService>;
  protected readonly told: Told;
  protected readonly closed = new AbortController();
  #moves = 0;

  constructor(owner: string, { tasks, lists }: Api, told: Told) {
    this.owner = owner;
    this.api = tasks;
    this.told = told;
    const { signal } = this.closed;
    this.lists = new Lists(this.entries, tasks, signal, (key) => this.lost(key));
    this.outbox = new Outbox(signal, () => void this.lists.recount());
    this.catalogue = new Catalogue(owner, lists, this.outbox, told, signal);
  }

  /** Nothing is sent or loaded any more. */
  close(): void {
    this.closed.abort(new Error("Somebody else is here now."));
  }

  /** Opens a task again. */
  reopen(key: string): void {
    const requestId = crypto.randomUUID();
    this.lists.keep(key);
    this.write(
      key,
      (task) => ({ ...task, status: TaskStatus.OPEN }),
      async (name) => (await this.api.reopenTask({ name, requestId })).task,
      // Steps that were closed with it are open again.
      { further: this.entries.stepsOf(key).length > 0 },
    );
  }

  /** Closes a task, as done or as cancelled; with open steps only if the person says so. */
  complete(key: string, cancel = false, force = false): void {
    const requestId = crypto.randomUUID();
    const status = cancel ? TaskStatus.CANCELLED : TaskStatus.DONE;
    const open = this.entries
      .stepsOf(key)
      .filter((step) => this.entries.row(step)?.task.status === TaskStatus.OPEN);
    const ask = (): void => {
      const title = this.entries.row(key)?.task.title ?? "";
      const words = `“${title}” has open subtasks. ${cancel ? "Cancel" : "Complete"} them as well?`;
      this.told.ask(words, cancel ? "Cancel all" : "Complete all", () =>
        this.complete(key, cancel, true),
      );
    };
    if (open.length > 0 && !force) return ask();
    const closed: Change = (task) => ({ ...task, status });
    const settled = open.map((step) => this.entries.expect(step, closed));
    for (const each of [key, ...open]) this.lists.keep(each);
    this.write(
      key,
      closed,
      async (name) => {
        const request = { name, requestId, cancel, force, timeZone: ownZone() };
        const { task, next } = await this.api.completeTask(request);
        if (next) {
          this.entries.merge(next);
          this.told.again(next);
        }
        return task;
      },
      {
        further: open.length > 0,
        settled: (made) => settled.forEach((end) => end(made)),
        refused: ({ reason }) => reason === "OPEN_SUBTASKS" && (ask(), true),
      },
    );
  }

  /** Puts a task elsewhere, with its steps. */
  move(key: string, { list, parent, after }: Place): void {
    const steps = this.entries.stepsOf(key);
    if (parent !== undefined && [key, ...steps].includes(parent)) return;
    const requestId = crypto.randomUUID();
    const above = parent ? this.entries.row(parent)?.task : undefined;
    const to = list ?? above?.list;
    this.#moves += 1;
    // Right after the one, before whatever was moved there earlier; “!” is
    // before everything.
    const place = `\0${1e9 - this.#moves}`;
    const position = (after && this.entries.row(after)?.task.position) || "!";
    this.write(
      key,
      (task) => ({
        ...task,
        position: position + place,
        list: to ?? task.list,
        parentTask: parent === undefined ? (list ? "" : task.parentTask) : above?.name || parent,
      }),
      async (name) => {
        const { task } = await this.api.moveTask({
          name,
          requestId,
          ...(list !== undefined && { list }),
          ...(parent !== undefined && { parentTask: this.nameOf(parent) }),
          ...(after !== undefined && { place: { case: "after", value: this.nameOf(after) } }),
        });
        return task;
      },
      {
        further: list !== undefined && steps.length > 0,
        // It may be the neighbour, the parent or the list that is gone.
        refused: (failure) => {
          if (failure.code !== Code.NotFound) return false;
          void this.lists.refresh();
          this.told.refused(failure, this.entries.row(key)?.task.title ?? "");
          return true;
        },
      },
    );
  }

  /** Brings a task back from the bin, with the steps that were deleted with it. */
  undelete(key: string): void {
    const requestId = crypto.randomUUID();
    this.write(
      key,
      ({ deleteTime, expireTime, ...task }) => task,
      async (name) => (await this.api.undeleteTask({ name, requestId })).task,
      { further: true },
    );
  }

  protected nameOf(key: string): string {
    return this.entries.truth(key)?.name ?? "";
  }

  protected write(
    key: string,
    change: Change,
    send: (name: string) => Promise<Task | undefined>,
    { typed, further, settled, refused }: More = {},
  ): void {
    const answered = this.entries.expect(key, change);
    const title = this.entries.row(key)?.task.title ?? "";
    const end = (made: boolean): void => {
      answered();
      settled?.(made);
    };
    this.outbox.add({
      send: async () => {
        const name = this.entries.truth(key)?.name;
        const task = name ? await send(name) : undefined;
        if (task) this.entries.merge(task);
        if (further) await this.lists.refresh();
        end(true);
      },
      refused: (failure, error) => {
        end(false);
        if (!refused?.(failure)) this.refused(key, { failure, error, title, typed });
      },
    });
  }

  /** A write was refused, and what it showed is taken back. */
  protected abstract refused(key: string, refusal: Refusal): void;

  /** A task is gone without having been deleted here. */
  protected abstract lost(key: string): void;
}
