// A browser as far as the client sees one: tabs that share locks, channels and
// a cookie jar, and a clock that is wrong by decades.

import { test as base } from "@playwright/test";
import { createDuet, type Duet, type DuetOptions, type SessionState } from "../../src/index.ts";
import { joinTabs, type Browser, type Tabs } from "../../src/tabs.ts";
import { Pair } from "./pair.ts";

export class Device {
  readonly locks = new Locks();
  readonly pair: Pair;
  /** The name in the cookie jar and of the channel. */
  readonly name = `duet-${Math.random()}`;
  /** What `fetch` was called with. */
  readonly sent: { url: string; credentials: RequestCredentials | undefined }[] = [];
  cookie = "";
  /** Milliseconds; each look at the clock takes one. */
  clock = 0;
  /** What is done at the end. */
  readonly closing: (() => void)[] = [];

  constructor(pair: Pair) {
    this.pair = pair;
  }

  /** A new tab; `browser` is what it has of locks and channels. */
  open(options: DuetOptions = {}, browser: Browser = this.browser()): Duet {
    const tabs = options.tabs ?? this.join(browser);
    const duet = createDuet({
      authUrl: "https://auth.test",
      taskUrl: "https://task.test",
      fetch: this.fetch,
      now: () => ++this.clock,
      ...options,
      tabs,
    });
    this.closing.push(() => duet.close());
    return duet;
  }

  join(browser: Browser = this.browser(), lockPatienceMs?: number): Tabs {
    const tabs = joinTabs(this.name, browser, lockPatienceMs);
    this.closing.push(() => tabs.close());
    return tabs;
  }

  browser(): Browser {
    return { locks: this.locks, openChannel: (name) => new BroadcastChannel(name) };
  }

  /** Time passes here and at the services. */
  later(seconds: number): void {
    this.clock += seconds * 1000;
    this.pair.now += seconds;
  }

  close(): void {
    for (const close of this.closing) close();
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const credentials = init?.credentials;
    this.sent.push({ url: String(input), credentials });
    const request = new Request(input, init);
    if (credentials === "include" && this.cookie) request.headers.set("cookie", this.cookie);
    const response = await unlessAborted(request.signal, this.pair.answer(request));
    const stored = response.headers.get("set-cookie");
    if (credentials === "include" && stored !== null) {
      this.cookie = stored.endsWith("=") ? "" : stored;
    }
    return response;
  };
}

/** Web Locks, as far as they are used: exclusive, first come first served, or taken away. */
export class Locks implements NonNullable<Browser["locks"]> {
  readonly #queues = new Map<string, Turn[]>();

  readonly request = ((
    name: string,
    { signal, steal }: LockOptions,
    work: () => Promise<unknown>,
  ): Promise<unknown> => {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const at = queue.indexOf(turn);
        if (at >= 0) queue.splice(at, 1);
        if (at === 0) queue[0]?.begin();
      };
      const turn: Turn = {
        begin() {
          turn.held = true;
          void work().finally(leave).then(resolve, reject);
        },
        taken: () => reject(new DOMException("taken", "AbortError")),
        held: false,
      };
      const giveUp = (): void => {
        if (turn.held) return;
        leave();
        reject(signal?.reason);
      };
      if (signal?.aborted) return giveUp();
      signal?.addEventListener("abort", giveUp);
      if (steal) {
        queue.shift()?.taken();
        queue.unshift(turn);
      } else queue.push(turn);
      if (queue[0] === turn) turn.begin();
    });
  }) as LockManager["request"];

  async query(): Promise<LockManagerSnapshot> {
    const held = [...this.#queues].filter(([, queue]) => queue[0]?.held);
    return { held: held.map(([name]) => ({ name })), pending: [] };
  }
}

interface Turn {
  begin(): void;
  taken(): void;
  held: boolean;
}

export const test = base.extend<{ pair: Pair; device: Device }>({
  pair: async ({}, use) => use(new Pair()),
  device: async ({ pair }, use) => {
    const device = new Device(pair);
    await use(device);
    device.close();
  },
});

/** Resolves as soon as the session is in such a state. */
export function reaches(duet: Duet, kind: SessionState["kind"], who?: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (state: SessionState) => {
      if (state.kind !== kind) return;
      if (who !== undefined && state.kind === "signed-in" && state.email !== who) return;
      stop();
      resolve();
    };
    const stop = duet.session.subscribe(look);
    look(duet.session.state);
  });
}

function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
