// What is the owner's: to see what happened to the account, to take everything
// out, and to end it.

import { readFile } from "node:fs/promises";
import { answerWith, hold, loseAnswers, PROOF_WANTED } from "./harness/answer.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const DELETED = "Your account is deleted";
const MAY_BE_GONE = "Your account may be deleted already; then its receipt is in your mail.";

function activity(someone: Someone) {
  return someone.page.getByRole("list", { name: "Activity" }).getByRole("listitem");
}

test("what happened is told in words, with when, by what and from where", async ({
  person,
  sit,
}) => {
  const ada = await person("ada");
  const stranger = await sit(ada.who, undefined, { userAgent: FIREFOX });
  await stranger.open("/signin");
  await stranger.signIn("walnut-Trombone-92");
  await expect(stranger.alert("Invalid credentials")).toBeVisible();

  await ada.link("Settings").click();
  await ada.link("Activity").click();
  await expect(activity(ada)).toHaveCount(2);
  const [refused, made] = [activity(ada).first(), activity(ada).last()];
  await expect(refused).toContainText("Sign-in refused: wrong password or code");
  await expect(refused).toContainText("Was this you?");
  await expect(refused).toContainText(/\d{4}.*· Firefox on Windows · 127\.0\.0\.0\/24/);
  await expect(refused.getByRole("button")).toHaveCount(0);
  await expect(made).toContainText("Account made");
  await expect(made).toContainText("This device");
});

test("a device that nobody knows is signed out where it is told of", async ({ person, sit }) => {
  const ada = await person("ada");
  const stranger = await sit(ada.who, undefined, { userAgent: FIREFOX });
  await stranger.open("/signin");
  await stranger.signIn();
  await stranger.seesTasks();

  await ada.open("/settings/activity");
  await expect(activity(ada)).toHaveCount(2);
  await activity(ada).filter({ hasText: "Firefox" }).getByRole("button").click();
  await expect(ada.status("Signed out Firefox on Windows.")).toBeFocused();
  await expect(activity(ada).first()).toContainText("A device was signed out");
  await expect(activity(ada).getByRole("button")).toHaveCount(0);
  await expect(stranger.heading("Sign in")).toBeVisible();
});

test("older activity comes page by page", async ({ person }) => {
  const ada = await person("ada");
  for (let n = 0; n < 52; n += 1) {
    for await (const { data } of ada.account.account.exportUser({})) expect(data).toBeTruthy();
  }
  await ada.open("/settings/activity");
  await expect(activity(ada)).toHaveCount(50);
  const release = await hold(ada.page, "ListActivity");
  // The second click finds the page on its way.
  await ada.button("Show more").dblclick();
  release();
  await expect(activity(ada)).toHaveCount(53);
  expect(ada.calls.count("ListActivity")).toBe(2);
  await expect(activity(ada).last()).toContainText("Account made");
  await expect(ada.button("Show more")).toHaveCount(0);
});

test("everything that is known is taken out in one file", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.open("/settings/export");
  const download = ada.page.waitForEvent("download");
  await ada.button("Download everything").click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^duet-account-\d{4}-\d\d-\d\d\.json$/);
  await expect(ada.status(/The file was downloaded: [\d,]+ KiB\./)).toBeVisible();
  const text = await readFile(await file.path(), "utf8");
  const all = JSON.parse(text) as { account: { email: string }; activity: unknown[] };
  expect(all.account.email).toBe(ada.who.email);
  expect(all.activity).toHaveLength(2);
  expect(text).toContain("Tune the piano");
});

