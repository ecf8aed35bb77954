// How a tab gets good credentials from another one instead of from the server:
// it asks, and each tab answers with what it has or with nothing. A tab alone
// does not wait, and one that does not answer costs a moment, never a sign-in.

import type { Tabs } from "./tabs.ts";
import type { Credentials } from "./token.ts";

/** How long to wait for tabs that are there and do not answer. */
const PATIENCE_MS = 300;

/**
 * Asks the other tabs for credentials that were received after `since`. The
 * first that are good will do. If there are none, it is the newest of all that
 * counts: its refresh token has not been used yet.
 */
export async function askOthers(
  tabs: Tabs,
  since: number,
  isGood: (credentials: Credentials) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<Credentials | undefined> {
  const silent = new Set(await tabs.others());
  if (silent.size === 0) return undefined;
  return new Promise((resolve) => {
    let newest: Credentials | undefined;
    const stop = tabs.listen((message) => {
      if (message.kind !== "answer" || message.to !== tabs.id) return;
      const { from, credentials } = message;
      silent.delete(from);
      if (credentials && credentials.receivedAt > (newest?.receivedAt ?? since)) {
        newest = credentials;
      }
      if (silent.size === 0 || (newest && isGood(newest))) finish();
    });
    const timer = setTimeout(finish, patienceMs);
    function finish() {
      clearTimeout(timer);
      stop();
      resolve(newest);
    }
    tabs.post({ kind: "ask", from: tabs.id });
  });
}

/** Answers the tab that asks. */
export function answer(tabs: Tabs, to: string, held: Credentials | undefined): void {
  tabs.post({ kind: "answer", from: tabs.id, to, ...(held && { credentials: held }) });
}
