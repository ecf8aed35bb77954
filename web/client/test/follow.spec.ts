// One stream for all tabs of a browser, and nothing that any of them misses.

import { expect, test as base } from "@playwright/test";
import { Code, ConnectError } from "@connectrpc/connect";
import { Machine, type Tab } from "./support/machine.ts";
import { deferred } from "./support/pair.ts";
import { refusal } from "./support/refusal.ts";

const lost = new ConnectError("gone", Code.Unavailable);

const test = base.extend<{ machine: Machine }>({
  machine: async ({}, use) => {
    const machine = new Machine();
    await use(machine);
    machine.close();
  },
});

test("eight tabs hear everything over one stream", async ({ machine }) => {
  const { feed } = machine;
  const tabs = Array.from({ length: 8 }, () => machine.open());
  feed.write("a", "one");
  await machine.agrees();
  feed.beat();
  await expect.poll(() => feed.open).toBe(1);
  const calls = feed.calls.length;
  for (let n = 0; n < 20; n += 1) feed.write(`${n % 7}`, n % 5 === 0 ? undefined : `at ${n}`);
  await machine.agrees();
  expect(feed.calls).toHaveLength(calls);
  expect(feed.open).toBe(1);
  expect(tabs.map(({ failures }) => failures)).toEqual(Array(8).fill([]));
});

test("when the leader closes, another leads from where it stopped", async ({ machine }) => {
  const { feed } = machine;
  const [first, second] = [machine.open({ visible: false }), machine.open({ visible: false })];
  feed.write("a", "one");
  await machine.agrees();
  first.close();
  feed.write("b", "two");
  await machine.agrees([second]);
  expect(feed.calls.at(-1)).toBe("r1");
  await expect.poll(() => feed.open).toBe(1);
});

test("a tab that comes late reads what it does not have, and no more", async ({ machine }) => {
  const { feed } = machine;
  feed.write("a", "one");
  const first = machine.open();
  await machine.agrees();
  const late = machine.open({ visible: false });
  feed.write("b", "two");
  feed.write("a");
  await machine.agrees();
  expect(late.reader.revisions).toEqual([2n, 3n]);
  expect(first.reader.revisions).toEqual([2n, 3n]);
  expect(late.reader.wholes).toBe(0);
  const calls = feed.calls.length;
  feed.write("c", "three");
  await machine.agrees();
  expect(feed.calls).toHaveLength(calls);
});

test("a tab that slept catches up with the next it hears", async ({ machine }) => {
  const { feed } = machine;
  const [leader, sleeper] = [machine.open(), machine.open({ visible: false })];
  feed.write("a", "one");
  await machine.agrees();
  sleeper.deaf = true;
  feed.write("b", "two");
  await leader.reader.knows(feed);
  feed.write("c", "three");
  await expect.poll(() => sleeper.published).toBe("r3");
  sleeper.deaf = false;
  feed.beat();
  await machine.agrees();
  expect(sleeper.reader.revisions).toEqual([1n, 2n, 3n]);
});

test("what happens while a tab catches up is told at once, too", async ({ machine }) => {
  const { feed } = machine;
  machine.open();
  const sleeper = machine.open({ visible: false });
  feed.write("a", "one");
  await machine.agrees();
  sleeper.deaf = true;
  feed.write("b", "two");
  await expect.poll(() => sleeper.published).toBe("r2");
  sleeper.deaf = false;
  const { promise: held, resolve: release } = deferred();
  feed.ends.push({ before: 1, with: held });
  feed.beat();
  await sleeper.reader.until(() => sleeper.reader.titles.has("b"));
  // It is about to be told that it knows everything, and that is no longer so.
  feed.write("c", "three");
  await expect.poll(() => sleeper.published).toBe("r3");
  release();
  await machine.agrees();
});

test("a tab that is looked at again leads, and has read what it missed", async ({ machine }) => {
  const { feed } = machine;
  const [leader, sleeper] = [machine.open(), machine.open({ visible: false })];
  feed.write("a", "one");
  await machine.agrees();
  sleeper.deaf = true;
  feed.write("b", "two");
  await expect.poll(() => sleeper.published).toBe("r2");
  // No message wakes it, and the one that leads is frozen with the lead in its hands.
  leader.deaf = true;
  leader.visible = false;
  sleeper.look();
  await machine.agrees([sleeper]);
  leader.deaf = sleeper.deaf = false;
  feed.write("c", "three");
  await machine.agrees();
  await expect.poll(() => feed.open).toBe(1);
});

test("a new tab disturbs nobody: it alone reads what it does not have", async ({ machine }) => {
  const { feed } = machine;
  machine.open();
  feed.write("a", "one");
  await machine.agrees();
  for (let n = 0; n < 5; n += 1) {
    feed.write(`${n}`, "more");
    machine.open();
    await machine.agrees();
  }
  // One stream to lead, and a short one for each that came later at most.
  expect(feed.calls.length).toBeLessThanOrEqual(6);
  await expect.poll(() => feed.open).toBe(1);
});

test("a new tab leads if the one that does is frozen", async ({ machine }) => {
  const { feed } = machine;
  const frozen = machine.open();
  feed.write("a", "one");
  await machine.agrees();
  frozen.deaf = true;
  const tab = machine.open();
  // It heard nothing, and takes the lead.
  await expect.poll(() => feed.calls.length).toBe(2);
  feed.write("b", "two");
  await machine.agrees([tab]);
  frozen.deaf = false;
  feed.write("c", "three");
  await machine.agrees();
  await expect.poll(() => feed.open).toBe(1);
});

