// WatchTasks in memory, as its contract has it: what there is, `Current`, what
// changes, `Reset` for a token that is too old. A message holds two changes at
// most, so that there are many places at which a test can cut a stream.

import {
  Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Change, Told } from "../../src/index.ts";
import {
  TaskService,
  type WatchTasksResponseSchema,
} from "../../src/gen/task/v1/task_service_pb.ts";

type Event = MessageInitShape<typeof WatchTasksResponseSchema>;

/**
 * How a stream ends: before its n-th message, with an error, politely, or never
 * more to speak. Or it only waits there for a promise.
 */
export interface End {
  before: number;
  with: ConnectError | "end" | "silence" | Promise<void>;
}

/** One that is open. */
interface Stream {
  cut?: ConnectError | "end";
  /** Looks whether there is something to tell. */
  wake: () => void;
}

export class Feed {
  /** The token of every call, and of which user it was. */
  readonly calls: string[] = [];
  /** How the calls to come end. */
  readonly ends: (End | undefined)[] = [];
  /** Tokens from before this revision are too old. */
  horizon = 0n;
  head = 0n;
  /** The newest change of each name. */
  readonly #rows = new Map<string, { revision: bigint; title: string | undefined }>();
  readonly #streams = new Set<Stream>();
  #beats = 0;

  client(interceptors: Interceptor[] = []) {
    const routes: Parameters<typeof createRouterTransport>[0] = ({ service }) =>
      service(TaskService, { watchTasks: (request, context) => this.#watch(request, context) });
    return createClient(
      TaskService,
      createRouterTransport(routes, { transport: { interceptors } }),
    );
  }

  /** Writes a task, or deletes it. */
  write(name: string, title?: string): void {
    this.head += 1n;
    this.#rows.delete(name);
    this.#rows.set(name, { revision: this.head, title });
    this.#wake();
  }

  /** All that is there: titles by name. */
  get state(): Record<string, string> {
    const there = [...this.#rows].filter(([, { title }]) => title !== undefined);
    return Object.fromEntries(there.map(([name, { title }]) => [name, title ?? ""]));
  }

  /** How many streams are open. */
  get open(): number {
    return this.#streams.size;
  }

  /** Ends every open stream. */
  cut(how: ConnectError | "end" = new ConnectError("cut", Code.Unavailable)): void {
    for (const stream of this.#streams) stream.cut = how;
    this.#wake();
  }

  /** Says that nothing happened. */
  beat(): void {
    this.#beats += 1;
    this.#wake();
  }

  async *#watch({ resumeToken }: { resumeToken: string }, { signal }: HandlerContext) {
    this.calls.push(resumeToken);
    const end = this.ends.shift();
    const stream: Stream = { wake: () => undefined };
    const close = (): void => {
      this.#streams.delete(stream);
      stream.wake();
    };
    this.#streams.add(stream);
    // Nobody reads any more then, so nothing else would end the generator.
    signal.addEventListener("abort", close);
    let sent = 0;
    try {
      for await (const event of this.#events(resumeToken, stream)) {
        if (sent === end?.before) {
          if (end.with === "silence") await fired(signal);
          if (end.with instanceof ConnectError) throw end.with;
          if (!(end.with instanceof Promise)) return;
          await end.with;
        }
        sent += 1;
        yield event;
      }
    } finally {
      close();
    }
  }

  async *#events(token: string, stream: Stream): AsyncGenerator<Event> {
    let at = BigInt(token.slice(1) || 0);
    if (token && (at < this.horizon || at > this.head)) {
      at = 0n;
      yield { event: { case: "reset", value: {} }, resumeToken: "r0" };
    }
    for (let beats = this.#beats, current = false; this.#streams.has(stream);) {
      const changes = this.#after(at);
      if (stream.cut === "end") return;
      if (stream.cut) throw stream.cut;
      if (changes.length > 0) {
        at = changes.at(-1)?.revision ?? at;
        yield { event: { case: "changes", value: { changes } }, resumeToken: `r${at}` };
      } else if (!current) {
        current = true;
        yield { event: { case: "current", value: {} }, resumeToken: `r${at}` };
      } else if (beats < this.#beats) {
        beats = this.#beats;
        yield { event: { case: "bookmark", value: {} }, resumeToken: `r${at}` };
      } else {
        await new Promise<void>((wake) => (stream.wake = wake));
      }
    }
  }

  #after(at: bigint) {
    const newer = [...this.#rows].filter(([, { revision }]) => revision > at).slice(0, 2);
    return newer.map(([name, { revision, title }]) => ({
      revision,
      resource:
        title === undefined
          ? { case: "removedTask" as const, value: name }
          : { case: "task" as const, value: { name, title, revision } },
    }));
  }

  #wake(): void {
    for (const { wake } of [...this.#streams]) wake();
  }
}

/** What somebody knows who hears everything. */
export class Reader {
  readonly titles = new Map<string, string>();
  /** The revisions in the order in which they were told. */
  readonly revisions: bigint[] = [];
  wholes = 0;
  heard: Told | undefined;
  readonly #waiting = new Set<() => void>();

  readonly hear = (told: Told): void => {
    this.heard = told;
    if (told.whole) {
      this.wholes += 1;
      this.titles.clear();
      this.revisions.length = 0;
    }
    for (const change of told.changes) this.#take(change);
    for (const look of [...this.#waiting]) look();
  };

  get state(): Record<string, string> {
    return Object.fromEntries(this.titles);
  }

  /** Resolves as soon as this holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((look) => {
        this.#waiting.add(look);
      });
    }
  }

  knows(feed: Feed): Promise<void> {
    return this.until(() => this.heard?.token === `r${feed.head}`);
  }

  #take({ revision, resource }: Change): void {
    const last = this.revisions.at(-1) ?? 0n;
    if (revision <= last) throw new Error(`${revision} was told after ${last}`);
    this.revisions.push(revision);
    if (resource.case === "task") this.titles.set(resource.value.name, resource.value.title);
    if (resource.case === "removedTask") this.titles.delete(resource.value);
  }
}

/** A clock that is moved by hand, or that goes on by itself over every pause. */
export class Clock {
  /** The pauses that were asked for, in ms; not the patience with a silent stream. */
  readonly pauses: number[] = [];
  #now = 0;
  readonly #goesOn: boolean;
  readonly #waits = new Set<{ at: number; over: () => void }>();
  readonly #looking = new Set<() => void>();

  constructor(goesOn = true) {
    this.#goesOn = goesOn;
  }

  readonly wait = (ms: number, signal: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const silence = ms === 45_000;
      if (!silence) this.pauses.push(ms);
      const wait = { at: this.#now + ms, over: () => resolve(true) };
      if (this.#goesOn && !silence) return wait.over();
      this.#waits.add(wait);
      signal.addEventListener("abort", () => {
        this.#waits.delete(wait);
        resolve(false);
      });
      for (const look of [...this.#looking]) look();
    });

  advance(ms: number): void {
    this.#now += ms;
    for (const wait of [...this.#waits]) {
      if (wait.at > this.#now) continue;
      this.#waits.delete(wait);
      wait.over();
    }
  }

  /** Resolves when so many pauses were asked for. */
  async paused(times: number): Promise<void> {
    while (this.pauses.length < times) {
      await new Promise<void>((look) => {
        this.#looking.add(look);
      });
    }
  }
}

export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });
}