test("an export that is cancelled, or breaks off, leaves no file", async ({ person, watch }) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  const files: string[] = [];
  ada.page.on("download", (file) => files.push(file.suggestedFilename()));
  const release = await hold(ada.page, "ExportUser");
  await ada.open("/settings/export");
  await ada.button("Download everything").click();
  await expect(ada.status("The file is being put together.")).toBeVisible();
  await ada.button("Cancel").click();
  await expect(ada.status("Cancelled. Nothing was saved.")).toBeVisible();
  release();
  await ada.page.unrouteAll({ behavior: "ignoreErrors" });

  await ada.page.route("**/*Service/ExportUser", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.body()).subarray(0, 200) });
  });
  await ada.button("Download everything").click();
  await expect(ada.alert("The export broke off, and nothing was saved.")).toBeFocused();
  expect(files).toEqual([]);
});

test("an account is deleted, and its receipt says what was erased when", async ({
  visitor,
  device,
  sit,
  pair,
}) => {
  const ada = await visitor("ada");
  await ada.signUp();
  await ada.seesTasks();
  await ada.add("Tune the piano");
  const tab = await ada.tab();
  const phone = await device(ada);
  await ada.open("/settings/delete");
  await ada.field("Email of this account").fill("somebody@example.org");
  await ada.button("Delete my account").click();
  await expect(ada.alert("This is not the email of your account.")).toBeFocused();
  expect(ada.calls.count("DeleteUser")).toBe(0);
  await ada.field("Email of this account").fill(ada.who.email.toUpperCase());
  await ada.button("Delete my account").click();

  await ada.isAt("/receipt");
  await expect(ada.heading(DELETED)).toBeVisible();
  for (const other of [tab, phone]) await expect(other.heading("Sign in")).toBeVisible();
  await expect(ada.status("Everything is erased.")).toBeVisible();
  await expect(ada.page.getByText("task-service")).toBeVisible();
  await expect(ada.page.getByText(/^erased .*\d{4}/)).toBeVisible();
  // What made the device known outlives the account, and opens nothing.
  const cookies = await ada.context.cookies();
  expect(cookies.map(({ name }) => name)).toEqual(["duet-device"]);

  const download = ada.page.waitForEvent("download");
  await ada.button("Save the statement").click();
  const statement = await readFile(await (await download).path(), "utf8");
  const [head, claims] = statement.split(".").map((part) => Buffer.from(part, "base64url"));
  expect(JSON.parse(String(head))).toMatchObject({ typ: "duet-erasure+jwt" });
  expect(String(claims)).toContain("task-service");

  // The code leads back here, from anywhere; the account is no more.
  const code = await ada.page.locator("code").textContent();
  const later = await sit(ada.who);
  await later.open("/signin");
  await later.signIn();
  await expect(later.alert("Invalid credentials")).toBeVisible();
  await later.open("/receipt");
  await later.field("Code").fill("dr_nonsense");
  await later.button("Look it up").click();
  await expect(later.field("Code")).toHaveAccessibleDescription(/begins with dr_/);
  await later.field("Code").fill(` ${code} `);
  await later.field("Code").press("Enter");
  await expect(later.status("Everything is erased.")).toBeVisible();
  // Where somebody gave up waiting it says no more than is known.
  pair.giveUpService("notes");
  await later.open("/receipt");
  await later.field("Code").fill(code ?? "");
  await later.button("Look it up").click();
  await expect(later.status("Not every service has confirmed")).toBeVisible();
  await expect(later.page.getByText(/^not confirmed; given up .*\d{4}/)).toBeVisible();
});

test("who was here long ago proves who they are, and whoever cancels loses nothing", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.open("/settings/delete");
  const wanted = await answerWith(ada.page, "DeleteUser", PROOF_WANTED);
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  await ada.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await ada.isAt("/settings/delete");
  await expect(ada.field("Email of this account")).toHaveValue(ada.who.email);
  await expect(ada.alert("There is a problem")).toHaveCount(0);

  await ada.button("Delete my account").click();
  await ada.field("Your password").fill(ada.who.password);
  await wanted.stop();
  await ada.button("Confirm").click();
  await expect(ada.heading(DELETED)).toBeVisible();
});

