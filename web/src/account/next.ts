// Where one goes after signing in: back to where one wanted to be, but never to
// another origin, whatever the address says.

import { signal } from "@preact/signals";

export const HOME = "/tasks";
/** Whoever deletes the account is on the way to its receipt, though nobody is signed in. */
export const parting = signal(false);

const ENTRANCES = ["/", "/signin", "/signup"];

export function isEntrance(path: string): boolean {
  return ENTRANCES.includes(path);
}

export function isPrivate(path: string): boolean {
  return /^\/(tasks|settings)(\/|$)/.test(path);
}

/** The address of the sign-in page that leads back to `url`. */
export function signInFor(url: string): string {
  return entrance("/signin", url === HOME ? undefined : url);
}

/** An entrance that leads to `next`: whoever changes from one to the other still gets there. */
export function entrance(path: "/signin" | "/signup", next: string | undefined): string {
  return next === undefined ? path : `${path}?next=${encodeURIComponent(next)}`;
}

/** The address to go to, from what `next` says. */
export function destination(next: string | undefined): string {
  if (!next?.startsWith("/")) return HOME;
  // The browser's own parser decides: `//host` and `/\host` are other origins.
  const url = URL.canParse(next, location.origin) ? new URL(next, location.origin) : undefined;
  if (!url || url.origin !== location.origin || !isPrivate(url.pathname)) return HOME;
  return url.pathname + url.search + url.hash;
}
