// The page's one client and who is signed in, as signals. Everything else asks
// here; nothing else makes a client.

import { computed, signal } from "@preact/signals";
import { createDuet, type Failure, failureOf, type SessionState, type User } from "duet-client";
import { persist } from "./link.ts";

export const duet = createDuet({ fetch: (input, init) => fetch(input, keep(init)) });

/** Whether this browser has a session, and whose it is. */
export const session = signal<SessionState>(duet.session.state);

/** The account of the signed-in, once it was read. */
export const user = signal<User | undefined>(undefined);

/** What the signed-in are called. */
export const displayName = computed(() => {
  if (session.value.kind !== "signed-in") return "";
  // The token knows an address that was changed only when it is refreshed.
  return user.value?.displayName || user.value?.email || session.value.email;
});

// A call made while the page is being left must outlive it.
let leaving = false;
addEventListener("pagehide", () => (leaving = true), { capture: true });
addEventListener("pageshow", () => (leaving = false));

function keep(init: RequestInit | undefined): RequestInit {
  return { ...init, keepalive: leaving };
}

/** Follows the session from its beginning: other tabs are asked for it, then the cookie. */
export function start(): void {
  duet.session.subscribe((state) => {
    const before = session.value;
    session.value = state;
    if (state.kind !== "signed-in") user.value = undefined;
    else if (before.kind !== "signed-in" || before.userId !== state.userId) {
      user.value = undefined;
      void readUser();
    }
  });
  begin();
}

/** Why nobody could tell who is here, if it is more than that nobody answered. */
export const startFailure = signal<Failure | undefined>(undefined);

export function begin(): void {
  startFailure.value = undefined;
  persist(() => duet.session.start()).catch((error: unknown) => {
    startFailure.value = failureOf(error);
  });
}

/** Reads the account; until then what was known of it stands. */
export async function readUser(): Promise<void> {
  const { user: read } = await persist(() => duet.account.getUser({})).catch((error: unknown) => {
    // The header shows the e-mail then; whoever needs more says what failed.
    console.info(`The account was not read: ${failureOf(error).message}`);
    return { user: undefined };
  });
  // Somebody else may have signed in meanwhile.
  if (session.value.kind === "signed-in" && read?.name === `users/${session.value.userId}`) {
    user.value = read;
  }
}
