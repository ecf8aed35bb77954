// A session that ends by itself, after nine seconds without a word here instead
// of seven days: what one was typing is still there afterwards.

import { isGood } from "./harness/account.ts";
import { hold } from "./harness/answer.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

test.use({ settings: { AUTH_ACCESS_TOKEN_TTL: "5s", AUTH_SESSION_IDLE_TTL: "9s" } });

/**
 * Waits until the session is over and nobody takes its newest access token any
 * more: with the leeway of five seconds it may be good for longer.
 */
async function ended(someone: Someone): Promise<void> {
  const token = await someone.calls.token();
  await expect.poll(() => isGood(someone.place, token), { timeout: 30_000 }).toBe(false);
}

const EXPIRED = "Session expired. Sign in again, and you are back where you were.";

test("S4.2 E1: the session ends while one types; the draft is kept, and one comes back to it", async ({
  person,
}) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.count("All").click();
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Notes").fill("A long thought");
  await ada.field("New task").fill("Another thought");
  await ended(ada);
  // The stream of changes ends with the token, so the page notices by itself.
  await expect(ada.status(EXPIRED)).toBeVisible();

  await ada.signIn();
  await ada.isAt("/tasks?status=all");
  await expect(ada.field("New task")).toHaveValue("Another thought");
  await expect(ada.editor.getByLabel("Notes")).toHaveValue("A long thought");
  await ada.save();
  await expect(ada.task("Tune the piano")).toContainText("Notes");
});

test("S4.2: what was already saved goes out after one has signed in again", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  // It is on its way when the session ends.
  const release = await hold(ada.page, "CreateTask");
  await ada.type("Buy strings");
  await ended(ada);
  release();
  await expect(ada.status(EXPIRED)).toBeVisible();
  await ada.answered("CreateTask", () => ada.signIn());
  await ada.isAt("/tasks");
  await ada.seesTasks("Tune the piano", "Buy strings");
});

test("somebody else who signs in then finds nothing of it", async ({ person, visitor }) => {
  const eve = await visitor("eve");
  await eve.signUp();
  const ada = await person("ada");
  await ada.add("Ada's task");
  await ada.field("New task").fill("A secret of Ada's");
  await ended(ada);
  await expect(ada.status(EXPIRED)).toBeVisible();
  await ada.field("Email").fill(eve.who.email);
  await ada.field("Password").fill(eve.who.password);
  await ada.button("Sign in").click();
  await expect(ada.page.getByRole("banner").getByText(eve.who.email)).toBeVisible();
  await expect(ada.field("New task")).toHaveValue("");
  await expect(ada.page.getByText("Ada's")).toHaveCount(0);
});
