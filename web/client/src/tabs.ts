// The other tabs of this browser: who they are, who may act alone, and what
// they say to each other. Web Locks and BroadcastChannel are used here and
// nowhere else; where one of them is missing, each tab lives by itself.
//
// Nothing is kept in storage: a lock ends with its tab, a message with its
// delivery.

import type { Credentials } from "./token.ts";
import type { Told } from "./watch.ts";

export type Message =
  /** Somebody signed in, or the session was refreshed. */
  | { kind: "credentials"; credentials: Credentials }
  /** The session is over; without a name: whichever there was. */
  | { kind: "signed-out"; why: "signed-out" | "expired"; at: number; session?: string }
  /** Somebody signs this session out; without a name: it did not work. */
  | { kind: "signing-out"; session?: string }
  /** What has everybody? */
  | { kind: "ask"; from: string }
  | { kind: "answer"; from: string; to: string; credentials?: Credentials }
  /** Who leads the stream of this user, and where is it? */
  | { kind: "hello"; user: string }
  /** What the stream of this user told, after the token of what it told before. */
  | { kind: "told"; user: string; after: string; told: Told }
  /** That stream broke off. */
  | { kind: "lost"; user: string };

/** The seam between a session and the browser; tests bring their own. */
export interface Tabs {
  /** The name of this tab among the others. */
  readonly id: string;
  /** Runs `work` while no other tab (and nothing else in this one) is at it. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one tab at a time, in each for as long as it takes: when the
   * tabs before are through or, with `take`, at once in place of the one that is
   * at it. `until` ends the waiting. The signal that `work` gets fires when
   * another tab took its place. Resolves when nothing is left to wait for.
   */
  lead(lead: Lead, work: (taken: AbortSignal) => Promise<void>): Promise<void>;
  /** Whether tabs can agree on a leader, and hear from it. */
  readonly together: boolean;
  /** The names of the other tabs that are open; none where that is unknown. */
  others(): Promise<string[]>;
  /** Says something to all other tabs. */
  post(message: Message): void;
  /** Hears what other tabs say, until the returned function is called. */
  listen(listener: (message: Message) => void): () => void;
  close(): void;
}

export interface Lead {
  /** What is led; each has its own leader. */
  what: string;
  take: boolean;
  until: AbortSignal;
}

/** What is used of a browser. */
export interface Browser {
  locks?: Pick<LockManager, "request" | "query">;
  openChannel?: (
    name: string,
  ) => Pick<BroadcastChannel, "postMessage" | "addEventListener" | "removeEventListener" | "close">;
}

/**
 * How long a tab waits for the lock. A holder that takes longer hangs; going
 * on without the lock costs a call too many, which the server's grace allows.
 */
const LOCK_PATIENCE_MS = 5_000;

/** Joins the tabs that share `name`. */
export function joinTabs(
  name: string,
  browser: Browser = thisBrowser(),
  lockPatienceMs = LOCK_PATIENCE_MS,
): Tabs {
  const { locks, openChannel } = browser;
  const id = Math.random().toString(36).slice(2);
  const prefix = `${name}-tab-`;
  let channel = openChannel?.(name);
  const leaving = new AbortController();
  // Held for as long as the tab is open: that is how the others know of it.
  const held = () =>
    new Promise<void>((leave) => {
      leaving.signal.addEventListener("abort", () => leave());
    });
  const joined = locks?.request(prefix + id, { signal: leaving.signal }, held);
  joined?.catch(() => {});
  const alone = oneAfterTheOther();
  return {
    id,
    exclusively: (work) =>
      alone(() => (locks ? locked(locks, `${name}-refresh`, lockPatienceMs, work) : work())),
    together: locks !== undefined && openChannel !== undefined,
    lead: (lead, work) => led(openChannel && locks, `${name}-${lead.what}`, lead, work),
    async others() {
      if (!locks || !channel) return [];
      const names = (await locks.query()).held?.map((lock) => lock.name ?? "") ?? [];
      const tabs = names.filter((held) => held.startsWith(prefix) && held !== prefix + id);
      return tabs.map((held) => held.slice(prefix.length));
    },
    post: (message) => channel?.postMessage(message),
    listen(listener) {
      const heard = (event: MessageEvent) => listener(event.data as Message);
      channel?.addEventListener("message", heard);
      return () => channel?.removeEventListener("message", heard);
    },
    close() {
      leaving.abort();
      channel?.close();
      channel = undefined;
    },
  };
}

function thisBrowser(): Browser {
  return {
    // Absent on pages that are not secure, whatever the type says.
    locks: globalThis.navigator?.locks as LockManager | undefined,
    openChannel: globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name)),
  };
}

async function locked<T>(
  locks: Pick<LockManager, "request">,
  name: string,
  patienceMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(patienceMs);
  let begun = false;
  try {
    // A signal ends the waiting only; once the work has begun it is ignored.
    return await locks.request(name, { signal }, async () => {
      begun = true;
      return await work();
    });
  } catch (error) {
    if (begun || !signal.aborted) throw error;
    return work();
  }
}

async function led(
  locks: Browser["locks"],
  name: string,
  { take, until }: Lead,
  work: (taken: AbortSignal) => Promise<void>,
): Promise<void> {
  const taken = new AbortController();
  const begin = (): Promise<void> => work(taken.signal);
  if (!locks) return begin();
  try {
    await locks.request(name, take ? { steal: true } : { signal: until }, begin);
  } catch (error) {
    taken.abort();
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}

/** Within this tab, where there may be no Web Locks. */
function oneAfterTheOther(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
}
