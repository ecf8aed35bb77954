// Short notes at the edge of the screen: what was refused, and what can still
// be undone. A note that ends by itself waits while one looks at it.

import { signal } from "@preact/signals";
import { Code, type Failure } from "duet-client";
import { useEffect, useState } from "preact/hooks";

/** How long something can be undone. */
const UNDO_MS = 10_000;

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly reference?: string | undefined;
  readonly alert: boolean;
  readonly action?: { readonly label: string; readonly run: () => void };
  /** What happens if the action was not chosen. */
  readonly ended?: () => void;
}

const toasts = signal<readonly Toast[]>([]);
let count = 0;

function say(toast: Omit<Toast, "id">): void {
  count += 1;
  toasts.value = [...toasts.value, { ...toast, id: count }];
}

/** Says that something failed, until it is dismissed; that a session is over, the sign-in says. */
export function sayFailure(failure: Failure, text = failure.message): void {
  if (failure.code === Code.Unauthenticated) return;
  say({ text, alert: true, reference: failure.requestId });
}

/** Says something, with one thing that can be done about it. */
export function sayAlert(text: string, action?: Toast["action"]): void {
  say({ text, alert: true, ...(action && { action }) });
}

/** Says what was done and offers to undo it; after a while `ended` makes it so. */
export function sayUndoable(text: string, undo: () => void, ended: () => void): void {
  say({ text, alert: false, action: { label: "Undo", run: undo }, ended });
}

/** Says something that needs no answer, for a while. */
export function saySoon(text: string): void {
  say({ text, alert: false, ended: () => undefined });
}

/** Undoes what was done last, if it still can be. */
export function undoLast(): void {
  const last = toasts.value.findLast((toast) => toast.action && toast.ended);
  if (last) finish(last, true);
}

/** Ends everything that could still be undone: the page is being left. */
export function endAll(): void {
  for (const toast of toasts.value) if (toast.ended) finish(toast, false);
}

/** Forgets every note without doing anything more: somebody else is here. */
export function clearToasts(): void {
  toasts.value = [];
}

/** A title in a sentence: no longer than one takes in at a glance. */
export function quoted(title: string): string {
  const characters = [...title];
  return characters.length > 60 ? `“${characters.slice(0, 59).join("")}…”` : `“${title}”`;
}

function finish(toast: Toast, chosen: boolean): void {
  if (!toasts.value.includes(toast)) return;
  toasts.value = toasts.value.filter((other) => other !== toast);
  if (chosen) toast.action?.run();
  else toast.ended?.();
}

export function Toasts() {
  return (
    <section class="toasts" aria-label="Notifications">
      {toasts.value.map((toast) => (
        <Note key={toast.id} toast={toast} />
      ))}
    </section>
  );
}

function Note({ toast }: { toast: Toast }) {
  const [looked, look] = useState(false);
  const fleeting = toast.ended !== undefined;
  useEffect(() => {
    if (!fleeting || looked) return;
    const timer = setTimeout(() => finish(toast, false), UNDO_MS);
    return () => clearTimeout(timer);
  }, [looked]);
  return (
    <div
      class={toast.alert ? "toast failed" : "toast"}
      role={toast.alert ? "alert" : "status"}
      onMouseEnter={() => look(true)}
      onMouseLeave={() => look(false)}
      onFocusCapture={() => look(true)}
      onBlurCapture={() => look(false)}
    >
      <p>
        {toast.text}
        {toast.reference && <small>Reference: {toast.reference}</small>}
      </p>
      {toast.action && (
        <button type="button" class="quiet" onClick={() => finish(toast, true)}>
          {toast.action.label}
        </button>
      )}
      {!fleeting && (
        <button type="button" class="quiet" onClick={() => finish(toast, false)}>
          Dismiss
        </button>
      )}
    </div>
  );
}
