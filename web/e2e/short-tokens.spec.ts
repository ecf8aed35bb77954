// What becomes of access tokens that the services take no more: here they live for
// five seconds instead of five minutes.

import { isGood } from "./harness/account.ts";
import { hold } from "./harness/answer.ts";
import { expect, test } from "./harness/test.ts";

test.use({ settings: { AUTH_ACCESS_TOKEN_TTL: "5s" } });

const PATIENCE = { timeout: 20_000 };

test("E1: on a device whose clock stands still the refusal is mended silently", async ({
  person,
  place,
}) => {
  const ada = await person("ada");
  await ada.page.clock.setFixedTime(new Date());
  // The stream of changes would be refused first, and bring a new token.
  await hold(ada.page, "WatchTasks");
  await ada.page.reload();
  await ada.add("Tune the piano");
  const token = await ada.calls.token();
  const before = ada.calls.count("CreateTask");
  await expect.poll(() => isGood(place, token), PATIENCE).toBe(false);
  await ada.type("Buy strings");
  await expect.poll(() => ada.calls.count("CreateTask")).toBe(before + 2);
  await ada.settled();
  await expect(ada.toasts).toBeEmpty();
});

test("E1: the stream of changes ends with its token, and goes on with another", async ({
  person,
}) => {
  const ada = await person("ada");
  const token = await ada.calls.token();
  // Nobody touches the page: only its stream makes calls.
  await expect.poll(() => ada.calls.token(), PATIENCE).not.toBe(token);
  await ada.add("Tune the piano");
  await expect(ada.status("Reconnecting…")).toHaveCount(0);
  await expect(ada.toasts).toBeEmpty();
});
