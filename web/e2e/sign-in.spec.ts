// Coming in, being sent there, and being sent back to where one wanted to be.

import { somebody } from "./harness/account.ts";
import { answerWith } from "./harness/answer.ts";
import { expect, test } from "./harness/test.ts";

test("S2.1 FR-007 FR-009 FR-025: a registered user signs in and is at their tasks", async ({
  person,
  sit,
}) => {
  const { account, who } = await person("ada");
  await account.add("Tune the piano");
  const ada = await sit(who);
  await ada.open("/signin");
  await ada.signIn();
  await ada.isAt("/tasks");
  await ada.seesTasks("Tune the piano");
});

test("S2.2 S2.3 FR-010: a wrong password and an unknown e-mail look exactly alike", async ({
  person,
  visitor,
  sit,
}) => {
  const { who } = await person("ada");
  const wrong = await sit(who);
  await wrong.open("/signin");
  await wrong.signIn("walnut-Trombone-92");
  const unknown = await visitor("nobody", "/signin");
  await unknown.signIn();

  for (const refused of [wrong, unknown]) {
    await expect(refused.alert("There is a problem")).toBeFocused();
    await refused.isAt("/signin");
  }
  const text = (await wrong.alert("There is a problem").textContent()) ?? "";
  expect(text).toContain("Invalid credentials");
  await expect(unknown.alert("There is a problem")).toHaveText(text);
});

test("S2.4 FR-027: the signed-in find their tasks where sign-in and sign-up would be", async ({
  person,
}) => {
  const ada = await person("ada");
  for (const path of ["/", "/signin", "/signup"]) {
    await ada.open(path);
    await ada.isAt("/tasks");
    await ada.seesTasks();
  }
});

test("S4.1 FR-015: signing out ends the session and leads to sign-in", async ({ person }) => {
  const ada = await person("ada");
  await ada.signOut();
  await ada.isAt("/signin");
  await expect(ada.heading("Sign in")).toBeVisible();
  expect(await ada.context.cookies()).toEqual([]);
  await ada.open("/tasks");
  await ada.isAt("/signin");
});

test("S4.3 FR-026: a protected page opened while signed out comes back after sign-in", async ({
  person,
  sit,
}) => {
  const { account, who } = await person("ada");
  const id = await account.add("Tune the piano");
  for (const path of ["/tasks?status=all", `/tasks/${id}`, "/settings/password"]) {
    const ada = await sit(who);
    await ada.open(path);
    await ada.isAt(`/signin?next=${encodeURIComponent(path)}`);
    await ada.signIn();
    await ada.isAt(path);
  }
});

test("signing up instead leads to the same place", async ({ visitor }) => {
  const ada = await visitor("ada", "/settings/sessions");
  await ada.link("Create an account").click();
  await ada.signUp();
  await ada.isAt("/settings/sessions");
});

test("where `next` names another origin it leads to the tasks and nowhere else", async ({
  person,
}) => {
  const ada = await person("ada");
  for (const next of [
    "//evil.example/tasks",
    "/\\evil.example/tasks",
    "https://evil.example/tasks",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/signin?next=/tasks",
  ]) {
    await ada.signOut();
    await expect(ada.heading("Sign in")).toBeVisible();
    await ada.open(`/signin?next=${encodeURIComponent(next)}`);
    await ada.signIn();
    await ada.isAt("/tasks");
    await ada.seesTasks();
  }
});

test("too many attempts: the button counts down and then works again", async ({ person, sit }) => {
  const { who } = await person("ada");
  const ada = await sit(who);
  await ada.page.clock.install();
  await ada.open("/signin");
  const throttled = await answerWith(ada.page, "SignIn", {
    code: "RESOURCE_EXHAUSTED",
    domain: "duet.auth",
    reason: "HASH_CAPACITY",
    message: "Too many people are signing in. Please try again in a moment.",
    retryAfterSeconds: 30,
  });
  await ada.signIn();
  await expect(ada.alert("Too many people are signing in.")).toBeVisible();
  const waits = ada.page.getByRole("button", { name: /^Try again in \d+ s$/ });
  await expect(waits).toHaveAttribute("aria-disabled", "true");
  // It can still be reached, and pressing it does nothing.
  await waits.focus();
  await expect(waits).toBeFocused();
  const attempts = ada.calls.count("SignIn");
  await ada.page.keyboard.press("Enter");
  expect(ada.calls.count("SignIn")).toBe(attempts);

  await throttled.stop();
  await ada.page.clock.fastForward(30_000);
  await ada.button("Sign in").click();
  await ada.seesTasks();
});

test("an unknown address says so, to whomever", async ({ person, sit, watch }) => {
  watch.allow(/status of 404/);
  const stranger = await sit(somebody("stranger"));
  const ada = await person("ada");
  for (const visitor of [stranger, ada]) {
    await visitor.open("/nowhere");
    await expect(visitor.heading("Nothing found")).toBeVisible();
    await expect(visitor.page.getByText("There is no such page.")).toBeVisible();
    await expect(visitor.page).toHaveTitle("Nothing found · Duet");
  }
});
