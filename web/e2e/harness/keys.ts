// Going through a page with the keyboard alone.

import { expect, type Locator } from "@playwright/test";
import type { Someone } from "./someone.ts";

/** Presses Tab until something has the focus, as people do. */
export async function tabTo(someone: Someone, target: Locator, key = "Tab"): Promise<void> {
  const focused = (): Promise<boolean> =>
    target.evaluate((node) => node === document.activeElement);
  for (let n = 0; n < 40; n += 1) {
    if (await focused()) return;
    await someone.page.keyboard.press(key);
  }
  expect(await focused(), `${target} is not reached with ${key}`).toBe(true);
}
