// Tabs of one browser for tests of what they share: each follows as a page
// does, over locks and a channel of their own, at one service in memory.

import { expect } from "@playwright/test";
import { follow, type FollowOptions } from "../../src/follow.ts";
import type { Failure, Message, Tabs } from "../../src/index.ts";
import { type Browser, joinTabs } from "../../src/tabs.ts";
import { watch } from "../../src/watch.ts";
import { Locks } from "./device.ts";
import { Clock, Feed, Reader } from "./feed.ts";

const session = {
  state: { kind: "signed-in", userId: "ada", email: "", session: "" } as const,
  subscribe: () => () => undefined,
};

/** A browser: tabs that share locks and a channel, and one service. */
export class Machine {
  readonly feed = new Feed();
  readonly clock = new Clock();
  readonly tabs = new Set<Tab>();
  /** Whether tabs know of each other at all. */
  together = true;
  readonly #name = `duet-${Math.random()}`;
  readonly #locks = new Locks();

  /** A tab that has read its lists and follows from there. */
  open({ visible = true, ...options }: Partial<FollowOptions> & { visible?: boolean } = {}): Tab {
    const browser: Browser = this.together
      ? { locks: this.#locks, openChannel: (name) => new BroadcastChannel(name) }
      : {};
    const tab = new Tab(this, joinTabs(this.#name, browser), visible, options);
    this.tabs.add(tab);
    return tab;
  }

  close(): void {
    for (const tab of this.tabs) tab.close();
  }

  /** Every tab knows what there is. */
  async agrees(tabs: Iterable<Tab> = this.tabs): Promise<void> {
    for (const tab of tabs) {
      await tab.reader.until(() => tab.reader.heard !== undefined);
      await expect.poll(() => tab.reader.state).toEqual(this.feed.state);
    }
  }
}

export class Tab {
  readonly reader = new Reader();
  readonly failures: (Failure | undefined)[] = [];
  readonly endings: Failure[] = [];
  visible: boolean;
  /** Whether it hears nothing of the others, and they nothing of it: it is frozen. */
  deaf = false;
  /** The token of what another tab published last, whether it was heard or not. */
  published = "";
  readonly wake: () => void;
  readonly #machine: Machine;
  readonly #tabs: Tabs;
  readonly #closed = new AbortController();
  #looked = (): void => undefined;
  #online = (): void => undefined;

  constructor(machine: Machine, tabs: Tabs, visible: boolean, options: Partial<FollowOptions>) {
    const { feed, clock } = machine;
    this.#machine = machine;
    this.#tabs = tabs;
    this.visible = visible;
    for (const [name, title] of Object.entries(feed.state)) this.reader.titles.set(name, title);
    const screen = {
      isVisible: () => this.visible,
      listen: (looked: () => void, online: () => void) => {
        this.#looked = looked;
        this.#online = online;
      },
    };
    const source = { tasks: feed.client(), session, wait: clock.wait };
    const listen: Tabs["listen"] = (listener) =>
      tabs.listen((message: Message) => {
        if (message.kind === "told") this.published = message.told.token;
        if (!this.deaf) listener(message);
      });
    const post: Tabs["post"] = (message) => this.deaf || tabs.post(message);
    const { wake } = follow(
      {
        tabs: { ...tabs, listen, post },
        user: "ada",
        watch: (asked) => watch(source, asked),
        screen,
      },
      {
        from: `r${feed.head}`,
        signal: this.#closed.signal,
        told: this.reader.hear,
        lost: (failure) => this.failures.push(failure),
        ended: (failure) => this.endings.push(failure),
        ...options,
      },
    );
    this.wake = wake;
  }

  look(visible = true): void {
    this.visible = visible;
    this.#looked();
  }

  online(): void {
    this.#online();
  }

  close(): void {
    this.#machine.tabs.delete(this);
    this.#closed.abort();
    this.#tabs.close();
  }
}
