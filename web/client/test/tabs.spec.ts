// One session in several tabs of a browser.

import { expect } from "@playwright/test";
import { Code, failureOf, type Duet, type Message } from "../src/index.ts";
import { reaches, test, type Device } from "./support/device.ts";
import { deferred } from "./support/pair.ts";
import { unauthenticated } from "./support/refusal.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };
const bob = { email: "bob@example.com", password: "copper-Lantern-17" };

/** Tabs of one signed-in person. */
async function threeTabs(device: Device, refreshToken: "cookie" | "memory" = "cookie") {
  const tabs = [1, 2, 3].map(() => device.open({ refreshToken })) as [Duet, Duet, Duet];
  await tabs[0].session.signUp(ada);
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-in")));
  return tabs;
}

/** A signed-in tab, and somebody else on its channel. */
async function tabAndEar(device: Device) {
  const tabs = device.join();
  const tab = device.open({ tabs });
  const ear = new BroadcastChannel(device.name);
  device.closing.push(() => ear.close());
  const heard = (kind: Message["kind"]) =>
    new Promise<Message>((resolve) => {
      ear.addEventListener("message", ({ data }) => {
        if (data.kind === kind) resolve(data);
      });
    });
  const signedUp = heard("credentials");
  await tab.session.signUp(ada);
  await signedUp;
  /** Says it, and comes back when the tab has heard it: messages arrive in their order. */
  async function say(message: Message) {
    const answered = heard("answer");
    ear.postMessage(message);
    ear.postMessage({ kind: "ask", from: "ear" });
    await answered;
  }
  return { tab, heard, say };
}

for (const refreshToken of ["cookie", "memory"] as const) {
  test(`E1: three tabs refresh once, with the token in a ${refreshToken}`, async ({
    device,
    pair,
  }) => {
    const tabs = await threeTabs(device, refreshToken);
    device.later(300);
    await Promise.all(tabs.map((tab) => tab.tasks.listTasks({})));
    expect(pair.count("RefreshSession")).toBe(1);
    // Again and again: the tokens of all tabs move on together.
    for (const tab of [...tabs, ...tabs]) {
      device.later(300);
      await tab.tasks.listTasks({});
    }
    expect(pair.count("RefreshSession")).toBe(7);
    expect(tabs.map((tab) => tab.session.state.kind)).toEqual(Array(3).fill("signed-in"));
  });

  test(`a new tab gets the token of an open one, with the token in a ${refreshToken}`, async ({
    device,
    pair,
  }) => {
    const [first] = await threeTabs(device, refreshToken);
    const fourth = device.open({ refreshToken });
    expect(await fourth.session.start()).toEqual(first.session.state);
    expect(await fourth.session.token()).toBe(await first.session.token());
    expect(pair.calls).toEqual(["SignUp"]);
  });
}

test("in memory mode a new tab gets the session even when all tokens are stale", async ({
  device,
  pair,
}) => {
  const [first] = await threeTabs(device, "memory");
  device.later(300);
  const fourth = device.open({ refreshToken: "memory" });
  expect(await fourth.session.start()).toEqual(first.session.state);
  await first.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(1);
});

test("a tab that does not answer costs a moment and no sign-in", async ({ device, pair }) => {
  const [first] = await threeTabs(device);
  // Frozen: its lock is held, its ears are shut.
  const thawed = deferred();
  void device.locks.request(`${device.name}-tab-frozen`, {}, () => thawed.promise);
  device.later(300);
  await first.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(1);
  expect(first.session.state).toMatchObject({ kind: "signed-in" });
  thawed.resolve();
});

test("a tab that hangs with the lock in its hands stops nobody for ever", async ({
  device,
  pair,
}) => {
  const [first] = await threeTabs(device);
  const impatient = device.open({ tabs: device.join(device.browser(), 20) });
  await impatient.session.start();
  const thawed = deferred();
  void device.locks.request(`${device.name}-refresh`, {}, () => thawed.promise);
  device.later(300);
  await impatient.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(1);
  thawed.resolve();
  await first.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(1);
});

test("a tab alone asks nobody", async ({ device }) => {
  const before = device.open();
  await before.session.signUp(ada);
  before.close();
  const asked: unknown[] = [];
  const ear = new BroadcastChannel(device.name);
  ear.addEventListener("message", ({ data }) => asked.push(data.kind));
  const heard = new Promise((resolve) => ear.addEventListener("message", resolve));
  await device.open().session.start();
  await heard;
  ear.close();
  expect(asked).toEqual(["credentials"]);
});

test("S4.1: signed out in one tab is signed out in all", async ({ device }) => {
  const tabs = await threeTabs(device);
  await tabs[1].session.signOut();
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-out")));
  for (const tab of tabs) {
    expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
  }
});

test("S4.1: a tab that has not looked yet can sign all others out", async ({ device }) => {
  const tabs = await threeTabs(device);
  const fourth = device.open();
  await fourth.session.signOut();
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-out")));
});

