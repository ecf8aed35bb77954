// Somebody else changed what one was changing: both versions, and the choice.
// There is no way out but choosing, because either answer loses something.

import type { Task } from "duet-client";
import { useLayoutEffect, useRef } from "preact/hooks";
import { quoted } from "../ui/toasts.tsx";
import { changes, edited, type Path, valuesOf } from "./draft.ts";
import { inWords } from "./due.ts";
import { inWords as repeats } from "./recurrence.ts";
import { PRIORITIES } from "./row.tsx";
import type { Conflict, TaskStore } from "./store.ts";

const NAMES: Record<Path, string> = {
  title: "Title",
  notes: "Notes",
  due: "Due",
  priority: "Priority",
  labels: "Labels",
  recurrence: "Repeat",
};

export function ConflictDialog({ store }: { store: TaskStore }) {
  const conflict = store.conflicts.value[0];
  return conflict ? <Choice key={conflict.key} store={store} conflict={conflict} /> : null;
}

function Choice({ store, conflict }: { store: TaskStore; conflict: Conflict }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  const { theirs, mine, paths } = conflict;
  const wanted = edited(theirs, mine, paths);
  const apart = changes(valuesOf(theirs), mine).filter((path) => paths.includes(path));
  return (
    <dialog
      ref={dialog}
      role="alertdialog"
      aria-labelledby="conflict"
      aria-describedby="conflict-text"
      onCancel={(event: Event) => event.preventDefault()}
    >
      <article>
        <h2 id="conflict">Changed elsewhere</h2>
        <p id="conflict-text">
          {quoted(theirs.title)} was changed on another device while you were editing it. Which
          version shall stay?
        </p>
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">Theirs</th>
              <th scope="col">Yours</th>
            </tr>
          </thead>
          <tbody>
            {apart.map((path) => (
              <tr key={path}>
                <th scope="row">{NAMES[path]}</th>
                <td>{shown(theirs, path)}</td>
                <td>{shown(wanted, path)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div class="actions">
          <button type="button" onClick={() => store.decide(true)}>
            Keep mine
          </button>
          <button type="button" class="secondary" onClick={() => store.decide(false)}>
            Take theirs
          </button>
        </div>
      </article>
    </dialog>
  );
}

function shown(task: Task, path: Path): string {
  const { recurrence } = task;
  const words: Record<Path, string | undefined> = {
    title: task.title,
    notes: task.notes,
    due: inWords(task.due, new Date()).text,
    priority: PRIORITIES[task.priority],
    labels: task.labels.join(", "),
    recurrence: recurrence && repeats(recurrence.rrule),
  };
  return words[path] || "(empty)";
}
