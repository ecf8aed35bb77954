// Builds what the tests run, once: the programs, unless $DUET names them, and
// the page as files for the proxy.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test as setup } from "@playwright/test";
import { builtPage, chromium, givenDuet, program, project, web } from "./paths.ts";

setup("the programs are there", () => {
  setup.setTimeout(30 * 60_000);
  const missing = `There is no Chromium at ${chromium}. Install it (Debian: apt-get install chromium), or name another one with CHROMIUM=<path>.`;
  expect(existsSync(chromium), missing).toBe(true);
  if (!givenDuet) {
    const packages = ["duet", "auth-service", "task-service", "embedded-postgres"];
    const named = packages.flatMap((name) => ["--package", name]);
    execFileSync("cargo", ["build", "--quiet", ...named], { cwd: project, stdio: "inherit" });
  }
  expect(existsSync(program("duet")), `There is no ${program("duet")}.`).toBe(true);
  execFileSync("node", ["build.mjs", "--out", builtPage], { cwd: web });
});
