// A session where there is a second factor, and one that is signed out while
// another call tells of it.

import { expect } from "@playwright/test";
import { Code, failureOf, type Message } from "../src/index.ts";
import { type Device, reaches, test } from "./support/device.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };

/** Comes back when so many tabs have heard everything: messages arrive in their order. */
async function allHeard(device: Device, count: number): Promise<void> {
  const ear = new BroadcastChannel(device.name);
  device.closing.push(() => ear.close());
  let answers = 0;
  ear.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "answer") answers += 1;
  });
  ear.postMessage({ kind: "ask", from: "ear" } satisfies Message);
  await expect.poll(() => answers).toBe(count);
}

test("a challenge signs nobody in; its code does, in all tabs", async ({ device, pair }) => {
  const [tab, other] = [device.open(), device.open()];
  await tab.session.signUp(ada);
  await reaches(other, "signed-in");
  await tab.session.signOut();
  await reaches(other, "signed-out");
  pair.codes.set(ada.email, "123456");
  const challenge = await tab.session.signIn(ada);
  if (!challenge) throw new Error("no challenge");
  expect(tab.session.state).toMatchObject({ kind: "signed-out" });
  const wrong = { case: "totpCode", value: "000000" } as const;
  const failure = await tab.session.completeSignIn(challenge, wrong).catch(failureOf);
  expect(failure).toMatchObject({ reason: "CODE_INVALID" });
  expect(tab.session.state).toMatchObject({ kind: "signed-out" });
  const user = await tab.session.completeSignIn(challenge, { ...wrong, value: "123456" });
  expect(user.email).toBe(ada.email);
  expect(tab.session.state).toMatchObject({ session: "users/user-1/sessions/session-2" });
  await reaches(other, "signed-in");
});

for (const refreshToken of ["cookie", "memory"] as const) {
  test(`after a proof every tab has a token that says so: ${refreshToken}`, async ({
    device,
    pair,
  }) => {
    const [tab, other] = [device.open({ refreshToken }), device.open({ refreshToken })];
    await tab.session.signUp(ada);
    await reaches(other, "signed-in");
    const before = await tab.session.token();
    const { password } = ada;
    const failure = await tab.session.reauthenticate({ password: "no" }).catch(failureOf);
    expect(failure).toMatchObject({ reason: "INVALID_CREDENTIALS" });
    expect(await tab.session.token()).toBe(before);

    // One that has run out is refreshed first.
    device.later(300);
    pair.codes.set(ada.email, "123456");
    await tab.session.reauthenticate({ password, code: { case: "totpCode", value: "123456" } });
    expect(pair.count("RefreshSession")).toBe(1);
    const proved = await tab.session.token();
    expect(proved).not.toBe(before);
    await expect.poll(() => other.session.token()).toBe(proved);
    // The refresh token is the one before, and good.
    device.later(300);
    await tab.account.getUser({});
    expect(pair.count("RefreshSession")).toBe(2);
  });
}

test("a proof for a session that is over ends it", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.endSessionsOf(ada.email);
  const failure = await tab.session.reauthenticate(ada).catch(failureOf);
  expect(failure).toMatchObject({ reason: "SESSION_REVOKED" });
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
});

test("S4.1: a sign-out is one in every tab, even if something else tells of its end first", async ({
  device,
  pair,
}) => {
  const [tab, other] = [device.open(), device.open()];
  await tab.session.signUp(ada);
  await reaches(other, "signed-in");
  const answer = pair.holdAnswer("SignOut");
  const leaving = tab.session.signOut();
  await answer.arrived;
  await allHeard(device, 2);
  const failure = await other.account.getUser({}).catch(failureOf);
  expect(failure).toMatchObject({ reason: "SESSION_REVOKED" });
  expect(other.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
  answer.release();
  await leaving;
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "signed-out" });
});

test("a sign-out that did not work is no wish any more", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.down = true;
  expect(await tab.session.signOut().catch(failureOf)).toMatchObject({ unreachable: true });
  pair.down = false;
  pair.endSessionsOf(ada.email);
  await tab.account.getUser({}).catch(failureOf);
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
});

test("a call that ends the session signs out every tab, and takes the cookie away", async ({
  device,
  pair,
}) => {
  const [tab, other] = [device.open(), device.open()];
  await tab.session.signUp(ada);
  await reaches(other, "signed-in");
  const answer = await tab.session.endBy(async () => {
    pair.endSessionsOf(ada.email);
    await allHeard(device, 2);
    await other.account.getUser({}).catch(failureOf);
    return "gone";
  });
  expect(answer).toBe("gone");
  expect(pair.count("SignOut")).toBe(1);
  for (const { session } of [tab, other]) {
    expect(session.state).toEqual({ kind: "signed-out", why: "signed-out" });
  }
});

test("one that fails signs nobody out", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.down = true;
  const failure = tab.session.endBy(() => tab.account.getUser({}));
  expect(await failure.catch(failureOf)).toMatchObject({ unreachable: true });
  expect(tab.session.state.kind).toBe("signed-in");
  expect(pair.count("SignOut")).toBe(0);
});

test("one that finds the session over has not ended it: it expired", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  pair.endSessionsOf(ada.email);
  const failure = await tab.session.endBy(() => tab.account.getUser({})).catch(failureOf);
  expect(failure).toMatchObject({ reason: "SESSION_REVOKED" });
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
});

test("so it has in every other tab, whoever else hears of it meanwhile", async ({
  device,
  pair,
}) => {
  const [tab, other] = [device.open(), device.open()];
  await tab.session.signUp(ada);
  await reaches(other, "signed-in");
  const states: unknown[] = [];
  for (const { session } of [tab, other]) session.subscribe((state) => states.push(state));
  pair.endSessionsOf(ada.email);
  const failure = tab.session.endBy(async () => {
    await allHeard(device, 2);
    // As another call of this tab does.
    await tab.account.getUser({}).catch(failureOf);
    return tab.account.getUser({});
  });
  expect(await failure.catch(failureOf)).toMatchObject({ reason: "SESSION_REVOKED" });
  await reaches(other, "signed-out");
  const expired = { kind: "signed-out", why: "expired" };
  expect(states).toEqual([expired, expired]);
});

test("what a tab hears while its own call ends the session is that call's work", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const states: unknown[] = [];
  tab.session.subscribe((state) => states.push(state));
  await tab.session.endBy(async () => {
    pair.endSessionsOf(ada.email);
    await tab.account.getUser({}).catch(failureOf);
    expect(states).toEqual([]);
  });
  expect(states).toEqual([{ kind: "signed-out", why: "signed-out" }]);
  // What is heard of the next session counts again.
  await tab.session.signIn(ada);
  pair.endSessionsOf(ada.email);
  await tab.account.getUser({}).catch(failureOf);
  expect(states.at(-1)).toEqual({ kind: "signed-out", why: "expired" });
});

test("a proof that is answered after the session is over brings nobody back", async ({
  device,
  pair,
}) => {
  const tab = device.open();
  await tab.session.signUp(ada);
  const answer = pair.holdAnswer("Reauthenticate");
  const proving = tab.session.reauthenticate(ada).catch(failureOf);
  await answer.arrived;
  pair.endSessionsOf(ada.email);
  await tab.account.getUser({}).catch(failureOf);
  answer.release();
  expect(await proving).toMatchObject({ code: Code.Aborted });
  expect(tab.session.state).toEqual({ kind: "signed-out", why: "expired" });
});
