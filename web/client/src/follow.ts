// The changes of one's tasks and lists in every tab of a browser, over one
// stream: the tab that leads reads it and publishes what it is told, the others
// take that. A connection is dear where a browser has six of them.
//
// Why nothing is missed: the token of a tab stands for everything that it told,
// and what is published says which token it comes after. Where that is the
// tab's own, nothing lies between. Where it is not (the tab came late, slept, or
// another one leads now), the tab reads a short stream of its own, from its own
// token until that is current. That stream begins after the publication that was
// not in order, so it tells that one too, and whatever is published later comes
// after it. If more was published meanwhile, the tab reads on before it trusts
// the chain again.
//
// Whoever is looked at again leads: browsers slow down, freeze and put away the
// other tabs, and coming back to a tab reads from its own token. A new tab only
// says hello, so that it alone has something to catch up with; it leads if
// nobody answers.

import type { Failure } from "./errors.ts";
import { failureOf } from "./errors.ts";
import type { Message, Tabs } from "./tabs.ts";
import type { Told, WatchOptions } from "./watch.ts";

export interface FollowOptions {
  /** A sync token to go on from; without one, all there is is told first. */
  from?: string;
  signal: AbortSignal;
  /** Hears what happened, as from `watchTasks`. */
  told: (told: Told) => void;
  /** Hears of every attempt that failed; what is told next says that it is over. */
  lost?: (failure?: Failure) => void;
  /** Hears why nothing more will be told: the session is over, or the service refused. */
  ended?: (failure: Failure) => void;
}

/** What of a page decides who leads; tests bring their own. */
export interface Screen {
  /** Whether somebody looks at this tab. */
  isVisible(): boolean;
  /** Calls `looked` when that may have changed, `online` when the network is back. */
  listen(looked: () => void, online: () => void, until: AbortSignal): void;
}

export interface Place {
  readonly tabs: Tabs;
  /** The id of the user whose tasks these are. */
  readonly user: string;
  readonly watch: (options: WatchOptions) => AsyncIterable<Told>;
  readonly screen?: Screen | undefined;
}

/** Follows until the signal fires or the session is over; `wake` tries again at once. */
export function follow(place: Place, options: FollowOptions): { wake: () => void } {
  const follower = new Follower(place, options);
  void follower.run();
  return { wake: () => follower.wake() };
}

/** How long a new tab waits for one that leads. */
const PATIENCE_MS = 1_000;

class Follower {
  /** Everything up to here was told in this tab. */
  #token: string;
  #last = 0n;
  #leads = false;
  #catching = false;
  /** The token of what was published last while this tab caught up. */
  #published = "";
  /** Whether this tab shall lead now, whoever does. */
  #takes = false;
  /** Whether another tab published anything. */
  #greeted = false;
  /** Ends the stream that is read. */
  #stream = new AbortController();
  /** Ends the waiting for the lead, and the leading. */
  #turn = new AbortController();
  readonly #closed = new AbortController();
  readonly #place: Place;
  readonly #screen: Screen;
  readonly #options: FollowOptions;