test("two tabs that are looked at do not fight for the lead", async ({ machine }) => {
  const { feed } = machine;
  machine.open();
  machine.open();
  feed.write("a", "one");
  await machine.agrees();
  const calls = feed.calls.length;
  for (let n = 0; n < 10; n += 1) {
    feed.beat();
    feed.write("b", `at ${n}`);
    await machine.agrees();
  }
  expect(feed.calls).toHaveLength(calls);
});

test("back online, the leader reads anew and the others do nothing", async ({ machine }) => {
  const { feed } = machine;
  const tabs = [machine.open({ visible: false }), machine.open({ visible: false })];
  feed.write("a", "one");
  await machine.agrees();
  const calls = feed.calls.length;
  for (const tab of tabs) tab.online();
  await expect.poll(() => feed.calls.length).toBe(calls + 1);
  feed.write("b", "two");
  await machine.agrees();
  expect(feed.calls).toHaveLength(calls + 1);
});

test("all tabs hear that the stream is lost, and that it is back", async ({ machine }) => {
  const { feed } = machine;
  const tabs = [machine.open(), machine.open(), machine.open()];
  feed.write("a", "one");
  await machine.agrees();
  const before = tabs.map(({ failures }) => failures.length);
  expect(before).toEqual([0, 0, 0]);
  feed.ends.push({ before: 0, with: lost });
  feed.cut(lost);
  for (const { failures } of tabs) await expect.poll(() => failures.length).toBe(2);
  feed.write("b", "two");
  await machine.agrees();
});

test("what is final ends it in every tab", async ({ machine }) => {
  const { feed } = machine;
  const tabs = [machine.open(), machine.open()];
  await machine.agrees();
  const refused = refusal(Code.PermissionDenied, "NOT_YOURS", "No.");
  feed.ends.push({ before: 0, with: refused }, { before: 0, with: refused });
  feed.cut(lost);
  for (const { endings } of tabs) {
    await expect.poll(() => endings.map(({ reason }) => reason)).toEqual(["NOT_YOURS"]);
  }
  expect(feed.open).toBe(0);
});

test("a token that is too old begins anew in every tab", async ({ machine }) => {
  const { feed } = machine;
  const tabs = [machine.open(), machine.open({ visible: false })];
  for (const name of ["a", "b", "c", "d"]) feed.write(name, name);
  await machine.agrees();
  feed.horizon = 6n;
  feed.cut(lost);
  feed.write("a");
  feed.write("e", "new");
  await machine.agrees();
  expect(tabs.map(({ reader }) => reader.wholes)).toEqual([1, 1]);
  feed.write("f", "newer");
  await machine.agrees();
});

test("a fault of the page's own stops nothing", async ({ machine }) => {
  const { feed } = machine;
  const fault = new Error("a listener's own fault");
  const heard: string[] = [];
  // The runner's own listeners would take the fault for one of this test.
  const runners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    const told = new Promise((resolve) => process.once("uncaughtException", resolve));
    machine.open({
      told: ({ token }) => {
        heard.push(token);
        if (heard.length === 1) throw fault;
      },
    });
    expect(await told).toBe(fault);
  } finally {
    for (const listener of runners) process.on("uncaughtException", listener);
  }
  feed.write("a", "one");
  await expect.poll(() => heard).toEqual(["r0", "r1"]);
});

test("where tabs know nothing of each other, those that are looked at read", async ({
  machine,
}) => {
  const { feed } = machine;
  machine.together = false;
  const [shown, hidden] = [machine.open(), machine.open({ visible: false })];
  feed.write("a", "one");
  await machine.agrees([shown]);
  expect(feed.open).toBe(1);
  shown.look(false);
  await expect.poll(() => feed.open).toBe(0);
  feed.write("b", "two");
  hidden.look();
  await machine.agrees([hidden]);
  expect(hidden.reader.revisions).toEqual([1n, 2n]);
  expect(feed.open).toBe(1);
  shown.look();
  await machine.agrees();
});

for (let seed = 1; seed <= 60; seed += 1) {
  test(`whatever happens, every tab ends up with the same (seed ${seed})`, async ({ machine }) => {
    const random = sequence(seed);
    const { feed } = machine;
    const pick = (): Tab | undefined => [...machine.tabs][Math.floor(random() * machine.tabs.size)];
    const happenings: (() => unknown)[] = [
      () => feed.write(`${Math.floor(random() * 6)}`, random() < 0.3 ? undefined : `${feed.head}`),
      () => feed.write("x", `${feed.head}`),
      () => machine.tabs.size < 6 && machine.open({ visible: random() < 0.5 }),
      () => machine.tabs.size > 1 && pick()?.close(),
      () => pick()?.look(random() < 0.6),
      () => pick()?.online(),
      () => feed.cut(random() < 0.5 ? "end" : lost),
      () => feed.ends.push({ before: Math.floor(random() * 3), with: lost }),
      () => (feed.horizon = random() < 0.2 ? feed.head : feed.horizon),
      () => {
        const tab = pick();
        if (tab) tab.deaf = random() < 0.5;
      },
      () => feed.beat(),
      () => new Promise((pause) => setImmediate(pause)),
      () => new Promise((pause) => setImmediate(pause)),
    ];
    machine.open();
    for (let n = 0; n < 120; n += 1) {
      await happenings[Math.floor(random() * happenings.length)]?.();
    }
    for (const tab of machine.tabs) tab.deaf = false;
    feed.ends.length = 0;
    feed.write("last", "one");
    await machine.agrees();
  });
}

/** Numbers from 0 to 1 that look like chance, the same for the same seed. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
