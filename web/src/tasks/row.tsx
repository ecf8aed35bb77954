// One task in the list: check it off, edit it in place, delete it.

import { TaskStatus } from "duet-client";
import { Component } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { quoted, sayUndoable } from "../ui/toasts.tsx";
import type { Draft } from "./draft.ts";
import { inWords } from "./due.ts";
import { Editor } from "./editor.tsx";
import type { Row } from "./entries.ts";
import type { TaskStore } from "./store.ts";

/** `users/{user}/tasks/{task}` → `/tasks/{task}`; nothing for one that has no name yet. */
export function addressOf(name: string): string | undefined {
  return name === "" ? undefined : `/tasks/${name.split("/").at(-1)}`;
}

/** Takes a task away, for good unless it is undone. */
export function removeTask(store: TaskStore, { key, task }: Row): void {
  store.hide(key);
  sayUndoable(
    `Deleted ${quoted(task.title)}.`,
    () => {
      store.restore(key);
      // The button that was pressed is gone; the task is back.
      requestAnimationFrame(() =>
        focusRow(document.querySelector(`[data-key="${CSS.escape(key)}"]`)),
      );
    },
    () => store.remove(key),
  );
}

interface Props {
  store: TaskStore;
  row: Row;
  draft: Draft | undefined;
}

/** A list may have thousands of rows, of which a change touches one. */
export class TaskRow extends Component<Props> {
  override shouldComponentUpdate({ row, draft }: Props): boolean {
    return row !== this.props.row || draft !== this.props.draft;
  }

  override render(props: Props) {
    return <Item {...props} />;
  }
}

function Item({ store, row, draft }: Props) {
  const { key, task, waiting } = row;
  const id = useId();
  const edit = useRef<HTMLButtonElement>(null);
  const closed = useRef(false);
  // Before the next key is pressed: it is meant for this row.
  useLayoutEffect(() => {
    if (draft || !closed.current) return;
    closed.current = false;
    edit.current?.focus();
  }, [draft]);
  const done = task.status === TaskStatus.DONE;
  const due = inWords(task.due, new Date());
  const address = addressOf(task.name);
  const remove = (): void => {
    const next = neighbour(edit.current, 1) ?? neighbour(edit.current, -1);
    removeTask(store, row);
    focusRow(next);
  };
  return (
    <div
      role="listitem"
      data-key={key}
      class={done ? "task done" : "task"}
      aria-busy={waiting ? true : undefined}
    >
      <input
        type="checkbox"
        checked={done}
        // Else browsers remember the state of each, and put it back after a reload.
        autoComplete="off"
        aria-labelledby={id}
        onChange={() => store.check(key, !done)}
      />
      {draft ? (
        <>
          <span id={id} class="unseen">
            {task.title}
          </span>
          <Editor
            store={store}
            id={key}
            draft={draft}
            address={address ?? ""}
            closed={() => (closed.current = true)}
          />
        </>
      ) : (
        <button ref={edit} type="button" class="title" onClick={() => store.draft(key)}>
          <span class="unseen">Edit </span>
          <span id={id}>{task.title}</span>
        </button>
      )}
      {!draft && (
        <span class="about">
          {due.text && <span class={due.late && !done ? "due late" : "due"}>{due.text}</span>}
          {task.notes && <span class="notes">Notes</span>}
        </span>
      )}
      {!draft && (
        <button type="button" class="quiet delete" onClick={remove}>
          Delete<span class="unseen"> {task.title}</span>
        </button>
      )}
    </div>
  );
}

/** The row after or before the one that something is in; without one, the first or last. */
export function neighbour(inside: Element | null, by: 1 | -1): Element | undefined {
  const rows = [...document.querySelectorAll(".task")];
  const at = rows.indexOf(inside?.closest(".task") ?? document.body);
  return at < 0 ? rows.at(by > 0 ? 0 : -1) : rows[at + by];
}

/** Puts the focus on a row, or on the field for a new task where there is none. */
export function focusRow(item: Element | null | undefined): void {
  const target = item?.querySelector<HTMLElement>(".title, .editor input");
  (target ?? document.getElementById("new-task"))?.focus();
}
