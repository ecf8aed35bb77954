// The interceptor that signs calls in: it attaches the access token, and where
// a service will not have it, refreshes once and repeats the call once. It
// works for unary calls and for server streams, of which only the start can be
// repeated.
//
// A call belongs to the user for whom it was made: it is never sent, or sent
// again, with the token of somebody who signed in meanwhile.

import type { Interceptor, StreamResponse } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Reason } from "./errors.ts";
import { reasonOf } from "./errors.ts";
import type { BrowserSession } from "./session.ts";
import type { Held } from "./token.ts";

/** What a new token may mend. */
const MENDABLE: readonly (Reason | undefined)[] = [
  "TOKEN_MISSING",
  "TOKEN_EXPIRED",
  "TOKEN_INVALID",
];

export function bearer(session: BrowserSession): Interceptor {
  return (next) => async (request) => {
    const call = new Call(session, request.signal);
    if (!request.stream) {
      return call.run((authorization) => {
        request.header.set("authorization", authorization);
        return next(request);
      });
    }
    // A stream of requests can be read once, and may have to be sent twice.
    const messages = await all(request.message);
    return restartable(call, async (authorization) => {
      request.header.set("authorization", authorization);
      return (await next({ ...request, message: each(messages) })) as StreamResponse;
    });
  };
}

/** One call, in at most two attempts. */
class Call {
  readonly #session: BrowserSession;
  readonly #signal: AbortSignal;
  readonly #userId: string | undefined;
  #used: Held | undefined;
  #refused: string | undefined;

  constructor(session: BrowserSession, signal: AbortSignal) {
    this.#session = session;
    this.#signal = signal;
    this.#userId = session.state.kind === "signed-in" ? session.state.userId : undefined;
  }

  async run<T>(attempt: (authorization: string) => Promise<T>): Promise<T> {
    for (;;) {
      const used = await orAborted(this.#signal, this.#session.credentials(this.#refused));
      if (used.userId !== (this.#userId ?? used.userId)) throw somebodyElse();
      this.#used = used;
      try {
        return await attempt(`Bearer ${used.accessToken}`);
      } catch (error) {
        this.assertMendable(error);
      }
    }
  }

  /** A stream that was good has ended like this. */
  doubt(error: unknown): void {
    if (this.#used) this.#session.doubt(error, this.#used);
  }

  /** Throws the error, unless it calls for the second attempt. */
  assertMendable(error: unknown): void {
    if (this.#used) this.#session.heed(error, this.#used);
    if (this.#refused !== undefined || !MENDABLE.includes(reasonOf(error))) throw error;
    this.#refused = this.#used?.accessToken;
  }
}

/**
 * A stream may be refused when it is opened, or, as some protocols have it, in
 * place of its first message. It begins again in both cases.
 */
async function restartable(
  call: Call,
  attempt: (authorization: string) => Promise<StreamResponse>,
): Promise<StreamResponse> {
  const first = await call.run(attempt);
  async function* messages() {
    for (let response = first, begun = false; ; response = await call.run(attempt)) {
      try {
        for await (const message of response.message) {
          begun = true;
          yield message;
        }
        if (response !== first) response.trailer.forEach((v, k) => first.trailer.set(k, v));
        return;
      } catch (error) {
        if (begun) {
          call.doubt(error);
          throw error;
        }
        call.assertMendable(error);
      }
    }
  }
  return { ...first, message: messages() };
}

async function all<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const message of messages) list.push(message);
  return list;
}

async function* each<T>(values: T[]): AsyncIterable<T> {
  yield* values;
}

/** Stops waiting when the call is given up; what it waited for goes on. */
function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject);
  });
}

function somebodyElse(): ConnectError {
  return new ConnectError("Somebody else has signed in.", Code.Canceled);
}
