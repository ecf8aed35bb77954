// A session that ends by itself, after seven days without a word: what one was
// typing is still there afterwards.

import { hold } from "./harness/answer.ts";
import type { Pair } from "./harness/pair.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

const EXPIRED = "Session expired. Sign in again, and you are back where you were.";

/** Somebody with their tasks before them, on whose page time can be moved on. */
async function sits(person: (name: string) => Promise<Someone>): Promise<Someone> {
  const ada = await person("ada");
  await ada.page.clock.install();
  await ada.page.reload();
  await ada.add("Tune the piano");
  return ada;
}

/**
 * The session is over for auth-service, and the access token has run out for the
 * page. Its stream of changes has been silent for too long, so it begins another
 * one, and notices by itself.
 */
async function ends({ page, who }: Someone, pair: Pair): Promise<void> {
  pair.expire(who);
  await page.clock.fastForward("06:00");
}

test("S4.2 E1: the session ends while one types; the draft is kept, and one comes back to it", async ({
  person,
  pair,
}) => {
  const ada = await sits(person);
  await ada.count("All").click();
  await ada.edit("Tune the piano");
  await ada.editor.getByLabel("Notes").fill("A long thought");
  await ada.field("New task").fill("Another thought");
  await ends(ada, pair);
  await expect(ada.status(EXPIRED)).toBeVisible();

  await ada.signIn();
  await ada.isAt("/tasks?status=all");
  await expect(ada.field("New task")).toHaveValue("Another thought");
  await expect(ada.editor.getByLabel("Notes")).toHaveValue("A long thought");
  await ada.save();
  await expect(ada.task("Tune the piano")).toContainText("Notes");
});

test("S4.2: what was already saved goes out after one has signed in again", async ({
  person,
  pair,
}) => {
  const ada = await sits(person);
  // It waits for another access token when the session is found to be over.
  const release = await hold(ada.page, "RefreshSession");
  await ends(ada, pair);
  await ada.type("Buy strings");
  await expect(ada.task("Buy strings")).toBeVisible();
  release();
  await expect(ada.status(EXPIRED)).toBeVisible();
  await ada.answered("CreateTask", () => ada.signIn());
  await ada.isAt("/tasks");
  await ada.seesTasks("Tune the piano", "Buy strings");
});

test("somebody else who signs in then finds nothing of it", async ({ person, visitor, pair }) => {
  const eve = await visitor("eve");
  await eve.signUp();
  const ada = await sits(person);
  await ada.add("Ada's task");
  await ada.field("New task").fill("A secret of Ada's");
  await ends(ada, pair);
  await expect(ada.status(EXPIRED)).toBeVisible();
  await ada.field("Email").fill(eve.who.email);
  await ada.field("Password").fill(eve.who.password);
  await ada.button("Sign in").click();
  await expect(ada.page.getByRole("banner").getByText(eve.who.email)).toBeVisible();
  await expect(ada.field("New task")).toHaveValue("");
  await expect(ada.page.getByText("Ada's")).toHaveCount(0);
});
