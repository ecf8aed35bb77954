// Where nobody is told who has an account (`AUTH_ENUMERATION=strict`): sign-up
// says the same in any case, and a mail says how to go on.

import { PASSWORD, somebody } from "./harness/account.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test } from "./harness/test.ts";

test.use({ settings: { AUTH_ENUMERATION: "strict", AUTH_TRUSTED_PROXIES: "127.0.0.1" } });

async function signsUp(someone: Someone): Promise<string> {
  await someone.open("/signup");
  await someone.signUp();
  const said = someone.status("Look into your mail");
  await expect(said).toBeFocused();
  return (await said.textContent()) ?? "";
}

test("an account is made by the link of the mail, and a taken address is not told", async ({
  sit,
  mails,
}) => {
  const ada = await sit(somebody("ada"));
  const said = await signsUp(ada);
  await ada.isAt("/signup");
  await ada.page.goto(await mails.link(ada.who.email, "Please finish your sign-up"));
  await ada.button("Confirm").click();
  await expect(ada.status("Your address is verified.")).toBeVisible();
  await ada.link("Sign in").click();
  await ada.signIn();
  await ada.seesTasks();

  const again = await sit({ ...ada.who, password: `other-${PASSWORD}` });
  // Whoever asks twice within a minute gets one mail; this is somebody else.
  await again.page.setExtraHTTPHeaders({ "x-forwarded-for": "198.51.100.7" });
  expect(await signsUp(again)).toBe(said);
  const { text } = await mails.wait(ada.who.email, "You have an account already");
  expect(text).toContain(`${ada.place.origin}/forgot`);
});

test("what is wrong is told at once all the same", async ({ sit }) => {
  const ada = await sit({ ...somebody("ada"), password: "short" });
  await ada.open("/signup");
  await ada.signUp();
  await expect(ada.field("Password")).toHaveAccessibleDescription(/8/);
  await expect(ada.status("Look into your mail")).toHaveCount(0);
});
