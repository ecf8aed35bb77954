// How `npm test` runs: "unit" is Node alone, with a server in memory, "page" is
// the page in Chromium against the real pair, after "programs" has built it;
// "budgets" measures, when everything else is over and the machine is quiet.
// Nothing is run twice to make it pass. What failed leaves its trace and its
// screenshot in test-results/failures.

import { defineConfig } from "@playwright/test";

const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const browser = {
  browserName: "chromium",
  launchOptions: {
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: quiet,
  },
  locale: "en-GB",
  timezoneId: "Europe/Paris",
  viewport: { width: 1280, height: 800 },
  screenshot: "only-on-failure",
} as const;

export default defineConfig({
  outputDir: "test-results/failures",
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  globalTimeout: 45 * 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["./e2e/harness/tally.ts"]],
  projects: [
    { name: "unit", testMatch: ["client/test/**/*.spec.ts", "test/**/*.spec.ts"] },
    { name: "programs", testDir: "e2e/harness", testMatch: "programs.setup.ts" },
    {
      name: "page",
      testDir: "e2e",
      dependencies: ["programs"],
      testIgnore: "budgets.spec.ts",
      use: { ...browser, trace: "retain-on-failure" },
    },
    {
      name: "budgets",
      testDir: "e2e",
      testMatch: "budgets.spec.ts",
      fullyParallel: false,
      dependencies: ["page"],
      // A trace would cost more than what is measured.
      use: browser,
    },
  ],
});
