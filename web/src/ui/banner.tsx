// What is said below the header while the services cannot be reached, or while
// what others change does not arrive. And, for those who do not see the tasks
// change: that they did.

import type { ReadonlySignal } from "@preact/signals";
import { link, nextTry, tryNow } from "../link.ts";
import { news, reconnecting } from "../live.ts";
import { useSeconds } from "./seconds.ts";

export function Banner({ waiting }: { waiting: ReadonlySignal<number> | undefined }) {
  const state = link.value;
  const writes = waiting?.value ?? 0;
  const late = state === "up" && reconnecting.value;
  return (
    <>
      <div role="status" class={state === "up" && !late ? undefined : "banner"}>
        {late && <span>Reconnecting…</span>}
        {state === "offline" && <span>You are offline. What you type is kept.</span>}
        {state === "down" && <span>Duet cannot be reached.</span>}
        {state !== "up" && writes > 0 && (
          <span>{writes === 1 ? "1 change is waiting." : `${writes} changes are waiting.`}</span>
        )}
        {state === "down" && <NextTry />}
      </div>
      <div class="unseen" aria-live="polite">
        {news}
      </div>
    </>
  );
}

/** Counts without being read out every second. */
function NextTry() {
  const seconds = useSeconds(nextTry.value);
  return (
    <>
      <span aria-live="off">{seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…"}</span>
      <button type="button" class="quiet" onClick={tryNow}>
        Try now
      </button>
    </>
  );
}