test("S4.2: expired in one tab is expired in all", async ({ device, pair }) => {
  const tabs = await threeTabs(device);
  pair.endSessionsOf(ada.email);
  await tabs[2].account.getUser({}).catch(failureOf);
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-out")));
  for (const tab of tabs) {
    expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
  }
});

test("signed in in one tab is signed in in all", async ({ device }) => {
  const tabs = await threeTabs(device);
  await tabs[0].session.signOut();
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-out")));
  await tabs[1].session.signIn(ada);
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-in")));
  expect(tabs[2].session.state).toMatchObject({ session: "users/user-1/sessions/session-2" });
});

test("SC-005: somebody else's sign-in reaches all tabs, and no call changes its user", async ({
  device,
  pair,
}) => {
  const tabs = await threeTabs(device);
  const held = pair.holdNext("CreateTask");
  const call = tabs[0].tasks.createTask({ task: { title: "Ada's" } }).catch(failureOf);
  await held.arrived;
  device.later(300);
  await tabs[1].session.signUp(bob);
  await Promise.all(tabs.map((tab) => reaches(tab, "signed-in", bob.email)));
  held.release();
  expect(await call).toMatchObject({ code: Code.Canceled });
  expect(pair.tasksOf(bob.email)).toEqual([]);
  await tabs[2].tasks.createTask({ task: { title: "Bob's" } });
  expect(pair.tasksOf(bob.email)).toEqual(["Bob's"]);
});

test("the end of an earlier session does not end the present one", async ({ device }) => {
  const { tab, say } = await tabAndEar(device);
  await tab.session.signIn(ada);
  const session = "users/user-1/sessions/session-1";
  await say({ kind: "signed-out", why: "expired", at: device.clock + 1000, session });
  expect(tab.session.state).toMatchObject({ session: "users/user-1/sessions/session-2" });
});

test("news from before a sign-out do not undo it", async ({ device }) => {
  const { tab, heard, say } = await tabAndEar(device);
  const said = heard("credentials");
  await tab.session.signIn(ada);
  const news = await said;
  if (news.kind !== "credentials") throw new Error("credentials were heard");
  const receivedAt = (device.clock += 1000);
  await tab.session.signOut();
  await say({ kind: "credentials", credentials: { ...news.credentials, receivedAt } });
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
});

test("old news do not replace newer ones", async ({ device }) => {
  const { tab, heard, say } = await tabAndEar(device);
  const said = heard("credentials");
  await tab.session.signIn(ada);
  const old = await said;
  await tab.session.signUp(bob);
  await say(old);
  expect(tab.session.state).toMatchObject({ email: bob.email });
});

for (const refused of [false, true]) {
  const outcome = refused ? "refused" : "answered";
  test(`without locks, a refresh ${outcome} late yields to a sign-in elsewhere`, async ({
    device,
    pair,
  }) => {
    const { openChannel } = device.browser();
    const [one, other] = [device.open({}, { openChannel }), device.open({}, { openChannel })];
    await one.session.signUp(ada);
    device.later(300);
    const held = refused ? pair.holdNext("RefreshSession") : pair.holdAnswer("RefreshSession");
    const call = one.tasks.listTasks({}).catch(failureOf);
    await held.arrived;
    await other.session.signUp(bob);
    await reaches(one, "signed-in", bob.email);
    if (refused) pair.endSessionsOf(ada.email);
    held.release();
    expect(await call).toMatchObject(
      refused ? { reason: "REFRESH_TOKEN_INVALID" } : { code: Code.Canceled },
    );
    expect(one.session.state).toMatchObject({ email: bob.email });
  });
}

for (const missing of ["locks", "openChannel", "both"] as const) {
  test(`without ${missing} a tab works by itself`, async ({ device }) => {
    const { locks, openChannel } = device.browser();
    const browser = {
      ...(missing === "openChannel" && { locks }),
      ...(missing === "locks" && { openChannel }),
    };
    const [one, other] = [device.open({}, browser), device.open({}, browser)];
    await one.session.signUp(ada);
    expect(await other.session.start()).toEqual(one.session.state);
    device.later(300);
    await Promise.all([one, one, other, other].map((tab) => tab.tasks.listTasks({})));
    await one.session.signOut();
    expect(one.session.state).toMatchObject({ why: "signed-out" });
  });
}

test("a closed tab is not waited for, and says and hears nothing", async ({ device, pair }) => {
  const [first, second, third] = await threeTabs(device);
  const held = pair.holdNext("RefreshSession");
  pair.failNext("ListTasks", unauthenticated("TOKEN_EXPIRED"));
  const call = second.tasks.listTasks({});
  await held.arrived;
  second.close();
  held.release();
  await call;
  await first.session.signOut();
  await reaches(third, "signed-out");
  expect(second.session.state).toMatchObject({ kind: "signed-in" });
});
