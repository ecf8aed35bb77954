// When the person comes back to the page, or the page to the network: the
// moments at which what others did is looked up.

import { effect, signal } from "@preact/signals";
import { link } from "./link.ts";

/** Grows with every return. */
export const visit = signal(0);

const SHORTEST = 2_000;
let last = Date.now();

function back(): void {
  // Focus and visibility come together; one look is enough.
  if (document.visibilityState !== "visible" || Date.now() - last < SHORTEST) return;
  last = Date.now();
  visit.value += 1;
}

addEventListener("focus", back);
document.addEventListener("visibilitychange", back);

let before = link.peek();
effect(() => {
  const now = link.value;
  if (now === "up" && before !== "up") visit.value = visit.peek() + 1;
  before = now;
});
