// A task service in memory: revisions, etags, request ids, pages. What it shall
// do next can be said beforehand, so that a test decides when and how it fails.

import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from "@connectrpc/connect";
import { create, type Client, type Task, TaskSchema, TaskService, TaskStatus } from "duet-client";
import { refusal } from "../../client/test/support/refusal.ts";

export const OWNER = "1a79a4d6-0de6-4d9a-9a6f-5a2c8f1f0b11";

/** Nobody answers, as a browser says it. */
function unreached(): ConnectError {
  const cause = new TypeError("Failed to fetch");
  return new ConnectError(cause.message, Code.Unknown, undefined, undefined, cause);
}

export class Service {
  readonly client: Client<typeof TaskService>;
  /** What arrived: the method, and what it was about. */
  readonly calls: string[] = [];
  readonly #tasks = new Map<string, Task>();
  readonly #answered = new Map<string, Task>();
  readonly #next: (() => Promise<void>)[] = [];
  readonly #lost: ("request" | "answer")[] = [];
  #revision = 0n;
  #ids = 0;

  constructor() {
    const transport = createRouterTransport(
      ({ service }) => {
        service(TaskService, {
          createTask: async ({ task, requestId }) => {
            await this.#arrive(`create ${task?.title}`);
            return this.#once(requestId, () => this.put({ ...(task as Task), name: this.#name() }));
          },
          getTask: async ({ name }) => {
            await this.#arrive("get");
            return { task: this.#get(name) };
          },
          listTasks: async ({ status, pageSize, pageToken }) => {
            await this.#arrive(`list ${TaskStatus[status]} ${pageToken}`);
            return this.#page(status, pageSize, pageToken);
          },
          updateTask: async ({ task, updateMask, requestId }) => {
            await this.#arrive(`update ${updateMask?.paths.join()} ${task?.etag}`);
            const now = this.#get(task?.name ?? "");
            if (task?.etag !== now.etag) throw refusal(Code.Aborted, "ETAG_MISMATCH", "Changed.");
            if (task.title.trim() === "") throw untitled();
            return this.#once(requestId, () => this.put({ ...now, ...task }));
          },
          completeTask: async ({ name, requestId }) => {
            await this.#arrive("complete");
            const done = { status: TaskStatus.DONE };
            return this.#once(requestId, () => this.put({ ...this.#get(name), ...done }));
          },
          reopenTask: async ({ name, requestId }) => {
            await this.#arrive("reopen");
            const open = { status: TaskStatus.OPEN };
            return this.#once(requestId, () => this.put({ ...this.#get(name), ...open }));
          },
          deleteTask: async ({ name }) => {
            await this.#arrive("delete");
            this.#get(name);
            this.#tasks.delete(name);
            return {};
          },
        });
      },
      { transport: { interceptors: [(next) => this.#carry(next)] } },
    );
    this.client = createClient(TaskService, transport);
  }

  /** A task as another device would make it. */
  has(title: string, status = TaskStatus.OPEN): Task {
    return this.put(create(TaskSchema, { name: this.#name(), title, status }));
  }

  put(task: Task): Task {
    this.#revision += 1n;
    const now = { ...task, status: task.status || TaskStatus.OPEN };
    const stored = { ...now, revision: this.#revision, etag: `"${this.#revision}"` };
    this.#tasks.set(task.name, stored);
    return stored;
  }

  /** Deletes one as another device would. */
  loses({ name }: Task): void {
    this.#tasks.delete(name);
  }

  titles(): string[] {
    return this.#newestFirst().map(({ title }) => title);
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

  #carry(next: Parameters<Interceptor>[0]): ReturnType<Interceptor> {
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

  #once(requestId: string, write: () => Task): { task: Task } {
    const task = this.#answered.get(requestId) ?? write();
    this.#answered.set(requestId, task);
    return { task };
  }

  #get(name: string): Task {
    const task = this.#tasks.get(name);
    if (!task) throw refusal(Code.NotFound, "TASK_NOT_FOUND", "There is no such task.");
    return task;
  }

  #page(status: TaskStatus, pageSize: number, pageToken: string) {
    const rest = this.#newestFirst().filter(
      (task) => (!status || task.status === status) && (!pageToken || task.name < pageToken),
    );
    const tasks = rest.slice(0, pageSize);
    const nextPageToken = rest.length > pageSize ? (tasks.at(-1)?.name ?? "") : "";
    return { tasks, nextPageToken };
  }

  #newestFirst(): Task[] {
    return [...this.#tasks.values()].sort((a, b) => (a.name < b.name ? 1 : -1));
  }

  #name(): string {
    this.#ids += 1;
    return `users/${OWNER}/tasks/${String(this.#ids).padStart(6, "0")}`;
  }
}

function untitled(): ConnectError {
  return refusal(Code.InvalidArgument, "FIELD_INVALID", "A task needs a title.", {
    fields: { "task.title": "A task needs a title." },
  });
}
