// The store of whoever is signed in. It outlives a session that expired, so
// that the same person finds what they typed; anybody else finds nothing.

import { effect, signal } from "@preact/signals";
import type { Failure, Task } from "duet-client";
import { duet, session } from "../duet.ts";
import { announce, ask, forget } from "../ui/ask.tsx";
import { clearToasts, endAll, quoted, sayAlert, sayFailure, saySoon } from "../ui/toasts.tsx";
import { inWords } from "./due.ts";
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
  ask,
  again: ({ title, due }: Task): void =>
    saySoon(`${quoted(title)} comes again: ${inWords(due, new Date()).text}.`),
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
    forget();
    store.value = undefined;
  }
  if (owner === undefined) {
    // A question waits for whoever was asked; what was said needs nobody.
    announce("");
    return;
  }
  if (store.peek()) void store.peek()?.outbox.resume();
  else {
    feed = new Feed(duet);
    const made = new TaskStore(owner, { tasks: feed.tasks, lists: duet.lists }, told);
    feed.fill(made);
    feed.lists = made.catalogue;
    feed.changed = (all) => void made.lists.heard(all);
    store.value = made;
  }
  feed?.follow();
});

/** Has the screen hear at once of what happens elsewhere, and of the end of the session. */
export function hear(): void {
  void feed?.begin();
}

// What could still be undone is done when the page is left.
addEventListener("pagehide", endAll);
addEventListener("beforeunload", (event) => {
  if ((store.peek()?.outbox.waiting.peek() ?? 0) > 0) event.preventDefault();
});
