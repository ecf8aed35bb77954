// What goes by mail: a forgotten password, proving an address, changing it. The
// mails are real; their links are opened as they stand there.

import { somebody } from "./harness/account.ts";
import { answerNothing } from "./harness/answer.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const VERIFY = "Please verify your address";
const RESET = "Set a new password";
const SENT = "If this address has an account, a mail is on its way to it.";
const NEW = "cello-Bassoon-17";

/** Opens the link of a mail, as a click on it does. */
async function follow(someone: Someone, link: string): Promise<void> {
  expect(link).toMatch(/^http:\/\/\S+#token=dm_/);
  await someone.page.goto(link);
}

async function asks(someone: Someone): Promise<void> {
  await someone.open("/signin");
  await someone.link("Forgot your password?").click();
  await expect(someone.heading("Forgot your password?")).toBeVisible();
  await someone.field("Email").fill(someone.who.email);
  await someone.field("Email").press("Enter");
  await expect(someone.status(SENT)).toBeFocused();
}

async function setsPassword(someone: Someone, password: string): Promise<void> {
  await someone.field("New password").fill(password);
  await someone.button("Set the password").click();
}

test("a forgotten password is set by the link of a mail, which signs out everywhere", async ({
  person,
  sit,
  mails,
}) => {
  const phone = await person("ada");
  const ada = await sit(phone.who);
  await asks(ada);
  const link = await mails.link(ada.who.email, RESET);
  await follow(ada, link);
  await expect(ada.heading("Set a new password")).toBeVisible();
  // Neither the address nor a page before this one has the token.
  await ada.isAt("/reset");
  expect(await ada.page.evaluate(() => document.documentElement.outerHTML)).not.toContain("dm_");
  await setsPassword(ada, NEW);

  await ada.isAt("/signin");
  await expect(ada.status("Your new password is set. Sign in with it.")).toBeVisible();
  await ada.signIn();
  await expect(ada.alert("Invalid credentials")).toBeVisible();
  await ada.signIn(NEW);
  await ada.seesTasks();
  await expect(phone.heading("Sign in")).toBeVisible();

  // The link is used up, and says how to get another one.
  const late = await sit(ada.who);
  await follow(late, link);
  await setsPassword(late, "oboe-Trumpet-55");
  await expect(late.heading("This link leads nowhere")).toBeVisible();
  await expect(late.page.getByText("If you have set it already, sign in.")).toBeVisible();
  await expect(late.page.getByText("or the password was set by another one since.")).toBeVisible();
  await late.link("Ask for a new mail").click();
  await late.isAt("/forgot");
});

test("an address without an account is told exactly the same, and gets no mail", async ({
  person,
  sit,
  mails,
}) => {
  const stranger = await sit(somebody("stranger"));
  await asks(stranger);
  const ada = await sit((await person("ada")).who);
  await asks(ada);
  const text = await ada.status(SENT).textContent();
  await expect(stranger.status(SENT)).toHaveText(text ?? "");
  // Hers was asked for later, and is there.
  await mails.wait(ada.who.email, RESET);
  expect(mails.to(stranger.who.email)).toEqual([]);
});

test("who set the password where they were signed in is signed out there, too", async ({
  person,
  mails,
}) => {
  const ada = await person("ada");
  await ada.open("/forgot");
  await ada.field("Email").fill(ada.who.email);
  await ada.button("Send the mail").click();
  await follow(ada, await mails.link(ada.who.email, RESET));
  await setsPassword(ada, NEW);
  await ada.isAt("/signin");
  await expect(ada.status("Your new password is set.")).toBeVisible();
  await expect(ada.status("Session expired")).toHaveCount(0);
});

test("where another account is open, that one stays", async ({ person, mails }) => {
  const eve = await person("eve");
  const { who } = await person("ada");
  await eve.open("/forgot");
  await eve.field("Email").fill(who.email);
  await eve.button("Send the mail").click();
  await follow(eve, await mails.link(who.email, RESET));
  await setsPassword(eve, NEW);
  await eve.isAt("/tasks");
  await expect(eve.toasts).toContainText("The new password is set.");
  await expect(eve.page.getByRole("banner").getByText(eve.who.email)).toBeVisible();
});

test("a password that is easy to guess is told beside its field, and the link stays good", async ({
  person,
  sit,
  mails,
}) => {
  const ada = await sit((await person("ada")).who);
  await asks(ada);
  await follow(ada, await mails.link(ada.who.email, RESET));
  await ada.button("Set the password").click();
  await expect(ada.alert("Enter a new password.")).toBeFocused();
  await setsPassword(ada, "password1");
  await expect(ada.field("New password")).toHaveAccessibleDescription(/guess/);
  await setsPassword(ada, NEW);
  await ada.isAt("/signin");
});

test("a link that lost its token says so, and so does one that nobody sent", async ({
  visitor,
}) => {
  const ada = await visitor("ada", "/reset");
  await expect(ada.heading("This link leads nowhere")).toBeVisible();
  await ada.open("/verify");
  await expect(ada.page.getByText("A part of it is missing.")).toBeVisible();
  await ada.open("/verify#token=dm_nonsense");
  await ada.button("Confirm").click();
  const why = ada.page.getByText("It was used already, or it is older than 24 hours, or another");
  await expect(why).toContainText("or another one was used, or asked for, since, or whoever asked");
  await expect(why).toContainText("was signed out or changed the password since; then ask again.");
  await expect(ada.link("Sign in")).toBeVisible();
});

test("an address is verified by its mail, and nothing happens before one says so", async ({
  person,
  mails,
}) => {
  const ada = await person("ada");
  await ada.open("/settings/profile");
  const notice = ada.page.getByText("This address is not verified yet.");
  await expect(notice).toBeVisible();

  const reader = await ada.tab();
  await follow(reader, await mails.link(ada.who.email, VERIFY));
  await expect(reader.heading("Please confirm")).toBeVisible();
  await reader.isAt("/verify");
  expect(reader.calls.count("VerifyEmail")).toBe(0);
  await reader.button("Confirm").click();
  await expect(reader.status("Your address is verified.")).toBeFocused();
  await reader.link("To your tasks").click();
  await reader.seesTasks();

  await ada.page.reload();
  await expect(ada.page.getByText("Verified", { exact: true })).toBeVisible();
  await expect(notice).toHaveCount(0);
});

test("the mail can be sent again, but not at once", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/settings/profile");
  await ada.button("Send the mail again").click();
  await expect(ada.alert("A mail was sent a moment ago.")).toBeFocused();
  await expect(ada.page.getByRole("button", { name: /^Try again in \d+ s$/ })).toBeVisible();

  await ada.page.reload();
  await answerNothing(ada.page, "RequestEmailVerification");
  await ada.button("Send the mail again").click();
  await expect(ada.status(`A mail is on its way to ${ada.who.email}.`)).toBeVisible();
});