  constructor(place: Place, options: FollowOptions) {
    const { tabs, screen = thisScreen } = place;
    const { signal } = this.#closed;
    this.#place = place;
    this.#screen = screen;
    this.#options = options;
    this.#token = options.from ?? "";
    const deaf = tabs.listen((message) => this.#hear(message));
    screen.listen(
      () => this.#looked(),
      () => this.wake(),
      signal,
    );
    signal.addEventListener("abort", () => {
      deaf();
      this.#turn.abort();
      this.#stream.abort();
    });
    const hello = setTimeout(() => this.#greeted || this.#leads || this.#looked(), PATIENCE_MS);
    signal.addEventListener("abort", () => clearTimeout(hello));
    tabs.post({ kind: "hello", user: place.user });
    const close = (): void => this.#closed.abort();
    options.signal.addEventListener("abort", close, { signal });
    if (options.signal.aborted) close();
  }

  /** Leads whenever it can, to the end. */
  async run(): Promise<void> {
    const { tabs, user } = this.#place;
    while (!this.#closed.signal.aborted) {
      const turn = (this.#turn = new AbortController());
      const lead = { what: `watch:${user}`, take: this.#takes, until: turn.signal };
      this.#takes = false;
      const work = (taken: AbortSignal): Promise<void> => {
        taken.addEventListener("abort", () => turn.abort());
        return this.#lead(turn.signal);
      };
      // Where tabs know nothing of each other, one that is not looked at reads nothing.
      if (!tabs.together && !this.#screen.isVisible()) await fired(turn.signal);
      else await tabs.lead(lead, work).catch(() => fired(turn.signal));
      this.#leads = false;
    }
  }

  /** Reads anew at once, if this tab reads: what was read may be dead without knowing it. */
  wake(): void {
    this.#stream.abort();
  }

  #looked(): void {
    if (!this.#screen.isVisible()) {
      if (this.#place.tabs.together) return;
    } else if (this.#leads) {
      return this.wake();
    } else {
      this.#takes = true;
    }
    this.#turn.abort();
  }

  async #lead(until: AbortSignal): Promise<void> {
    // What was still to be caught up with is told by the new stream.
    this.#stream.abort();
    this.#leads = true;
    until.addEventListener("abort", () => this.#stream.abort());
    while (!until.aborted) await this.#read(true);
  }

  #hear(message: Message): void {
    const { tabs, user } = this.#place;
    if (!("user" in message) || message.user !== user || !tabs.together) return;
    if (message.kind === "hello") return this.#leads ? this.#publish() : undefined;
    if (this.#leads) return;
    this.#greeted = true;
    if (message.kind === "lost") this.#options.lost?.();
    else if (this.#catching) this.#published = message.told.token;
    else if (message.after === this.#token) this.#tell(message.told);
    else void this.#catchUp(message.told.token);
  }

  /** Reads what lies between this tab's token and one that was published. */
  async #catchUp(published: string): Promise<void> {
    this.#catching = true;
    this.#published = published;
    while (!this.#closed.signal.aborted) {
      const before = this.#published;
      const isCurrent = await this.#read(false);
      if (this.#leads) break;
      if (isCurrent && this.#published === before) {
        this.#token = before;
        break;
      }
    }
    this.#catching = false;
  }

  /** Reads a stream: to lead, until it is ended; else until it is current, and tells whether it is. */
  async #read(leads: boolean): Promise<boolean> {
    const { tabs, user, watch } = this.#place;
    const { signal } = (this.#stream = new AbortController());
    const lost = (failure: Failure): void => {
      this.#options.lost?.(failure);
      if (leads) tabs.post({ kind: "lost", user });
    };
    try {
      for await (const told of watch({ from: this.#token, signal, lost })) {
        if (signal.aborted) break;
        const after = this.#token;
        this.#tell(told);
        if (leads) this.#publish(after, told);
        else if (told.current) return true;
      }
    } catch (error) {
      this.#options.ended?.(failureOf(error));
      this.#closed.abort();
    }
    return false;
  }

  /** Publishes what was told; if nothing was, how far that is. */
  #publish(after = this.#token, told: Told = nothing(after)): void {
    const { tabs, user } = this.#place;
    tabs.post({ kind: "told", user, after, told });
  }

  #tell(told: Told): void {
    const changes = told.changes.filter(({ revision }) => told.whole || revision > this.#last);
    this.#last = changes.at(-1)?.revision ?? (told.whole ? 0n : this.#last);
    this.#token = told.token;
    try {
      this.#options.told({ ...told, changes });
    } catch (error) {
      // The listener's own fault: told to the page, and no reason to stop.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function nothing(token: string): Told {
  return { changes: [], whole: false, current: true, token };
}

const thisScreen: Screen = {
  isVisible: () => document.visibilityState === "visible",
  listen(looked, online, signal) {
    document.addEventListener("visibilitychange", looked, { signal });
    // From the cache of pages, and out of the ice.
    addEventListener("pageshow", (event) => event.persisted && looked(), { signal });
    document.addEventListener("resume", looked, { signal });
    addEventListener("online", online, { signal });
  },
};

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
