// Where Duet runs in a test, seen from outside: `duet up` (pair.ts), or every
// part a process of its own behind a proxy (parts.ts).

import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Place {
  /** The origin of the page. */
  readonly origin: string;
  /** Where the services answer without a proxy. */
  readonly auth: string;
  readonly task: string;
  /** The cookie that carries the refresh token. */
  readonly cookie: { readonly name: string; readonly secure: boolean };
  /** What the programs said last. */
  log(): string;
}

/** A folder that an account without rights can enter, as Postgres runs under one. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "duet-"));
  chmodSync(path, 0o755);
  return path;
}