test("another address is taken when both have agreed", async ({ person, sit, mails }) => {
  const ada = await person("ada");
  const after = somebody("lovelace").email;
  await ada.open("/settings/profile");
  await ada.page.getByText("Change the email").click();
  await ada.button("Ask both addresses").click();
  await expect(ada.alert("Enter the new email.")).toBeFocused();
  await ada.field("New email").fill(ada.who.email);
  await ada.button("Ask both addresses").click();
  await expect(ada.field("New email")).toHaveAccessibleDescription(/the address of your account/);
  await ada.field("New email").fill(after);
  await ada.button("Ask both addresses").click();
  await expect(ada.status(`to your address and to ${after}.`)).toBeVisible();

  const reader = await sit(ada.who);
  await follow(reader, await mails.link(after, "Shall this be the address of an account?"));
  await reader.button("Confirm").click();
  await expect(reader.status("once the other address has agreed")).toBeVisible();
  // The same tab, another link.
  const asked = await mails.link(ada.who.email, "Shall your account get another address?");
  await follow(reader, asked);
  await reader.button("Confirm").click();
  await expect(reader.status("Your account has its new address")).toBeVisible();

  await ada.page.reload();
  await expect(ada.page.getByRole("main").getByText(after)).toBeVisible();
  const again = await sit({ ...ada.who, email: after });
  await again.open("/signin");
  await again.signIn();
  await again.seesTasks();
});

test("recovery needs no mouse", async ({ person, sit, mails }) => {
  const ada = await sit((await person("ada")).who);
  const { keyboard } = ada.page;
  await ada.open("/forgot");
  await ada.field("Email").focus();
  await keyboard.type(ada.who.email);
  await keyboard.press("Enter");
  await expect(ada.status(SENT)).toBeFocused();
  await follow(ada, await mails.link(ada.who.email, RESET));
  await ada.field("New password").focus();
  await keyboard.type(NEW);
  await keyboard.press("Enter");
  await ada.isAt("/signin");
});