test("a deletion whose answer is lost is told of where one has to sign in", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await ada.open("/settings/delete");
  await loseAnswers(ada.page, "DeleteUser");
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  await expect(ada.heading("Sign in")).toBeVisible();
  await expect(ada.status(MAY_BE_GONE)).toBeVisible();
  await expect(ada.status("Session expired")).toHaveCount(0);
});

test("one that did not arrive can be asked for again, or be left alone", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await ada.open("/settings/delete");
  await ada.page.route("**/*Service/DeleteUser", (route) => route.abort());
  await ada.field("Email of this account").fill(ada.who.email);
  for (const tries of [1, 2]) {
    await ada.button("Delete my account").click();
    await expect.poll(() => ada.calls.count("DeleteUser")).toBe(tries);
    await expect(ada.alert("Duet cannot be reached.")).toBeFocused();
  }
  await ada.link("Tasks").click();
  await ada.seesTasks();
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await expect(ada.status(MAY_BE_GONE)).toHaveCount(0);
});

test("one that is refused because the session was over is no deletion, and nothing typed is lost", async ({
  person,
  device,
}) => {
  const ada = await person("ada");
  const phone = await device(ada);
  // The streams have not told yet.
  await ada.context.route("**/*Service/WatchTasks", () => undefined);
  await ada.open("/settings/delete");
  const tab = await ada.tab();
  await tab.field("New task").fill("Half a thought");
  await ada.field("Email of this account").fill(ada.who.email);
  await phone.account.account.revokeOtherSessions({});
  await ada.button("Delete my account").click();
  await expect(ada.heading("Sign in")).toBeVisible();
  await expect(ada.status("Session expired.")).toBeVisible();
  await expect(ada.status(MAY_BE_GONE)).toHaveCount(0);
  await expect(tab.status("Session expired.")).toBeVisible();
  await ada.signIn();
  await ada.isAt("/settings/delete");
  await expect(tab.field("New task")).toHaveValue("Half a thought");
});

test("whoever signs in next reads nothing of a deletion that failed after its screen was left", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const eve = await person("eve");
  const ada = await person("ada");
  await ada.open("/settings/delete");
  let lose: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => (lose = resolve));
  await ada.page.route("**/*Service/DeleteUser", async (route) => {
    await lost;
    await route.abort();
  });
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  await expect.poll(() => ada.calls.open("DeleteUser")).toBe(1);
  await ada.link("Tasks").click();
  await ada.seesTasks();
  lose();
  await expect.poll(() => ada.calls.open("DeleteUser")).toBe(0);
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  await expect(ada.status(MAY_BE_GONE)).toHaveCount(0);
  await ada.field("Email").fill(eve.who.email);
  await ada.field("Password").fill(eve.who.password);
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("a session that ends while one is to prove who one is leads to the sign-in page", async ({
  person,
  device,
}) => {
  const ada = await person("ada");
  const phone = await device(ada);
  await answerWith(ada.page, "DeleteUser", PROOF_WANTED);
  await ada.open("/settings/delete");
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.button("Delete my account").click();
  await expect(ada.field("Your password")).toBeVisible();
  await phone.account.account.revokeOtherSessions({});
  await expect(ada.status("Session expired.")).toBeVisible();
  await expect(ada.status(MAY_BE_GONE)).toHaveCount(0);
});

test("the receipt can be copied, and is said to be looked for while services erase", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const release = await hold(ada.page, "GetDeletionReceipt");
  await ada.open("/settings/delete");
  await ada.field("Email of this account").fill(ada.who.email);
  await ada.field("Email of this account").press("Enter");
  await expect(ada.heading(DELETED)).toBeFocused();
  await ada.button("Copy the code").click();
  await expect(ada.status("Copied.")).toBeVisible();
  expect(await ada.page.evaluate(() => navigator.clipboard.readText())).toMatch(/^dr_/);
  release();
  await expect(ada.status("Everything is erased.")).toBeVisible();
});
