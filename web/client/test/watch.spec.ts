// One stream after the other, told as one.

import { expect, test as base } from "@playwright/test";
import { Code, ConnectError } from "@connectrpc/connect";
import { bearer } from "../src/bearer.ts";
import { failureOf, type SessionListener, type SessionState } from "../src/index.ts";
import type { BrowserSession } from "../src/session.ts";
import { type Told, watch, type WatchOptions } from "../src/watch.ts";
import { test as device } from "./support/device.ts";
import { Clock, type End, Feed, Reader } from "./support/feed.ts";
import { refusal, unauthenticated } from "./support/refusal.ts";

class Session {
  state: SessionState = { kind: "signed-in", userId: "ada", email: "", session: "" };
  readonly #listeners = new Set<SessionListener>();

  readonly subscribe = (listener: SessionListener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  become(state: SessionState): void {
    const before = this.state;
    this.state = state;
    for (const listener of this.#listeners) listener(state, before);
  }
}

const test = base.extend<{ feed: Feed; session: Session; clock: Clock; reader: Reader }>({
  feed: async ({}, use) => use(new Feed()),
  session: async ({}, use) => use(new Session()),
  clock: async ({}, use) => use(new Clock()),
  reader: async ({}, use) => use(new Reader()),
});

const unreached = new ConnectError(
  "Failed to fetch",
  Code.Unknown,
  undefined,
  undefined,
  new TypeError("Failed to fetch"),
);
const CUTS: Record<string, End["with"]> = {
  "the server drains": refusal(Code.Unavailable, "SERVER_DRAINING", "Going."),
  "the database is away": refusal(Code.Unavailable, "DATABASE_UNAVAILABLE", "Away."),
  "the network fails": unreached,
  "the stream ends politely": "end",
  "the access token expires": unauthenticated("TOKEN_EXPIRED"),
  "there is a fault": refusal(Code.Internal, "INTERNAL", "Oh."),
};

for (const [what, end] of Object.entries(CUTS)) {
  for (const from of ["", "r2", "r1"]) {
    test(`nothing is lost or doubled wherever ${what}, from ${from || "nothing"}`, async ({
      session,
    }) => {
      for (let before = 0; before < 8; before += 1) {
        const [feed, reader, clock] = [new Feed(), new Reader(), new Clock()];
        for (const name of ["a", "b", "c", "d", "e"]) feed.write(name, `${name} at first`);
        feed.write("b");
        if (from === "r1") feed.horizon = 2n;
        if (from === "r2") reader.titles.set("a", "a at first").set("b", "b at first");
        feed.ends.push({ before, with: end }, { before: 1, with: end }, { before: 0, with: end });
        const source = { tasks: feed.client(), session, wait: clock.wait };
        for await (const told of watch(source, { from })) {
          reader.hear(told);
          if (told.current && feed.head < 12n) {
            feed.write("c", "c again");
            feed.write("f", "new");
            feed.write("a");
          }
          // A stream that was cut tells once more that it is current.
          if (feed.head < 12n) feed.write(`g${feed.head}`, "newer");
          if (feed.head >= 12n && reader.heard?.token === `r${feed.head}`) break;
        }
        expect(reader.state).toEqual(feed.state);
        expect(reader.wholes).toBe(from === "r2" ? 0 : 1);
        await expect.poll(() => feed.open).toBe(0);
      }
    });
  }
}

test("goes on from the last token, and not from the first", async ({ feed, session, clock }) => {
  feed.write("a", "one");
  const reader = new Reader();
  const reading = read({ feed, session, clock }, reader, { from: "r0" });
  await reader.knows(feed);
  feed.cut();
  feed.write("b", "two");
  await reader.knows(feed);
  feed.cut("end");
  feed.write("c", "three");
  await reader.knows(feed);
  expect(feed.calls).toEqual(["r0", "r1", "r2"]);
  await reading.stop();
});

test("what was told already is dropped", async ({ session, clock, reader }) => {
  const tasks = {
    async *watchTasks() {
      const change = (revision: bigint) => ({ revision, resource: { case: undefined } }) as never;
      for (const changes of [[1n, 2n], [2n, 3n], [3n]]) {
        const event = { case: "changes", value: { changes: changes.map(change) } };
        yield { event, resumeToken: "r" } as never;
      }
    },
  };
  for await (const told of watch({ tasks, session, wait: clock.wait }, { from: "r0" })) {
    reader.hear(told);
    if (reader.revisions.length === 3) break;
  }
  expect(reader.revisions).toEqual([1n, 2n, 3n]);
});

test("leaving the loop ends the request", async ({ feed, session, clock }) => {
  for await (const told of watch({ tasks: feed.client(), session, wait: clock.wait })) {
    expect(feed.open).toBe(1);
    if (told.current) break;
  }
  await expect.poll(() => feed.open).toBe(0);
  expect(feed.calls).toHaveLength(1);
});

test("the signal ends it: in a stream, in a pause, and before it began", async ({
  feed,
  session,
}) => {
  const clock = new Clock(false);
  const reader = new Reader();
  const first = read({ feed, session, clock }, reader);
  await reader.knows(feed);
  await first.stop();
  expect(feed.open).toBe(0);

  feed.ends.push({ before: 0, with: unreached });
  const second = read({ feed, session, clock }, reader);
  await clock.paused(1);
  await second.stop();

  const calls = feed.calls.length;
  await read({ feed, session, clock }, reader, { signal: AbortSignal.abort() }).over;
  expect(feed.calls).toHaveLength(calls);
});

test("a stream that says nothing for 45 s is dead", async ({ feed, session, reader }) => {
  const clock = new Clock(false);
  feed.ends.push({ before: 1, with: "silence" });
  const lost: string[] = [];
  const reading = read({ feed, session, clock }, reader, {
    from: "r0",
    lost: ({ code }) => lost.push(Code[code]),
  });
  await reader.until(() => reader.heard?.current === true);
  clock.advance(44_999);
  expect(clock.pauses).toEqual([]);
  clock.advance(1);
  await clock.paused(1);
  expect(lost).toEqual(["Canceled"]);
  feed.write("a", "one");
  clock.advance(1_000);
  await reader.knows(feed);
  // Whatever comes is a sign of life.
  for (let n = 0; n < 5; n += 1) {
    clock.advance(44_999);
    const before = reader.heard;
    feed.beat();
    await reader.until(() => reader.heard !== before);
  }
  expect(feed.calls).toEqual(["r0", "r0"]);
  await reading.stop();
});

test("a connection on which nothing ever comes is dead, too", async ({ feed, session, reader }) => {
  const clock = new Clock(false);
  feed.ends.push({ before: 0, with: "silence" });
  const reading = read({ feed, session, clock }, reader);
  await expect.poll(() => feed.open).toBe(1);
  clock.advance(45_000);
  await clock.paused(1);
  clock.advance(1_000);
  await reader.knows(feed);
  await reading.stop();
});

test("pauses grow to half a minute, and start anew after a stream that lasted", async ({
  feed,
  session,
  clock,
  reader,
}) => {
  for (let n = 0; n < 9; n += 1) feed.ends.push({ before: 0, with: unreached });
  const reading = read({ feed, session, clock }, reader);
  await reader.knows(feed);
  const [first, ...others] = clock.pauses;
  expect(first).toBeLessThanOrEqual(1_000);
  others.forEach((pause, n) => {
    expect(pause).toBeGreaterThanOrEqual(Math.min(750 * 2 ** n, 30_000 * 0.75));
    expect(pause).toBeLessThanOrEqual(Math.min(1_250 * 2 ** n, 30_000));
  });
  expect(clock.pauses).toHaveLength(9);
  const before = reader.heard;
  feed.beat();
  await reader.until(() => reader.heard !== before);
  feed.cut();
  await expect.poll(() => clock.pauses.length).toBe(10);
  expect(clock.pauses.at(-1)).toBeLessThanOrEqual(1_000);
  await reading.stop();
});

test("too many streams: the service says when to come again", async ({
  feed,
  session,
  clock,
  reader,
}) => {
  const retryAfter = { seconds: 20 };
  const limit = refusal(Code.ResourceExhausted, "WATCH_LIMIT", "Too many.", { retryAfter });
  feed.ends.push({ before: 0, with: limit });
  const reasons: unknown[] = [];
  const reading = read({ feed, session, clock }, reader, {
    lost: ({ reason }) => reasons.push(reason),
  });
  await reader.knows(feed);
  expect(clock.pauses).toEqual([20_000]);
  expect(reasons).toEqual(["WATCH_LIMIT"]);
  await reading.stop();
});

test("a token that the service does not know begins anew", async ({
  feed,
  session,
  clock,
  reader,
}) => {
  feed.write("a", "one");
  const error = refusal(Code.InvalidArgument, "SYNC_TOKEN_INVALID", "Not one of mine.");
  feed.ends.push({ before: 0, with: error });
  const reading = read({ feed, session, clock }, reader, { from: "r1" });
  await reader.until(() => reader.wholes === 1);
  expect(reader.state).toEqual({ a: "one" });
  expect(feed.calls).toEqual(["r1", ""]);
  await reading.stop();
});

for (const code of [Code.InvalidArgument, Code.PermissionDenied, Code.Unimplemented]) {
  test(`${Code[code]} is final`, async ({ feed, session, clock, reader }) => {
    const error = refusal(code, "FILTER_INVALID", "No.");
    feed.ends.push({ before: 0, with: error });
    const { over } = read({ feed, session, clock }, reader);
    expect(await over.catch(failureOf)).toMatchObject({ code });
    expect(clock.pauses).toEqual([]);
  });
}

test("it ends when the session does, or is somebody else's", async ({ feed, session, clock }) => {
  const ends: SessionState[] = [
    { kind: "signed-out", why: "expired" },
    { kind: "signed-in", userId: "eve", email: "", session: "" },
  ];
  for (const state of ends) {
    session.become({ kind: "signed-in", userId: "ada", email: "", session: "" });
    const reader = new Reader();
    const { over } = read({ feed, session, clock }, reader);
    await reader.knows(feed);
    session.become(state);
    await expect(over).rejects.toThrow();
    expect(feed.open).toBe(0);
  }
  expect(clock.pauses).toEqual([]);
});

device("E1: a new access token is no failure", async ({ device, pair }) => {
  const session = device.open().session as BrowserSession;
  await session.signUp({ email: "ada@example.com", password: "walnut-Trombone-91" });
  const [feed, clock, reader] = [new Feed(), new Clock(), new Reader()];
  const tokens: (string | null)[] = [];
  const tasks = feed.client([
    bearer(session),
    (next) => (request) => {
      tokens.push(request.header.get("authorization"));
      return next(request);
    },
  ]);
  const lost: unknown[] = [];
  const closed = new AbortController();
  const options = { signal: closed.signal, lost: (failure: unknown) => lost.push(failure) };
  const over = hear(watch({ tasks, session, wait: clock.wait }, options), reader);
  for (let n = 1; n <= 3; n += 1) {
    await reader.knows(feed);
    device.later(300);
    feed.cut(unauthenticated("TOKEN_EXPIRED"));
    feed.write("a", `after ${n}`);
  }
  await reader.knows(feed);
  expect(new Set(tokens).size).toBe(4);
  expect(pair.count("RefreshSession")).toBe(3);
  expect(lost).toEqual([]);
  expect(clock.pauses).toEqual([]);

  // A key was withdrawn, beneath all streams at once: only its tokens are good no more.
  feed.cut(unauthenticated("SESSION_REVOKED"));
  feed.write("a", "with another key");
  await reader.knows(feed);
  expect(new Set(tokens).size).toBe(5);
  expect(pair.count("RefreshSession")).toBe(4);
  expect(lost).toEqual([]);
  expect(clock.pauses).toHaveLength(1);
  expect(clock.pauses[0]).toBeLessThan(1_000);

  // The end of the session is the end.
  pair.endSessionsOf("ada@example.com");
  feed.cut(unauthenticated("SESSION_REVOKED"));
  expect(await over.catch(failureOf)).toMatchObject({ code: Code.Unauthenticated });
  expect(session.state).toMatchObject({ kind: "signed-out" });
});

interface Parts {
  feed: Feed;
  session: Session;
  clock: Clock;
}

/** Reads until it is stopped. */
function read({ feed, session, clock }: Parts, reader: Reader, options: WatchOptions = {}) {
  const closed = new AbortController();
  const source = { tasks: feed.client(), session, wait: clock.wait };
  const over = hear(watch(source, { signal: closed.signal, ...options }), reader);
  over.catch(() => undefined);
  const stop = async (): Promise<void> => {
    closed.abort();
    await over;
    await expect.poll(() => feed.open).toBe(0);
  };
  return { over, stop };
}

async function hear(tellings: AsyncIterable<Told>, reader: Reader): Promise<void> {
  for await (const told of tellings) reader.hear(told);
}
