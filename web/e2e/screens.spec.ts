// Every screen in every state, light and dark, narrow and wide: axe finds
// nothing, nothing is cut off, and a picture of it lies in test-results/screens.

import { join } from "node:path";
import type { Page } from "@playwright/test";
import { axeFindings } from "./harness/axe.ts";
import { results } from "./harness/paths.ts";
import { scenes } from "./harness/scenes.ts";
import { expect, test } from "./harness/test.ts";

const WIDTHS = [320, 1280] as const;
const SCHEMES = ["light", "dark"] as const;

/** How much wider the content is than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

for (const [name, scene] of Object.entries(scenes)) {
  test(`axe finds nothing wrong, and all of it can be seen: ${name}`, async ({
    person,
    visitor,
    sit,
    device,
    watch,
    mails,
    place,
    calm,
  }) => {
    const { page } = await scene({ person, visitor, sit, device, watch, mails, place, calm });
    await page.emulateMedia({ reducedMotion: "reduce" });
    const scripted = name !== "no JavaScript";
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme });
        if (scripted) {
          const findings = await axeFindings(page);
          expect(findings, `${colorScheme}, ${width} px`).toEqual([]);
          expect(await overflow(page), `wider than ${width} px`).toBeLessThanOrEqual(0);
        }
        const file = `${name.replaceAll(/\W+/g, "-")}.${colorScheme}.${width}.png`;
        await page.screenshot({ path: join(results, "screens", file), animations: "disabled" });
      }
    }
    if (!scripted) return;
    // WCAG 1.4.4 and 1.4.10 together: text at 200 % in a window of 320 px.
    await page.setViewportSize({ width: 320, height: 800 });
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    expect(await overflow(page), "with text at 200 %").toBeLessThanOrEqual(0);
  });
}

test("with reduced motion nothing moves", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.emulateMedia({ reducedMotion: "reduce" });
  await ada.add("Tune the piano");
  await ada.delete("Tune the piano");
  await expect(ada.toasts).toContainText("Deleted");
  const moving = await ada.page.evaluate(() => {
    const seconds = (list: string): number => Math.max(...list.split(",").map(Number.parseFloat));
    return [...document.querySelectorAll("*")]
      .filter((element) => {
        const { transitionDuration, animationDuration } = getComputedStyle(element);
        return Math.max(seconds(transitionDuration), seconds(animationDuration)) > 0.01;
      })
      .map(({ tagName, className }) => `${tagName}.${className}`);
  });
  expect(moving).toEqual([]);
});
