// Where Duet runs in a test, seen from outside: `duet up` (pair.ts), or every
// part a process of its own behind a proxy (parts.ts).

import { accessSync, chmodSync, constants, mkdtempSync, statfsSync } from "node:fs";
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

/** Where files are in memory, and how much of it must be free. */
const MEMORY = "/dev/shm";
const ROOM_BYTES = 1 << 30;

/** A folder that an account without rights can enter, as Postgres runs under one. It is
 * in memory when there is room: no commit of a test waits for a busy disk. By its name
 * the next throw-away cluster removes what a process that was killed has left. */
export function folder(): string {
  const path = mkdtempSync(join(hasRoom() ? MEMORY : tmpdir(), `duet-test-${process.pid}-`));
  chmodSync(path, 0o755);
  return path;
}

function hasRoom(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}
