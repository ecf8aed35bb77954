// Calls with an access token: attached, mended once, and for one user only.

import { expect } from "@playwright/test";
import { Code, failureOf } from "../src/index.ts";
import { test } from "./support/device.ts";
import { refusal, unauthenticated } from "./support/refusal.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };
const bob = { email: "bob@example.com", password: "copper-Lantern-17" };

test("FR-014, FR-016: every call of both services carries the token", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  await tab.tasks.createTask({ task: { title: "Try Duet" } });
  const { tasks } = await tab.tasks.listTasks({});
  const { user } = await tab.account.getUser({});
  expect(tasks.map((task) => task.title)).toEqual(["Try Duet"]);
  expect(user?.email).toBe(ada.email);
  expect(pair.calls).toEqual(["SignUp", "CreateTask", "ListTasks", "GetUser"]);
});

test("a call before the start finds the session by itself", async ({ device, pair }) => {
  const before = device.open();
  await before.session.signUp(ada);
  before.close();
  const tab = device.open();
  await tab.tasks.listTasks({});
  expect(tab.session.state).toMatchObject({ kind: "signed-in" });
  expect(pair.calls).toEqual(["SignUp", "RefreshSession", "ListTasks"]);
});

test("E1: an expired token is refreshed and the call repeated, unseen", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.now += pair.accessLifetime;
  await tab.tasks.createTask({ task: { title: "Try Duet" } });
  expect(pair.calls).toEqual(["SignUp", "CreateTask", "RefreshSession", "CreateTask"]);
  expect(pair.tasksOf(ada.email)).toEqual(["Try Duet"]);
});

for (const reason of ["TOKEN_EXPIRED", "TOKEN_INVALID", "TOKEN_MISSING"]) {
  test(`E5: ${reason} is mended once, not twice, and signs nobody out`, async ({
    device,
    pair,
  }) => {
    const tab = device.open();
    await tab.session.signUp(ada);
    pair.failNext("ListTasks", unauthenticated(reason));
    await tab.tasks.listTasks({});
    expect(pair.calls).toEqual(["SignUp", "ListTasks", "RefreshSession", "ListTasks"]);

    pair.failNext("ListTasks", unauthenticated(reason));
    pair.failNext("ListTasks", unauthenticated(reason));
    expect(await tab.tasks.listTasks({}).catch(failureOf)).toMatchObject({ reason });
    expect(pair.count("RefreshSession")).toBe(2);
    expect(pair.count("ListTasks")).toBe(4);
    expect(tab.session.state).toMatchObject({ kind: "signed-in" });
  });
}

test("nothing else is repeated", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  for (const code of [Code.PermissionDenied, Code.Unavailable, Code.Internal]) {
    pair.failNext("CreateTask", refusal(code, "SOME_REASON", "No."));
    expect(await tab.tasks.createTask({}).catch(failureOf)).toMatchObject({ code });
  }
  expect(pair.count("CreateTask")).toBe(3);
  expect(pair.count("RefreshSession")).toBe(0);
});

test("calls at the same time share one refresh", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.now += pair.accessLifetime;
  await Promise.all([
    tab.tasks.listTasks({}),
    tab.tasks.createTask({ task: { title: "Try Duet" } }),
    tab.account.getUser({}),
  ]);
  expect(pair.count("RefreshSession")).toBe(1);
});

test("a call refused late takes the token that is there by then", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const late = pair.holdNext("ListTasks");
  const call = tab.tasks.listTasks({});
  await late.arrived;
  pair.now += pair.accessLifetime;
  await tab.tasks.listTasks({});
  late.release();
  await call;
  expect(pair.count("RefreshSession")).toBe(1);
});

test("E2: all calls that wait for a refresh get its error; the next one tries again", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.now += pair.accessLifetime;
  pair.failNext("RefreshSession", refusal(Code.Unavailable, "DATABASE_UNAVAILABLE", "Later."));
  const failures = await Promise.all([
    tab.tasks.listTasks({}).catch(failureOf),
    tab.account.getUser({}).catch(failureOf),
  ]);
  for (const failure of failures) {
    expect(failure).toMatchObject({ reason: "DATABASE_UNAVAILABLE", unreachable: true });
  }
  await tab.tasks.listTasks({});
  expect(pair.count("RefreshSession")).toBe(2);
});

test("giving up a call ends its waiting, and nobody else's", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.now += pair.accessLifetime;
  const refresh = pair.holdNext("RefreshSession");
  const leaving = new AbortController();
  const given = tab.tasks.listTasks({}, { signal: leaving.signal }).catch(failureOf);
  const kept = tab.tasks.listTasks({});
  await refresh.arrived;
  leaving.abort();
  expect(await given).toMatchObject({ code: Code.Canceled, unreachable: false });
  refresh.release();
  await kept;
  expect(pair.calls).toEqual(["SignUp", "ListTasks", "ListTasks", "RefreshSession", "ListTasks"]);
});

test("a call has its deadline even while it waits for a refresh", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  device.later(300);
  const refresh = pair.holdNext("RefreshSession");
  const failure = await tab.tasks.listTasks({}, { timeoutMs: 20 }).catch(failureOf);
  expect(failure).toMatchObject({ code: Code.DeadlineExceeded, unreachable: true });
  refresh.release();
});

test("every unary call has a deadline unless it brings its own", async ({ device, pair }) => {
  const tab = device.open({ timeoutMs: 30 });
  await tab.session.signUp(ada);
  const never = pair.holdNext("ListTasks");
  const failure = await tab.tasks.listTasks({}).catch(failureOf);
  expect(failure).toMatchObject({ code: Code.DeadlineExceeded, unreachable: true });
  never.release();
});

test("SC-005: a call made for one user is not repeated as another", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(bob);
  await tab.session.signUp(ada);
  const held = pair.holdNext("CreateTask");
  const call = tab.tasks.createTask({ task: { title: "Ada's secret" } }).catch(failureOf);
  await held.arrived;
  pair.now += pair.accessLifetime;
  await tab.session.signIn(bob);
  held.release();
  expect(await call).toMatchObject({ code: Code.Canceled });
  expect(pair.tasksOf(bob.email)).toEqual([]);
  expect(pair.tasksOf(ada.email)).toEqual([]);
});

test("SC-005: a call made for one user is not sent as another", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const adas = device.cookie;
  await tab.session.signUp(bob);
  // As if another tab had signed in and its message had been lost.
  device.cookie = adas;
  device.later(300);
  const failure = await tab.tasks.createTask({ task: { title: "Bob's" } }).catch(failureOf);
  expect(failure).toMatchObject({ code: Code.Canceled });
  expect(tab.session.state).toMatchObject({ email: ada.email });
  expect(pair.count("CreateTask")).toBe(0);
});
