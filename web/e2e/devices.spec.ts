// One person on several devices (E4): each has a session of its own, and can be
// ended from any other.

import { endOf } from "./harness/account.ts";
import { addFactor } from "./harness/authenticator.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const EXPIRED = "Session expired. Sign in again, and you are back where you were.";

function devices(someone: Someone) {
  return someone.page.getByRole("list", { name: "Devices" }).getByRole("listitem");
}

test("E4: devices are listed by what they are, with this one marked", async ({ visitor, sit }) => {
  const ada = await visitor("ada");
  await ada.signUp();
  await ada.seesTasks();
  const laptop = await sit(ada.who, undefined, { userAgent: FIREFOX });
  await laptop.open("/signin");
  await laptop.signIn();
  await laptop.seesTasks();
  await laptop.link("Settings").click();
  await laptop.link("Devices").click();
  await expect(devices(laptop)).toHaveCount(2);
  const here = devices(laptop).filter({ hasText: "This device" });
  await expect(here).toContainText("Firefox on Windows");
  await expect(here).toContainText(/Signed in .*, last active /);
  await expect(here.getByRole("button")).toHaveCount(0);
  await expect(laptop.button("Sign out Chrome on Linux")).toBeVisible();
});

/** Whatever a page says as an alert from now on. */
async function alertsOf({ page }: Someone): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => {
      for (const { textContent } of document.querySelectorAll("[role=alert]"))
        said.push(textContent);
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  return () => page.evaluate(() => (window as unknown as { said: string[] }).said);
}

test("a device that is signed out elsewhere leaves at once, keeps the draft and comes back", async ({
  person,
  sit,
}) => {
  const ada = await person("ada");
  const phone = await sit(ada.who, undefined, { userAgent: FIREFOX });
  await phone.open("/signin?next=/tasks?status=all");
  await phone.signIn();
  await phone.isAt("/tasks?status=all");
  await phone.seesTasks();
  await phone.field("New task").fill("Half a thought");
  const alerts = await alertsOf(phone);

  await ada.open("/settings/sessions");
  await ada.button("Sign out Firefox on Windows").click();

  // Nobody has touched the phone, and its token has not run out.
  await expect(phone.status(EXPIRED)).toBeVisible();
  expect(endOf(await phone.calls.token())).toBeGreaterThan(Date.now());
  await expect(ada.status("Signed out Firefox on Windows.")).toBeFocused();
  await expect(devices(ada)).toHaveCount(1);
  await expect(phone.page.getByText("Half a thought")).toHaveCount(0);
  expect(await alerts()).toEqual([]);
  await phone.signIn();
  await phone.isAt("/tasks?status=all");
  await expect(phone.field("New task")).toHaveValue("Half a thought");
});

test("it leaves from the settings as well, and shows nothing to whoever comes next", async ({
  person,
  sit,
}) => {
  const eve = await person("eve");
  const ada = await person("ada");
  const phone = await sit(ada.who, undefined, { userAgent: FIREFOX });
  await phone.open("/signin?next=/settings/profile");
  await phone.signIn();
  await phone.field("Name").fill("Ada, Countess of");
  const alerts = await alertsOf(phone);
  await ada.open("/settings/sessions");
  await ada.button("Sign out Firefox on Windows").click();
  await expect(phone.status(EXPIRED)).toBeVisible();
  expect(await alerts()).toEqual([]);
  await expect(phone.field("Email")).toHaveValue("");
  await phone.field("Email").fill(eve.who.email);
  await phone.field("Password").fill(eve.who.password);
  await phone.button("Sign in").click();
  await phone.isAt("/settings/profile");
  await expect(phone.page.getByRole("main").getByText(eve.who.email)).toBeVisible();
  await expect(phone.field("Name")).toHaveValue("");
  await expect(phone.page.getByText("ada.")).toHaveCount(0);
});

test("it leaves from a task that was opened by its address, too", async ({ person, device }) => {
  const ada = await person("ada");
  const id = await ada.account.add("Tune the piano");
  const phone = await device(ada);
  await phone.open(`/tasks/${id}`);
  await expect(phone.heading("Tune the piano")).toBeVisible();
  await ada.account.account.revokeOtherSessions({});
  await expect(phone.status(EXPIRED)).toBeVisible();
  await expect(phone.page.getByText("Tune the piano")).toHaveCount(0);
});

