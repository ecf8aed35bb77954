// A task service in memory: revisions, etags, request ids, pages. What it shall
// do next can be said beforehand, so that a test decides when and how it fails.

import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import type { ListTasksRequest } from "../../client/src/gen/task/v1/task_service_pb.ts";
import {
  create,
  type Client,
  ListService,
  type Task,
  TaskSchema,
  TaskService,
  TaskStatus,
} from "duet-client";
import { refusal } from "../../client/test/support/refusal.ts";
import { listsOf } from "./lists.ts";
import { meets, sorted } from "./query.ts";

export const OWNER = "1a79a4d6-0de6-4d9a-9a6f-5a2c8f1f0b11";

/** Nobody answers, as a browser says it. */
function unreached(): ConnectError {
  const cause = new TypeError("Failed to fetch");
  return new ConnectError(cause.message, Code.Unknown, undefined, undefined, cause);
}

type Next = Parameters<Interceptor>[0];

export class Service {
  readonly client: Client<typeof TaskService>;
  readonly lists: Client<typeof ListService>;
  /** What arrived: the method, and what it was about. */
  readonly calls: string[] = [];
  readonly #tasks = new Map<string, Task>();
  readonly #answered = new Map<string, unknown>();
  readonly #next: (() => Promise<void>)[] = [];
  readonly #lost: ("request" | "answer")[] = [];
  readonly #owner: string;
  #revision = 0n;
  #ids = 0;

