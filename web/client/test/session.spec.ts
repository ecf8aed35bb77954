// How a session begins, goes on and ends in one tab.

import { expect } from "@playwright/test";
import { Code, failureOf } from "../src/index.ts";
import { refusal, unauthenticated } from "./support/refusal.ts";
import { Device, test } from "./support/device.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };
const bob = { email: "bob@example.com", password: "copper-Lantern-17" };
const unavailable = refusal(Code.Unavailable, "DATABASE_UNAVAILABLE", "Please try again shortly.");

test("S1.1, S2.1: signing up or in opens a session", async ({ device }) => {
  const tab = device.open();
  const changes: string[] = [];
  tab.session.subscribe((state, before) => changes.push(`${before.kind} → ${state.kind}`));

  const user = await tab.session.signUp({ ...ada, displayName: "Ada" });
  expect(user?.name).toBe("users/user-1");
  expect(tab.session.state).toEqual({
    kind: "signed-in",
    userId: "user-1",
    email: ada.email,
    session: "users/user-1/sessions/session-1",
  });

  await tab.session.signOut();
  await tab.session.signIn(ada);
  expect(tab.session.state).toMatchObject({ session: "users/user-1/sessions/session-2" });
  expect(changes).toEqual([
    "unknown → signed-in",
    "signed-in → signed-out",
    "signed-out → signed-in",
  ]);
});

test("S2.2: wrong credentials open nothing and end nothing", async ({ device }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const before = tab.session.state;
  const failure = await tab.session.signIn({ ...ada, password: "no" }).catch(failureOf);
  expect(failure).toMatchObject({ reason: "INVALID_CREDENTIALS", message: "Invalid credentials" });
  expect(tab.session.state).toEqual(before);
});

test("a listener hears of changes only, and not after it has left", async ({ device, pair }) => {
  const tab = device.open();
  let changes = 0;
  const leave = tab.session.subscribe(() => changes++);
  await tab.session.signUp(ada);
  pair.failNext("ListTasks", unauthenticated("TOKEN_EXPIRED"));
  await tab.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(1);
  expect(changes).toBe(1);
  leave();
  await tab.session.signOut();
  expect(changes).toBe(1);
});

test("SC-006: a reload finds the session by its cookie", async ({ device }) => {
  const before = device.open();
  await before.session.signUp(ada);
  before.close();

  const after = device.open();
  expect(after.session.state).toEqual({ kind: "unknown" });
  const state = await after.session.start();
  expect(state).toMatchObject({ kind: "signed-in", email: ada.email });
  expect(after.session.state).toEqual(state);
});

test("S4.3: a browser without a session is signed out and always was", async ({ device }) => {
  const tab = device.open();
  expect(await tab.session.start()).toEqual({ kind: "signed-out", why: "never" });
});

test("S4.2: a reload after the session was ended elsewhere says so", async ({ device, pair }) => {
  const before = device.open();
  await before.session.signUp(ada);
  before.close();
  pair.endSessionsOf(ada.email);
  const after = device.open();
  expect(await after.session.start()).toEqual({ kind: "signed-out", why: "expired" });
});

for (const reason of ["REFRESH_TOKEN_INVALID", "REFRESH_TOKEN_REUSED", "SESSION_REVOKED"]) {
  test(`S4.2: ${reason} at the start means that the session has expired`, async ({
    device,
    pair,
  }) => {
    pair.failNext("RefreshSession", unauthenticated(reason));
    const tab = device.open();
    expect(await tab.session.start()).toEqual({ kind: "signed-out", why: "expired" });
  });
}

for (const reason of [
  "REFRESH_TOKEN_MISSING",
  "REFRESH_TOKEN_INVALID",
  "REFRESH_TOKEN_REUSED",
  "SESSION_REVOKED",
]) {
  test(`S4.2: ${reason} at a refresh ends the session`, async ({ device, pair }) => {
    const tab = device.open();
    await tab.session.signUp(ada);
    pair.failNext("ListTasks", unauthenticated("TOKEN_EXPIRED"));
    pair.failNext("RefreshSession", unauthenticated(reason));
    expect((await tab.tasks.listTasks({}).catch(failureOf)) as object).toMatchObject({ reason });
    expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
  });
}

test("E7: SESSION_REVOKED as the answer to a call ends the session", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.endSessionsOf(ada.email);
  const failure = await tab.account.getUser({}).catch(failureOf);
  expect(failure).toMatchObject({ reason: "SESSION_REVOKED" });
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
  expect(pair.count("RefreshSession")).toBe(0);
});

test("SESSION_REVOKED about an earlier session does not end the present one", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const held = pair.holdNext("GetUser");
  const call = tab.account.getUser({}).catch(failureOf);
  await held.arrived;
  pair.endSessionsOf(ada.email);
  await tab.session.signIn(ada);
  held.release();
  expect(await call).toMatchObject({ reason: "SESSION_REVOKED" });
  expect(tab.session.state).toMatchObject({ session: "users/user-1/sessions/session-2" });
});

test("E2: a service that is not reached signs nobody out", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const signedIn = tab.session.state;
  device.later(300);

  pair.down = true;
  expect(await tab.tasks.listTasks({}).catch(failureOf)).toMatchObject({ unreachable: true });
  pair.down = false;
  pair.failNext("RefreshSession", unavailable);
  expect(await tab.tasks.listTasks({}).catch(failureOf)).toMatchObject({ unreachable: true });
  expect(tab.session.state).toEqual(signedIn);
  // The next call tries again.
  await tab.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(2);
});

