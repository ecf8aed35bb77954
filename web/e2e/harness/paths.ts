// Where the programs are, and where a run leaves its files.

import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder `web`. */
export const web = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** The top of the project. */
export const project = dirname(web);
/** What a run leaves for people to look at. */
export const results = join(web, "test-results");
/** The page as files, as a proxy serves them. */
export const builtPage = join(results, "page");

const target = resolve(project, process.env["CARGO_TARGET_DIR"] ?? "target");

/** `$DUET`, if the programs are not to be built here; the others lie beside it. */
export const givenDuet = process.env["DUET"] && resolve(process.env["DUET"]);

type Name = "duet" | "auth-service" | "task-service" | "embedded-postgres";

export function program(name: Name): string {
  const duet = givenDuet || join(target, "debug", "duet");
  return name === "duet" ? duet : join(dirname(duet), name);
}

export const chromium = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** A program of the system, by PATH; PostgreSQL's own are not on it everywhere. */
export function installed(name: string): string {
  const versions = "/usr/lib/postgresql";
  const postgres = existsSync(versions)
    ? readdirSync(versions).map((version) => join(versions, version, "bin"))
    : [];
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...postgres];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not installed; these tests need it.`);
  return found;
}
