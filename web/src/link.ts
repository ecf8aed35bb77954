// Whether the services can be reached, and when to try again. A call made with
// `persist` is made again until somebody answers; all such calls share one
// pause, so that a service that comes back is not stormed.

import { signal } from "@preact/signals";
import { type Failure, failureOf } from "duet-client";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** `offline` is this device's word, `down` that of calls nobody answered. */
export const link = signal<"up" | "offline" | "down">(navigator.onLine ? "up" : "offline");

/** When the next attempt is made, by `Date.now()`; 0 if none is planned. */
export const nextTry = signal(0);

let pause = FIRST_PAUSE;
let timer: ReturnType<typeof setTimeout> | undefined;
const waiting = new Set<() => void>();

addEventListener("offline", () => (link.value = "offline"));
addEventListener("online", () => {
  if (waiting.size === 0) link.value = "up";
  else tryNow();
});

/**
 * Makes a call until it is answered, well or badly. `lost` hears of every
 * attempt that was not; the signal ends the waiting with its reason.
 */
export async function persist<T>(
  call: () => Promise<T>,
  { lost, signal }: { lost?: (failure: Failure) => void; signal?: AbortSignal } = {},
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      const result = await call();
      answered();
      return result;
    } catch (error) {
      const failure = failureOf(error);
      if (!failure.unreachable && failure.reason !== "OVERLOADED") {
        answered();
        throw error;
      }
      lost?.(failure);
      await nextAttempt(failure.retryAfterMs ?? 0);
    }
  }
}

/** Makes the attempts that wait for their time now. */
export function tryNow(): void {
  clearTimeout(timer);
  timer = undefined;
  nextTry.value = 0;
  const due = [...waiting];
  waiting.clear();
  for (const resume of due) resume();
}

function answered(): void {
  pause = FIRST_PAUSE;
  link.value = "up";
  if (waiting.size > 0) tryNow();
}

function nextAttempt(atLeast: number): Promise<void> {
  link.value = navigator.onLine ? "down" : "offline";
  if (timer === undefined) {
    // Pages that lost the same server at once must not come back at once.
    const wait = Math.max(atLeast, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    nextTry.value = Date.now() + wait;
    timer = setTimeout(tryNow, wait);
  }
  return new Promise((resume) => waiting.add(resume));
}
