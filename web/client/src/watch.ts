// The changes of one's tasks and lists, told as they happen over as many streams
// as it takes: each goes on after the last token, so nothing is lost, and what
// was told already is dropped, so nothing is told twice. A stream that says
// nothing for too long is dead, whatever the network thinks of it.
//
// Which tab of a browser reads the stream is decided in follow.ts.

import type { Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Failure } from "./errors.ts";
import { failureOf, signedOut } from "./errors.ts";
import type { Change } from "./gen/task/v1/change_pb.ts";
import type { TaskService, WatchTasksResponse } from "./gen/task/v1/task_service_pb.ts";
import type { Session } from "./session.ts";

/** What happened since the last time. */
export interface Told {
  /** In the order of their revisions, all newer than what was told before. */
  readonly changes: readonly Change[];
  /** Whether the changes are all there is: whatever else is known is to be forgotten. */
  readonly whole: boolean;
  /** Whether nothing more is waiting to be told. */
  readonly current: boolean;
  /** Goes on after this. */
  readonly token: string;
}

export interface WatchOptions {
  /** A sync or resume token to go on from; without one, all there is is told first. */
  from?: string | undefined;
  /** Only tasks for which this holds, as in ListTasks. */
  filter?: string;
  /** IANA time zone in which the filter's `today()` is a day. */
  timeZone?: string;
  /** Ends it without an error. */
  signal?: AbortSignal;
  /** Hears of every stream that broke off; what is told next says that there is one again. */
  lost?: (failure: Failure) => void;
}

/** Resolves after a while, or as soon as the signal fires: whether it was after a while. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<boolean>;

export interface Source {
  readonly tasks: Pick<Client<typeof TaskService>, "watchTasks">;
  readonly session: Pick<Session, "state" | "subscribe">;
  /** Instead of `setTimeout`. */
  readonly wait?: Wait | undefined;
}

/** Bookmarks come every 15 s. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** What would be the same next time. */
const FINAL: readonly Code[] = [Code.InvalidArgument, Code.PermissionDenied, Code.Unimplemented];

/**
 * Tells what changes, for the user who is signed in. Leaving the loop ends the
 * stream. Throws when the session is over or the service will not have the
 * request; everything else is tried again.
 */
export async function* watch(source: Source, options: WatchOptions = {}): AsyncGenerator<Told> {
  const { session, wait = waitFor } = source;
  const { signal = new AbortController().signal, lost } = options;
  const isOver = endOf(session);
  const position = new Position(options.from);
  // Broken streams since one that lasted.
  let broken = 0;
  while (!signal.aborted) {
    let heard = false;
    let cause: unknown = new ConnectError("The stream ended.", Code.Unavailable);
    const stream = open({ ...source, wait }, options, position.token, signal);
    const stop = session.subscribe(() => isOver() && stream.end());
    try {
      for await (const { event, resumeToken } of stream.messages) {
        heard = true;
        if (event.case === "bookmark") broken = 0;
        const told = position.take(event, resumeToken);
        if (told) yield told;
      }
    } catch (error) {
      cause = error;
    } finally {
      stop();
      stream.end();
    }
    if (signal.aborted) return;
    if (isOver()) throw signedOut();
    const failure = failureOf(cause);
    if (failure.reason === "SYNC_TOKEN_INVALID" && position.token) position.forget();
    else if (FINAL.includes(failure.code)) throw cause;
    // The next one gets a new access token, and goes on at once.
    if (heard && failure.reason === "TOKEN_EXPIRED") continue;
    // So does this one, unless the session is over; but it is the end of many streams.
    const doubted = heard && failure.reason === "SESSION_REVOKED";
    if (doubted) broken = 0;
    else lost?.(failure);
    await wait(Math.max(pauseAfter(broken), failure.retryAfterMs ?? 0), signal);
    broken += 1;
  }
}

/** How far it was told, and what is being gathered until it is whole. */
class Position {
  token: string;
  #last = 0n;
  #all: Change[] | undefined;

  constructor(token = "") {
    this.token = token;
    if (!token) this.forget();
  }

  /** Begins with nothing. */
  forget(): void {
    this.token = "";
    this.#last = 0n;
    this.#all = [];
  }

  take(event: WatchTasksResponse["event"], token: string): Told | undefined {
    if (event.case === "reset") this.forget();
    this.token = token;
    const said = event.case === "changes" ? event.value.changes : [];
    const changes = said.filter(({ revision }) => revision > this.#last);
    this.#last = changes.at(-1)?.revision ?? this.#last;
    const current = event.case === "current";
    const all = this.#all;
    if (!all) return { changes, whole: false, current, token };
    // One at a time: a list of arguments has its limits.
    for (const change of changes) all.push(change);
    if (!current) return undefined;
    this.#all = undefined;
    return { changes: all, whole: true, current, token };
  }
}

interface Stream {
  readonly messages: AsyncIterable<WatchTasksResponse>;
  end(): void;
}

/** A stream that ends with the signal, with `end`, and when nothing comes any more. */
function open(
  { tasks, wait }: Source & { wait: Wait },
  { filter = "", timeZone = "" }: WatchOptions,
  resumeToken: string,
  signal: AbortSignal,
): Stream {
  // Leaving a loop over a stream does not end its request; this does.
  const request = new AbortController();
  let silence = new AbortController();
  const end = (): void => {
    signal.removeEventListener("abort", end);
    silence.abort();
    request.abort();
  };
  const listen = (): void => {
    silence.abort();
    silence = new AbortController();
    void wait(SILENCE_MS, silence.signal).then((over) => over && request.abort());
  };
  async function* messages(): AsyncGenerator<WatchTasksResponse> {
    listen();
    const question = { resumeToken, filter, timeZone };
    for await (const message of tasks.watchTasks(question, { signal: request.signal })) {
      listen();
      yield message;
    }
  }
  signal.addEventListener("abort", end);
  return { messages: messages(), end };
}

/** Whether the session for which this was asked is over, or somebody else's by now. */
function endOf(session: Source["session"]): () => boolean {
  let user: string | undefined;
  const look = (): boolean => {
    const { state } = session;
    if (state.kind !== "signed-in") return state.kind === "signed-out";
    user ??= state.userId;
    return user !== state.userId;
  };
  look();
  return look;
}

/** At once after one that lasted, but not all pages together; then longer and longer. */
function pauseAfter(broken: number): number {
  if (broken === 0) return Math.random() * FIRST_PAUSE_MS;
  const pause = FIRST_PAUSE_MS * 2 ** (broken - 1) * (0.75 + Math.random() / 2);
  return Math.min(pause, LONGEST_PAUSE_MS);
}

function waitFor(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