  constructor(owner = OWNER) {
    this.#owner = owner;
    const carry = { transport: { interceptors: [(next: Next) => this.#carry(next)] } };
    const shelf = listsOf(
      owner,
      (call) => this.#arrive(call),
      (list) => this.#cleared(list),
    );
    const transport = createRouterTransport(({ service }) => {
      service(TaskService, { ...this.#reads(), ...this.#writes() });
      service(ListService, shelf);
    }, carry);
    this.client = createClient(TaskService, transport);
    this.lists = createClient(ListService, transport);
  }

  #reads(): Partial<ServiceImpl<typeof TaskService>> {
    return {
      getTask: async ({ name }) => {
        await this.#arrive("get");
        return { task: this.#get(name) };
      },
      listTasks: async (request) => {
        await this.#arrive(`list ${request.filter} ${request.orderBy} ${request.pageToken}`);
        return this.#page(request);
      },
      // Not among the calls: it is made whenever there is time for it.
      getUsage: () => {
        const tasks = [...this.#tasks.values()].filter(({ deleteTime }) => !deleteTime);
        const open = tasks.filter(({ status }) => status === TaskStatus.OPEN);
        return { tasks: BigInt(tasks.length), openTasks: BigInt(open.length) };
      },
    };
  }

  #writes(): Partial<ServiceImpl<typeof TaskService>> {
    return {
      createTask: async ({ task, requestId }) => {
        await this.#arrive(`create ${task?.title}`);
        return this.#once(requestId, () => ({
          task: this.put({ ...(task as Task), name: this.#name(), position: this.#first() }),
        }));
      },
      updateTask: async ({ task, updateMask, requestId }) => {
        await this.#arrive(`update ${updateMask?.paths.join()} ${task?.etag}`);
        const now = this.#get(task?.name ?? "");
        if (task?.etag && task.etag !== now.etag)
          throw refusal(Code.Aborted, "ETAG_MISMATCH", "Changed.");
        if (!task || (updateMask?.paths.includes("title") && task.title.trim() === ""))
          throw untitled();
        return this.#once(requestId, () => {
          const wanted: Record<string, unknown> = { ...now };
          for (const path of updateMask?.paths ?? []) wanted[path] = task[path as keyof Task];
          return { task: this.put(wanted as unknown as Task) };
        });
      },
      completeTask: async ({ name, requestId, force, cancel }) => {
        await this.#arrive(`complete${force ? " all" : ""}${cancel ? " cancelled" : ""}`);
        const status = cancel ? TaskStatus.CANCELLED : TaskStatus.DONE;
        const open = this.#below(name).filter((step) => step.status === TaskStatus.OPEN);
        if (open.length > 0 && !force) {
          throw refusal(Code.FailedPrecondition, "OPEN_SUBTASKS", "It has open subtasks.");
        }
        return this.#once(requestId, () => {
          for (const step of open) this.put({ ...step, status });
          const { recurrence, ...task } = this.#get(name);
          const next = recurrence && { ...task, recurrence, name: this.#name() };
          return { task: this.put({ ...task, status }), ...(next && { next: this.put(next) }) };
        });
      },
      reopenTask: async ({ name, requestId }) => {
        await this.#arrive("reopen");
        const open = { status: TaskStatus.OPEN };
        return this.#once(requestId, () => ({ task: this.put({ ...this.#get(name), ...open }) }));
      },
      moveTask: async ({ name, requestId, list, parentTask, place }) => {
        await this.#arrive(`move ${place.case ?? "first"}`);
        return this.#once(requestId, () => {
          const task = this.#get(name);
          const to = {
            list: list ?? task.list,
            parentTask: parentTask ?? (list === undefined ? task.parentTask : ""),
          };
          for (const step of this.#below(name)) this.put({ ...step, list: to.list });
          return { task: this.put({ ...task, ...to, position: this.#place(place.value) }) };
        });
      },
      deleteTask: async ({ name, requestId }) => {
        await this.#arrive("delete");
        return this.#once(requestId, () => {
          const deleteTime = timestampNow();
          for (const step of this.#below(name)) this.put({ ...step, deleteTime });
          return { task: this.put({ ...this.#get(name), deleteTime }) };
        });
      },
      undeleteTask: async ({ name, requestId }) => {
        await this.#arrive("undelete");
        return this.#once(requestId, () => {
          const { deleteTime, ...task } = this.#get(name);
          for (const { deleteTime: _, ...step } of this.#below(name)) this.put(step);
          return { task: this.put(task) };
        });
      },
    };
  }

  /** A task as another device would make it. */
  has(title: string, more: MessageInitShape<typeof TaskSchema> = {}): Task {
    const task = { name: this.#name(), title, status: TaskStatus.OPEN, position: this.#first() };
    return this.put(create(TaskSchema, { ...task, ...more }));
  }

  put(task: Task): Task {
    this.#revision += 1n;
    const status = task.status || TaskStatus.OPEN;
    const { createTime = timestampNow(), completeTime = timestampNow(), ...rest } = task;
    const closed = status === TaskStatus.OPEN ? {} : { completeTime };
    const now = { ...rest, ...closed, status, createTime };
    const stored = { ...now, revision: this.#revision, etag: `"${this.#revision}"` };
    this.#tasks.set(task.name, stored);
    return stored;
  }

  /** Deletes one as another device would. */
  loses({ name }: Task): void {
    this.#tasks.delete(name);
  }

  /** What is not in the bin, newest first. */
  titles(): string[] {
    const tasks = [...this.#tasks.values()].filter(({ deleteTime }) => !deleteTime);
    return sorted(tasks, "").map(({ title }) => title);
  }

  /** The tasks in the manual order. */
  inOrder(): string[] {
    return sorted([...this.#tasks.values()], "position").map(({ title }) => title);
  }

  task(title: string): Task | undefined {
    return [...this.#tasks.values()].find((task) => task.title === title);
  }

  /** The next call that arrives fails. */
  failNext(error: ConnectError): void {
    this.#next.push(() => Promise.reject(error));
  }

  /** The network loses the next request, or the answer to it. */
  loseNext(what: "request" | "answer"): void {
    this.#lost.push(what);
  }

  /** The next call that arrives waits until it is released. */
  holdNext(): () => void {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#next.push(() => released);
    return release;
  }

  #carry(next: Next): ReturnType<Interceptor> {
    return async (request) => {
      const lost = this.#lost.shift();
      if (lost === "request") throw unreached();
      const answer = await next(request);
      if (lost === "answer") throw unreached();
      return answer;
    };
  }

  async #arrive(call: string): Promise<void> {
    this.calls.push(call.trim());
    await this.#next.shift()?.();
  }

  /** A write that is repeated is not made again. */
  #once<T>(requestId: string, write: () => T): T {
    if (requestId === "") return write();
    if (!this.#answered.has(requestId)) this.#answered.set(requestId, write());
    return this.#answered.get(requestId) as T;
  }

  #get(name: string): Task {
    const task = this.#tasks.get(name);
    if (!task) throw refusal(Code.NotFound, "TASK_NOT_FOUND", "There is no such task.");
    return task;
  }

  #below(name: string): Task[] {
    const steps = [...this.#tasks.values()].filter(({ parentTask }) => parentTask === name);
    return steps.flatMap((step) => [step, ...this.#below(step.name)]);
  }

  /** A list is deleted with its tasks; tells whether there are any if it must not be. */
  #cleared(list: string): (force: boolean) => boolean {
    return (force) => {
      const inside = [...this.#tasks.values()].filter((task) => task.list === list);
      if (force) for (const { name } of inside) this.#tasks.delete(name);
      return inside.length === 0 || force;
    };
  }

  #first(): string {
    return (5e6 - Number(this.#revision)).toFixed(6);
  }

  /** Between a task and the next one. */
  #place(after: string | undefined): string {
    if (after === undefined) return this.#first();
    const at = Number(this.#get(after).position);
    const places = [...this.#tasks.values()].map(({ position }) => Number(position));
    const next = Math.min(...places.filter((place) => place > at), at + 1);
    return ((at + next) / 2).toFixed(6);
  }

  #page({ filter, orderBy, pageSize, pageToken }: ListTasksRequest) {
    const all = sorted(
      [...this.#tasks.values()].filter((task) => meets(filter, task)),
      orderBy,
    );
    const from = all.findIndex(({ name }) => name === pageToken) + 1;
    const tasks = all.slice(from, from + pageSize);
    const nextPageToken = all.length > from + pageSize ? (tasks.at(-1)?.name ?? "") : "";
    return { tasks, nextPageToken };
  }

  #name(): string {
    this.#ids += 1;
    return `users/${this.#owner}/tasks/00000000-0000-7000-8000-${String(this.#ids).padStart(12, "0")}`;
  }
}

function untitled(): ConnectError {
  return refusal(Code.InvalidArgument, "FIELD_INVALID", "A task needs a title.", {
    fields: { "task.title": "A task needs a title." },
  });
}
