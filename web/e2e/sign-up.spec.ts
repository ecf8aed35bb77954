// Making an account: what a newcomer sees, and what the page says when it
// cannot be.

import { somebody } from "./harness/account.ts";
import { expect, test } from "./harness/test.ts";

test("S1.1 FR-001 FR-006 FR-024: a newcomer signs up and is at their tasks", async ({
  visitor,
}) => {
  const ada = await visitor("ada");
  await expect(ada.heading("Create your account")).toBeVisible();
  await expect(ada.page).toHaveTitle("Create your account · Duet");
  await ada.signUp();
  await ada.isAt("/tasks");
  await expect(ada.heading("Tasks")).toBeVisible();
  await expect(ada.page).toHaveTitle("Tasks · Duet");
  await expect(ada.page.getByText("Nothing to do. Enjoy, or add a task above.")).toBeVisible();
});

test("FR-028: who is signed in stands in the header, by name or else by e-mail", async ({
  sit,
}) => {
  const grace = await sit(somebody("grace", "Grace Hopper"));
  await grace.open("/signup");
  await grace.signUp();
  await expect(grace.page.getByRole("banner").getByText("Grace Hopper")).toBeVisible();

  const ada = await sit(somebody("ada"));
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.page.getByRole("banner").getByText(ada.who.email)).toBeVisible();
});

test("S1.2 FR-005: an e-mail that is taken leads to sign-in, and takes itself along", async ({
  visitor,
  person,
  sit,
}) => {
  const ada = await person("ada");
  const again = await sit(ada.who);
  await again.open("/signup");
  await again.signUp();
  const summary = again.alert("There is a problem");
  await expect(summary).toBeFocused();
  await expect(summary).toContainText("Email already registered");
  await expect(again.field("Email")).toHaveAccessibleDescription("Email already registered");
  await expect(again.field("Email")).toHaveAttribute("aria-invalid", "true");

  await again.link("Sign in instead").click();
  await again.isAt("/signin");
  await expect(again.field("Email")).toHaveValue(ada.who.email);
  await again.field("Password").fill(ada.who.password);
  await again.field("Password").press("Enter");
  await again.seesTasks();

  // And nobody else was made: a stranger's e-mail still works.
  const stranger = await visitor("stranger");
  await stranger.signUp();
  await stranger.seesTasks();
});

test("S1.3 FR-003: a short password is told the rule, beside its field", async ({ sit }) => {
  const ada = await sit({ ...somebody("ada"), password: "walnut7" });
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.field("Password")).toHaveAccessibleDescription(/8/);
  const summary = ada.alert("There is a problem");
  await expect(summary).toBeFocused();
  await summary.getByRole("link").click();
  await expect(ada.field("Password")).toBeFocused();
  await ada.isAt("/signup");
});

test("S1.4 FR-002: a malformed e-mail is told so", async ({ sit }) => {
  const ada = await sit({ ...somebody("ada"), email: "ada at example" });
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.field("Email")).toHaveAccessibleDescription("Invalid email format");
  await expect(ada.alert("There is a problem")).toContainText("Invalid email format");
});

test("everything that is wrong is said at once", async ({ sit }) => {
  const ada = await sit({ email: "ada", password: "short", displayName: "A".repeat(500) });
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.alert("There is a problem").getByRole("listitem")).toHaveCount(3);
  for (const label of ["Email", "Name (optional)", "Password"]) {
    await expect(ada.field(label)).toHaveAttribute("aria-invalid", "true");
  }
});

test("E3: an e-mail over 254 characters and a password over the cap are refused kindly", async ({
  sit,
}) => {
  const email = `${"a".repeat(250)}@example.org`;
  const ada = await sit({ email, password: "walnut ".repeat(40), displayName: "" });
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.field("Email")).toHaveAttribute("aria-invalid", "true");
  await expect(ada.field("Password")).toHaveAttribute("aria-invalid", "true");
  await ada.isAt("/signup");
});

test("an empty form is told what it lacks, without a call", async ({ visitor }) => {
  const ada = await visitor("ada");
  const before = ada.calls.count("SignUp");
  await ada.button("Create account").click();
  const summary = ada.alert("There is a problem");
  await expect(summary).toContainText("Enter your email.");
  await expect(summary).toContainText("Enter a password.");
  expect(ada.calls.count("SignUp")).toBe(before);
});

test("a guessable password is refused with the reason in words", async ({ sit }) => {
  const ada = await sit({ ...somebody("ada"), password: "password1" });
  await ada.open("/signup");
  await ada.field("Password").fill("password1");
  await expect(ada.page.getByText("Strength: weak")).toBeVisible();
  await ada.signUp();
  await expect(ada.field("Password")).toHaveAccessibleDescription(/guess/);
});

test("the strength is said while one types, and the password can be looked at", async ({
  visitor,
}) => {
  const ada = await visitor("ada");
  const password = ada.field("Password");
  await password.fill("walnut");
  await expect(ada.status("Strength: too short")).toBeVisible();
  await password.fill("walnut-Trombone-91-lake");
  await expect(ada.status("Strength: strong")).toBeVisible();

  await expect(password).toHaveAttribute("type", "password");
  await ada.button("Show password").click();
  await expect(ada.button("Show password")).toHaveAttribute("aria-pressed", "true");
  await expect(password).toHaveAttribute("type", "text");
  await ada.button("Show password").click();
  await expect(password).toHaveAttribute("type", "password");
});

test("password managers find what they look for", async ({ visitor }) => {
  const ada = await visitor("ada");
  await expect(ada.field("Email")).toHaveAttribute("autocomplete", "username");
  await expect(ada.field("Name (optional)")).toHaveAttribute("autocomplete", "name");
  await expect(ada.field("Password")).toHaveAttribute("autocomplete", "new-password");
  await ada.open("/signin");
  await expect(ada.field("Email")).toHaveAttribute("autocomplete", "username");
  await expect(ada.field("Password")).toHaveAttribute("autocomplete", "current-password");
});
