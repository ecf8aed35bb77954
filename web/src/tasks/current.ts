// The store of whoever is signed in. It outlives a session that expired, so
// that the same person finds what they typed; anybody else finds nothing.

import { effect, signal } from "@preact/signals";
import type { Failure } from "duet-client";
import { duet, session } from "../duet.ts";
import { clearToasts, endAll, quoted, sayAlert, sayFailure } from "../ui/toasts.tsx";
import { Feed } from "./feed.ts";
import { TaskStore } from "./store.ts";

let feed: Feed | undefined;
export const store = signal<TaskStore | undefined>(undefined);

const told = {
  refused: (failure: Failure, title: string): void =>
    sayFailure(failure, `${quoted(title)}: ${failure.message}`),
  vanished: (title: string, again?: () => void): void =>
    sayAlert(
      `${quoted(title)} was deleted elsewhere.`,
      again && { label: "Add it again", run: again },
    ),
};

effect(() => {
  const state = session.value;
  const kept = store.peek();
  const owner = state.kind === "signed-in" ? state.userId : undefined;
  const left = state.kind === "signed-out" && state.why !== "expired";
  if (kept && (left || (owner !== undefined && owner !== kept.owner))) {
    kept.close();
    feed?.close();
    clearToasts();
    store.value = undefined;
  }
  if (owner === undefined) return;
  if (store.peek()) void store.peek()?.outbox.resume();
  else {
    feed = new Feed(duet);
    const made = new TaskStore(owner, feed.tasks, told);
    feed.fill(made);
    feed.changed = (all) => void (all && made.lists.refresh("open"));
    store.value = made;
  }
  feed?.follow();
});

// What could still be undone is done when the page is left.
addEventListener("pagehide", endAll);
addEventListener("beforeunload", (event) => {
  if ((store.peek()?.outbox.waiting.peek() ?? 0) > 0) event.preventDefault();
});
