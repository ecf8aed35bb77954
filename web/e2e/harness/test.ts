// `test` with Duet in it: one `duet up` for all tests of a worker, people with
// browsers of their own, and a watch over everything that any browser does.

import { test as base, type BrowserContextOptions, expect } from "@playwright/test";
import { Account, somebody, type Who } from "./account.ts";
import type { Mails } from "./mails.ts";
import { Pair } from "./pair.ts";
import { Parts } from "./parts.ts";
import type { Place } from "./place.ts";
import { Someone } from "./someone.ts";
import { Watch } from "./watch.ts";

interface Settings {
  /** Variables of `duet up`, such as AUTH_ACCESS_TOKEN_TTL. */
  settings: Record<string, string>;
  pair: Pair;
  parts: Parts;
}

export interface People {
  place: Place;
  watch: Watch;
  /** What `duet up` would have sent. */
  mails: Mails;
  /** A browser of its own. */
  sit: (who: Who, account?: Account, options?: BrowserContextOptions) => Promise<Someone>;
  /** Somebody with an account, signed in, with their tasks before them. */
  person: (name: string) => Promise<Someone>;
  /** Somebody without an account. */
  visitor: (name: string, path?: string) => Promise<Someone>;
  /** The same person in front of another device, signed in there as well. */
  device: (of: Someone, options?: BrowserContextOptions) => Promise<Someone>;
  calm: void;
}

export const test = base.extend<People, Settings>({
  settings: [{}, { scope: "worker", option: true }],

  pair: [
    async ({ settings }, use) => {
      const pair = await Pair.start(settings);
      await use(pair);
      await pair.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  parts: [
    async ({}, use, { parallelIndex }) => {
      const parts = await Parts.start(parallelIndex);
      await use(parts);
      await parts.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  place: ({ pair }, use) => use(pair),

  mails: ({ pair }, use) => use(pair.mails),

  watch: ({ place }, use) => use(new Watch(place.origin)),

  calm: [
    async ({ place, watch }, use, info) => {
      await use();
      if (info.status !== info.expectedStatus) {
        await info.attach("log", { body: place.log() });
        // An attachment is shown by its beginning; what went wrong stands further on.
        const wrong = place
          .log()
          .split("\n")
          .filter((line) => / (WARN|ERROR) |"level":"(WARN|ERROR)"/.test(line));
        if (wrong.length > 0) console.error(wrong.join("\n"));
      }
      expect(watch.problems).toEqual([]);
    },
    { auto: true },
  ],

  sit: async ({ browser, place, watch }, use) => {
    const sit: People["sit"] = async (who, account, options) => {
      const context = await browser.newContext(options);
      await watch.follow(context);
      if (account) await context.addCookies([cookieOf(place, account.cookie)]);
      return new Someone(place, await context.newPage(), who, account);
    };
    await use(sit);
    await Promise.all(browser.contexts().map((context) => context.close()));
  },

  person: async ({ sit, place }, use) => {
    await use(async (name) => {
      const who = somebody(name);
      const person = await sit(who, await Account.signUp(place, who));
      await person.open("/tasks");
      await expect(person.heading("Tasks")).toBeVisible();
      return person;
    });
  },

  visitor: async ({ sit }, use) => {
    await use(async (name, path = "/signup") => {
      const visitor = await sit(somebody(name));
      await visitor.open(path);
      return visitor;
    });
  },

  device: async ({ sit, place }, use) => {
    await use(async ({ who }, options) => {
      const device = await sit(who, await Account.signIn(place, who), options);
      await device.open("/tasks");
      await expect(device.heading("Tasks")).toBeVisible();
      return device;
    });
  },
});

/** The same with every part a process of its own, behind a proxy with TLS. */
export const testParts = test.extend({
  ignoreHTTPSErrors: true,
  place: ({ parts }, use) => use(parts),
});

function cookieOf({ origin, cookie }: Place, value: string) {
  const { name, secure } = cookie;
  return { name, value, url: origin, httpOnly: true, secure, sameSite: "Strict" as const };
}

export { expect };