test("E2: a start that reaches nobody rejects and can be repeated", async ({ device, pair }) => {
  const before = device.open();
  await before.session.signUp(ada);
  before.close();

  const tab = device.open();
  pair.down = true;
  expect(await tab.session.start().catch(failureOf)).toMatchObject({ unreachable: true });
  expect(tab.session.state).toEqual({ kind: "unknown" });
  pair.down = false;
  expect(await tab.session.start()).toMatchObject({ kind: "signed-in" });
});

test("S4.1: sign-out ends the session and takes the cookie away", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  expect(device.cookie).not.toBe("");
  await tab.session.signOut();
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
  expect(device.cookie).toBe("");
  const failure = await tab.tasks.listTasks({}).catch(failureOf);
  expect(failure).toMatchObject({ code: Code.Unauthenticated, reason: "TOKEN_MISSING" });
  expect(pair.calls).toEqual(["SignUp", "SignOut"]);
});

test("S4.1: a sign-out that reaches nobody says so and changes nothing", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const signedIn = tab.session.state;
  pair.down = true;
  expect(await tab.session.signOut().catch(failureOf)).toMatchObject({ unreachable: true });
  expect(tab.session.state).toEqual(signedIn);
  pair.down = false;
  await tab.tasks.listTasks({});
});

for (const locks of [true, false]) {
  test(`a refresh on its way never undoes a sign-out (Web Locks: ${locks})`, async ({
    device,
    pair,
  }) => {
    const tab = device.open({}, locks ? device.browser() : {});
    await tab.session.signUp(ada);
    device.later(300);
    const answer = pair.holdAnswer("RefreshSession");
    const call = tab.tasks.listTasks({});
    await answer.arrived;
    const signOut = tab.session.signOut();
    // Somebody else's whole sign-up: time enough for a sign-out that would not wait.
    const elsewhere = new Device(pair).open({}, {});
    await elsewhere.session.signUp(bob);
    expect(pair.count("SignOut")).toBe(0);
    answer.release();
    await Promise.all([call, signOut]);
    expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
    expect(device.cookie).toBe("");
  });
}

test("a token is used for its lifetime, whatever the clock says", async ({ device, pair }) => {
  // The services live in 2027, this device in 1970.
  const tab = device.open();
  await tab.session.signUp(ada);
  const first = await tab.session.token();
  device.clock += 269_000;
  expect(await tab.session.token()).toBe(first);
  device.clock += 1_500;
  expect(await tab.session.token()).not.toBe(first);
  expect(pair.count("RefreshSession")).toBe(1);
});

test("a short-lived token is refreshed when a fifth of it is left", async ({ device, pair }) => {
  pair.accessLifetime = 10;
  const tab = device.open();
  await tab.session.signUp(ada);
  const first = await tab.session.token();
  device.clock += 7_900;
  expect(await tab.session.token()).toBe(first);
  device.clock += 200;
  expect(await tab.session.token()).not.toBe(first);
});

test("a clock that was set back makes a token stale", async ({ device, pair }) => {
  device.clock = 1_000_000;
  const tab = device.open();
  await tab.session.signUp(ada);
  device.clock -= 500_000;
  await tab.session.token();
  expect(pair.count("RefreshSession")).toBe(1);
  await tab.session.token();
  expect(pair.count("RefreshSession")).toBe(1);
});

test("a listener that fails does not make a sign-in fail", async ({ device }) => {
  const tab = device.open();
  const fault = new Error("a listener's own fault");
  tab.session.subscribe(() => {
    throw fault;
  });
  // The runner's own listeners would take the fault for one of this test.
  const runners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  try {
    const told = new Promise((resolve) => process.once("uncaughtException", resolve));
    await tab.session.signUp(ada);
    expect(await told).toBe(fault);
  } finally {
    for (const listener of runners) process.on("uncaughtException", listener);
  }
});

test("in memory mode no cookie is sent, and a reload signs out", async ({ device, pair }) => {
  const tab = device.open({ refreshToken: "memory" });
  await tab.session.signUp(ada);
  device.later(300);
  await tab.tasks.listTasks({});
  device.later(300);
  await tab.tasks.listTasks({});
  expect(pair.calls.join(" ")).toBe("SignUp RefreshSession ListTasks RefreshSession ListTasks");
  expect(device.cookie).toBe("");
  expect(new Set(device.sent.map(({ credentials }) => credentials))).toEqual(new Set(["omit"]));
  tab.close();

  const after = device.open({ refreshToken: "memory" });
  expect(await after.session.start()).toEqual({ kind: "signed-out", why: "never" });
  expect(pair.count("RefreshSession")).toBe(2);
});

test("in memory mode signing out needs nobody's answer", async ({ device, pair }) => {
  const tab = device.open({ refreshToken: "memory" });
  await tab.session.signUp(ada);
  pair.down = true;
  await tab.session.signOut();
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
});

test("in cookie mode the cookie goes along", async ({ device }) => {
  const tab = device.open();
  await tab.session.signUp(bob);
  expect(device.sent).toEqual([
    { url: "https://auth.test/auth.v1.AuthService/SignUp", credentials: "include" },
  ]);
});
