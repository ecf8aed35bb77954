// What the page costs, printed: bytes, and milliseconds on this machine with
// nothing else running. "budgets" runs alone, after "page".

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { somebody } from "./harness/account.ts";
import { builtPage } from "./harness/paths.ts";
import { expect, test } from "./harness/test.ts";

const KIB = 1024;

/** Prints what something costs, and what it may cost. */
function cost(what: string, is: number, limit: number, unit: string): void {
  console.log(`budget: ${what}: ${Math.round(is * 10) / 10} ${unit} of ${limit} ${unit}`);
  expect(is, what).toBeLessThanOrEqual(limit);
}

/** Whether there is nothing more below, once the next frame is drawn. */
function atTheEnd(page: Page): Promise<boolean> {
  return page.evaluate(async () => {
    for (let frames = 0; frames < 2; frames += 1) await new Promise(requestAnimationFrame);
    const { scrollHeight } = document.documentElement;
    const more = document.querySelector("main .more");
    return !more && Math.ceil(scrollY + innerHeight) >= scrollHeight;
  });
}

function isInView(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top > -1 && bottom < innerHeight + 1;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

test("the page is small: 60 KiB of JavaScript at first, 20 KiB for each part, gzipped", async () => {
  const assets = join(builtPage, "assets");
  const index = await readFile(join(builtPage, "index.html"), "utf8");
  const names = await readdir(assets);
  const of = (kind: string): string[] => names.filter((name) => name.endsWith(`.${kind}`));
  const size = async (files: readonly string[]): Promise<number> => {
    const contents = await Promise.all(files.map((name) => readFile(join(assets, `${name}.gz`))));
    return contents.reduce((sum, { length }) => sum + length, 0) / KIB;
  };
  const [first, parts] = [true, false].map((loaded) =>
    of("js").filter((name) => index.includes(name) === loaded),
  ) as [string[], string[]];
  for (const files of [first, parts, of("css")]) expect(files.length).toBeGreaterThan(0);
  cost("JavaScript of the first load, gzipped", await size(first), 60, "KiB");
  for (const part of parts) cost(`JavaScript of ${part}, gzipped`, await size([part]), 20, "KiB");
  cost("CSS, gzipped", await size(of("css")), 16, "KiB");
});

test("the first load asks for no more than is counted, and a part is asked for once", async ({
  person,
}) => {
  const ada = await person("ada");
  const index = await readFile(join(builtPage, "index.html"), "utf8");
  const scripts = (): Promise<string[]> =>
    ada.page.evaluate(() =>
      performance
        .getEntriesByType("resource")
        .map(({ name }) => name.split("/").at(-1) ?? "")
        .filter((name) => name.endsWith(".js")),
    );
  await ada.page.reload();
  await expect(ada.heading("Tasks")).toBeVisible();
  const first = await scripts();
  expect(first.length).toBeGreaterThan(0);
  for (const name of first) expect(index).toContain(name);
  await ada.link("Settings").click();
  await expect(ada.heading("Profile")).toBeVisible();
  await ada.link("Devices").click();
  await expect(ada.heading("Devices")).toBeVisible();
  const later = (await scripts()).filter((name) => !first.includes(name));
  expect(later.map((name) => name.split("-")[0])).toEqual(["rare"]);
});

test("SC-001 SC-002: sign-up and sign-in lead to the tasks within half a second", async ({
  sit,
}) => {
  const times = { up: [] as number[], in: [] as number[] };
  for (let n = 0; n < 5; n += 1) {
    const ada = await sit(somebody("ada"));
    await ada.open("/signup");
    for (const way of ["up", "in"] as const) {
      await ada.field("Email").fill(ada.who.email);
      await ada.field("Password").fill(ada.who.password);
      const empty = ada.page.getByText("Nothing to do. Enjoy, or add a task above.");
      const began = performance.now();
      await ada.field("Password").press("Enter");
      await empty.waitFor();
      times[way].push(performance.now() - began);
      await ada.signOut();
      await expect(ada.heading("Sign in")).toBeVisible();
    }
    await ada.context.close();
  }
  cost("sign-up to the tasks, median of 5", median(times.up), 500, "ms");
  cost("sign-in to the tasks, median of 5", median(times.in), 500, "ms");
});

test("a list of 10,000 tasks is scrolled to its end, and a reload comes back to the place", async ({
  person,
}) => {
  test.setTimeout(300_000);
  const COUNT = 10_000;
  const ada = await person("ada");
  const { account, page } = ada;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < COUNT) await account.add(`Task ${(next += 1)}`);
  };
  await Promise.all(Array.from({ length: 32 }, worker));

  await page.reload();
  await expect(ada.count("Open 10000")).toBeVisible();
  const calls = ada.calls.count("ListTasks");
  const began = performance.now();
  while (!(await atTheEnd(page))) await page.keyboard.press("End");
  const seconds = (performance.now() - began) / 1000;
  const made = ada.calls.count("ListTasks") - calls;
  console.log(`budget: 10,000 tasks scrolled: ${seconds.toFixed(1)} s, ${made} calls`);
  expect(made).toBeLessThanOrEqual(COUNT / 50);

  // Beyond this point nothing is looked for by role: among so many rows each
  // look would take Playwright seconds, in which the page stands still.
  const rows = page.locator("[role=listitem]");
  expect(await rows.count()).toBe(COUNT);
  await expect(page.locator("nav[aria-label=Show] a", { hasText: "Open 10000" })).toBeVisible();

  // Somewhere in the middle the address says where, by the page of 50.
  const first = rows.nth(119 * 50);
  const title = await first.textContent();
  await rows.nth(119 * 50 + 25).scrollIntoViewIfNeeded();
  await page.waitForURL(/\?page=120$/, { waitUntil: "commit" });
  await page.reload();
  await first.waitFor({ timeout: 60_000 });
  await expect.poll(() => first.evaluate(isInView)).toBe(true);
  expect(await first.textContent()).toBe(title);
  expect(page.url()).toMatch(/\?page=120$/);
});
