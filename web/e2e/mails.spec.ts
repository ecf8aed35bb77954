// The mails as pages, which is how most people see them.

import { axeFindings, WCAG } from "./harness/axe.ts";
import { expect, test } from "./harness/test.ts";

test("axe finds nothing wrong with a mail, and nothing in it comes from elsewhere", async ({
  person,
  mails,
  sit,
}) => {
  const ada = await person("ada");
  await ada.account.account.requestEmailChange({ newEmail: `new.${ada.who.email}` });
  const reader = await sit(ada.who);
  await reader.open("/forgot");
  await reader.field("Email").fill(ada.who.email);
  await reader.button("Send the mail").click();
  const subjects = [
    "Please verify your address",
    "Shall your account get another address?",
    "Set a new password",
  ];
  const { page } = await sit(ada.who);
  for (const subject of subjects) {
    const { html } = await mails.wait(ada.who.email, subject);
    await page.setContent(html);
    // Landmarks and headings are those of the program that shows it.
    await expect(page.getByRole("link").first()).toBeVisible();
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await axeFindings(page, WCAG), `${subject}, ${width} px`).toEqual([]);
    }
  }
});
