// The session over time and over tabs. The five minutes of an access token go by
// on the clock of the page alone.

import { somebody } from "./harness/account.ts";
import { expect, test } from "./harness/test.ts";

/** After this no access token that a page has is used any more. */
const LONG_MS = 6 * 60_000;

test("E1: an access token that has run out is replaced before the next call", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.page.clock.install();
  await ada.page.reload();
  await ada.add("Tune the piano");
  const token = await ada.calls.token();
  const before = ada.calls.count("RefreshSession");
  await ada.page.clock.fastForward(LONG_MS);
  await ada.add("Buy strings");
  expect(await ada.calls.token()).not.toBe(token);
  expect(ada.calls.count("RefreshSession")).toBe(before + 1);
  expect(ada.calls.count("CreateTask")).toBe(2);
});

test("three tabs race for a new token: one call, and nobody is signed out", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.clock.install();
  await ada.page.reload();
  const tabs = [ada, await ada.tab(), await ada.tab()];
  for (const tab of tabs) await tab.seesTasks();
  const before = ada.calls.count("RefreshSession");
  // It is the same moment in all of them, and no tab gives up on another.
  await ada.stopTheClock();
  await ada.page.clock.setFixedTime(Date.now() + LONG_MS);
  await Promise.all(tabs.map((tab, n) => tab.add(`From tab ${n}`)));
  expect(ada.calls.count("RefreshSession")).toBe(before + 1);
  await ada.page.clock.resume();
  for (const tab of tabs) await expect(tab.heading("Tasks")).toBeVisible();
  await (await ada.tab()).seesTasks("From tab 0", "From tab 1", "From tab 2");
});

test("FR-014: a reload keeps the session, and a new tab takes over the token of the old", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.page.reload();
  await ada.seesTasks();
  const before = ada.calls.count("RefreshSession");
  // The new tab waits for the answer of the old one, however long that takes.
  await ada.stopTheClock();
  const tab = await ada.tab("/settings/profile");
  await expect(tab.page.getByRole("banner").getByText(ada.who.email)).toBeVisible();
  await tab.page.clock.resume();
  await expect(tab.heading("Profile")).toBeVisible();
  expect(ada.calls.count("RefreshSession")).toBe(before);
});

test("S4.1: signing out in one tab signs out all of them", async ({ person }) => {
  const ada = await person("ada");
  const tabs = [await ada.tab("/settings/sessions"), await ada.tab("/tasks?status=all")];
  await expect(tabs[0]?.heading("Devices") ?? ada.heading("")).toBeVisible();
  await ada.signOut();
  for (const tab of [ada, ...tabs]) await expect(tab.heading("Sign in")).toBeVisible();
});

test("when somebody else signs in, nothing of the person before is left in any tab", async ({
  person,
  visitor,
}) => {
  const eve = await visitor("eve");
  await eve.signUp();
  await eve.add("Eve's task");
  const ada = await person("ada");
  await ada.add("Ada's task");
  const other = await ada.tab();
  await other.seesTasks("Ada's task");
  await other.field("New task").fill("A secret of Ada's");
  await ada.signOut();
  await expect(other.heading("Sign in")).toBeVisible();

  await ada.field("Email").fill(eve.who.email);
  await ada.field("Password").fill(eve.who.password);
  await ada.button("Sign in").click();
  for (const tab of [ada, other]) {
    await tab.seesTasks("Eve's task");
    await expect(tab.page.getByRole("banner").getByText(eve.who.email)).toBeVisible();
    await expect(tab.field("New task")).toHaveValue("");
  }
});

test("signing in in one tab brings along those that wait at the sign-in page", async ({
  person,
  sit,
}) => {
  const { who } = await person("ada");
  const ada = await sit(who);
  await ada.open("/signin");
  const waiting = await ada.tab("/settings/sessions");
  await expect(waiting.heading("Sign in")).toBeVisible();
  await ada.signIn();
  await ada.seesTasks();
  await expect(waiting.heading("Devices")).toBeVisible();
  await waiting.isAt("/settings/sessions");
});

test("a sign-out that the service does not hear of is said, not pretended", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await ada.page.route("**/*Service/SignOut", (route) => route.abort("connectionrefused"));
  await ada.signOut();
  await expect(ada.toasts.getByRole("alert")).toBeVisible();
  await expect(ada.heading("Tasks")).toBeVisible();
  await ada.page.unroute("**/*Service/SignOut");
  await ada.signOut();
  await ada.isAt("/signin");
});

test("an account that never was here is not told of an expired session", async ({ sit }) => {
  const stranger = await sit(somebody("stranger"));
  await stranger.open("/tasks");
  await expect(stranger.heading("Sign in")).toBeVisible();
  await expect(stranger.status("Session expired")).toHaveCount(0);
});