test("what one person is asked is not put to the next", async ({ person }) => {
  const eve = await person("eve");
  const ada = await person("ada");
  await addFactor(ada.account, "Phone");
  await ada.open("/settings/factors");
  await ada.button("Remove Phone").click();
  const question = ada.page.getByRole("dialog", { name: /^Remove/ });
  await expect(question).toBeVisible();
  const { sessions } = await ada.account.account.listSessions({});
  for (const { name } of sessions) await ada.account.account.revokeSession({ name });
  await expect(ada.status(EXPIRED)).toBeVisible();
  await expect(question).toHaveCount(0);
  await ada.field("Email").fill(eve.who.email);
  await ada.field("Password").fill(eve.who.password);
  await ada.button("Sign in").click();
  await ada.isAt("/settings/factors");
  await expect(ada.button("Add")).toBeVisible();
  await expect(question).toHaveCount(0);
});

test("a tab that learns that somebody else is here forgets what was typed into settings", async ({
  person,
}) => {
  const [ada, eve] = [await person("ada"), await person("eve")];
  await ada.open("/settings/profile");
  await expect(ada.page.getByRole("main").getByText(ada.who.email)).toBeVisible();
  await ada.field("Name").fill("Ada, Countess of");
  // As a tab that slept hears of it: without the sign-out in between.
  await ada.page.evaluate((accessToken) => {
    const credentials = { accessToken, refreshToken: "", receivedAt: Date.now() };
    new BroadcastChannel("duet").postMessage({ kind: "credentials", credentials });
  }, eve.account.token);
  await expect(ada.page.getByRole("main").getByText(eve.who.email)).toBeVisible();
  await expect(ada.field("Name")).toHaveValue("");
});

test("what was noted on a device that is signed out is put out of sight", async ({
  person,
  device,
}) => {
  const ada = await person("ada");
  await ada.account.add("Tune the piano");
  const phone = await device(ada);
  await phone.delete("Tune the piano");
  await expect(phone.toasts).toContainText("Tune the piano");
  await ada.account.account.revokeOtherSessions({});
  await expect(phone.status(EXPIRED)).toBeVisible();
  await expect(phone.page.getByText("Tune the piano")).toHaveCount(0);
});

test("S4.2: a revoked session is found to be over at the next visit as well", async ({
  person,
  device,
}) => {
  const ada = await person("ada");
  const phone = await device(ada);
  await ada.account.account.revokeOtherSessions({});
  await phone.open("/settings/password");
  await expect(phone.status(EXPIRED)).toBeVisible();
  await phone.signIn();
  await phone.isAt("/settings/password");
});

test("all other devices are signed out with one button", async ({ person, device }) => {
  const ada = await person("ada");
  const others = [await device(ada), await device(ada)];
  await ada.open("/settings/sessions");
  await expect(devices(ada)).toHaveCount(3);
  await ada.button("Sign out all other devices").click();
  await expect(ada.status("Signed out 2 other devices.")).toBeVisible();
  await expect(devices(ada)).toHaveCount(1);
  await expect(ada.button("Sign out all other devices")).toHaveCount(0);
  for (const other of others) {
    await other.page.reload();
    await expect(other.heading("Sign in")).toBeVisible();
  }
  await ada.link("Tasks").click();
  await ada.seesTasks();
});

test("a new password signs out the other devices and is the one that counts", async ({
  person,
  device,
  sit,
}) => {
  const ada = await person("ada");
  const phone = await device(ada);
  await ada.open("/settings/password");
  await ada.field("Current password").fill("something else 7");
  await ada.field("New password").fill("cello-Bassoon-17");
  await ada.button("Change password").click();
  await expect(ada.field("Current password")).toHaveAttribute("aria-invalid", "true");
  await ada.field("Current password").fill(ada.who.password);
  await ada.button("Change password").click();
  await expect(ada.status("Password changed. Your other devices were signed out.")).toBeVisible();
  await expect(ada.field("New password")).toHaveValue("");

  await phone.page.reload();
  await expect(phone.status(EXPIRED)).toBeVisible();
  const again = await sit(ada.who);
  await again.open("/signin");
  await again.signIn();
  await expect(again.alert("Invalid credentials")).toBeVisible();
  await again.field("Password").fill("cello-Bassoon-17");
  await again.button("Sign in").click();
  await again.seesTasks();
});

test("the name in the header follows the profile", async ({ person }) => {
  const ada = await person("ada");
  await ada.link("Settings").click();
  await expect(ada.heading("Profile")).toBeVisible();
  await expect(ada.page.getByRole("main").getByText(ada.who.email)).toBeVisible();
  await ada.field("Name").fill("Ada Lovelace");
  await ada.button("Save").click();
  await expect(ada.status("Saved.")).toBeVisible();
  await expect(ada.page.getByRole("banner").getByText("Ada Lovelace")).toBeVisible();
  await ada.page.reload();
  await expect(ada.field("Name")).toHaveValue("Ada Lovelace");
});
