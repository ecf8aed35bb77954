// How a page looks as it is now, light and dark, narrow and wide: axe finds nothing,
// nothing is cut off, and a picture of it lies in test-results/screens.

import { join } from "node:path";
import { expect, type Page } from "@playwright/test";
import { axeFindings } from "./axe.ts";
import { results } from "./paths.ts";

const WIDTHS = [320, 1280] as const;
const SCHEMES = ["light", "dark"] as const;

/** How much wider the content is than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** Looks at it from all sides; where no script runs, only the pictures are taken. */
export async function looksRight(page: Page, name: string, scripted = true): Promise<void> {
  const before = page.viewportSize();
  await page.emulateMedia({ reducedMotion: "reduce" });
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
  if (scripted) {
    // WCAG 1.4.4 and 1.4.10 together: text at 200 % in a window of 320 px.
    await page.setViewportSize({ width: 320, height: 800 });
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    expect(await overflow(page), "with text at 200 %").toBeLessThanOrEqual(0);
    await page.evaluate(() => (document.documentElement.style.fontSize = ""));
  }
  if (before) await page.setViewportSize(before);
}
