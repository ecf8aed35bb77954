// One task in the list: check it off, edit it in place, put it elsewhere, delete
// it; or bring it back from the bin.

import { Priority, TaskStatus, timestampDate } from "duet-client";
import { Component } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { announce } from "../ui/ask.tsx";
import { drag } from "../ui/drag.ts";
import { type Choice, Menu } from "../ui/menu.tsx";
import { quoted, sayUndoable } from "../ui/toasts.tsx";
import { BLANK, type Draft } from "./draft.ts";
import { inWords } from "./due.ts";
import { Editor } from "./editor.tsx";
import type { Row } from "./entries.ts";
import { placeAt, placeOn, type Way, wayOf } from "./places.ts";
import { inWords as repeats } from "./recurrence.ts";
import type { TaskStore } from "./store.ts";
import { differs, type Node } from "./tree.ts";
import { ALL, addressOf as addressOfView, type View } from "./view.ts";

/** `users/{user}/tasks/{task}` → `/tasks/{task}`; nothing for one that has no name yet. */
export function addressOf(name: string): string | undefined {
  return name === "" ? undefined : `/tasks/${name.split("/").at(-1)}`;
}

/** Whether it is done or cancelled, as far as the page has gone. */
export function isClosed({ entries }: TaskStore, key: string): boolean {
  return entries.row(key)?.task.status !== TaskStatus.OPEN;
}

/** Takes a task away, for good unless it is undone. */
export function removeTask(store: TaskStore, { key, task }: Row): void {
  store.hide(key);
  sayUndoable(
    `Deleted ${quoted(task.title)}.`,
    () => {
      store.restore(key);
      // The button that was pressed is gone; the task is back.
      requestAnimationFrame(() => focusRow(lineOf(key)));
    },
    () => store.remove(key),
  );
}

interface Props {
  store: TaskStore;
  view: View;
  node: Node;
  draft: Draft | undefined;
}

/** A list may have thousands of rows, of which a change touches one. */
export class TaskRow extends Component<Props> {
  override shouldComponentUpdate({ node, draft }: Props): boolean {
    return differs(node, this.props.node) || draft !== this.props.draft;
  }

  override render(props: Props) {
    return <Item {...props} />;
  }
}

const WORDS: Record<Way, string> = {
  up: "moved up",
  down: "moved down",
  in: "is a subtask now",
  out: "moved out",
};

function Item({ store, view, node, draft }: Props) {
  const { row, depth, steps, folded } = node;
  const { key, task, waiting } = row;
  const id = useId();
  const edit = useRef<HTMLButtonElement>(null);
  const closed = useRef(false);
  const [adding, add] = useState(false);
  // Before the next key is pressed: it is meant for this row.
  useLayoutEffect(() => {
    if (draft || !closed.current) return;
    closed.current = false;
    edit.current?.focus();
  }, [draft]);
  const open = task.status === TaskStatus.OPEN;
  const movable = view.order === "position";
  const remove = (): void => {
    const next = neighbour(edit.current, 1) ?? neighbour(edit.current, -1);
    removeTask(store, row);
    focusRow(next);
  };
  const move = (way: Way): void => {
    const place = placeOn(way, key, store.lists.nodes(view));
    if (!place) return;
    if (way === "in" && place.parent) store.lists.fold(place.parent, false);
    store.move(key, place);
    announce(`${task.title} ${WORDS[way]}.`);
    // Its line may have been put elsewhere, which takes the focus away.
    requestAnimationFrame(() => focusRow(lineOf(key)));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const way = movable && !draft && wayOf(event);
    if (!way) return;
    event.preventDefault();
    move(way);
  };
  const grab = (event: PointerEvent): void => {
    const own = new Set([key, ...store.entries.stepsOf(key)]);
    const others = store.lists.nodes(view).filter(({ row }) => !own.has(row.key));
    const lines = others.map(({ row }) => lineOf(row.key)).filter((line) => line !== null);
    drag(event, lineOf(key), lines, (at) => {
      const place = placeAt(at, others);
      if (place) store.move(key, place);
    });
  };
  const choices = (): (Choice | false)[] => [
    ["Add subtask", () => add(true)],
    open && ["Won’t do", () => store.complete(key, true)],
    movable && ["Move up", () => move("up")],
    movable && ["Move down", () => move("down")],
    movable && ["Make a subtask", () => move("in")],
    movable && depth > 0 && ["Move out", () => move("out")],
    ["Delete", remove],
  ];
  return (
    <div
      role="listitem"
      aria-level={depth + 1}
      data-key={key}
      data-depth={depth}
      class={open ? "task" : "task done"}
      aria-busy={waiting ? true : undefined}
      onKeyDown={onKeyDown}
    >
      {movable && (
        <span class="handle" aria-hidden="true" onPointerDown={grab}>
          ⠿
        </span>
      )}
      <input
        type="checkbox"
        checked={!open}
        // Else browsers remember the state of each, and put it back after a reload.
        autoComplete="off"
        aria-labelledby={id}
        onChange={(event) => {
          if (open) store.complete(key);
          else store.reopen(key);
          // If it is asked about first, nothing has changed yet.
          event.currentTarget.checked = isClosed(store, key);
        }}
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
            address={addressOf(task.name) ?? ""}
            closed={() => (closed.current = true)}
          />
        </>
      ) : (
        <>
          <button ref={edit} type="button" class="title" onClick={() => store.draft(key)}>
            <span class="unseen">Edit </span>
            <span id={id}>{task.title}</span>
          </button>
          <About row={row} />
          {steps > 0 && (
            <button
              type="button"
              class="quiet fold"
              aria-expanded={!folded}
              onClick={() => store.lists.fold(key)}
            >
              {folded ? "▸" : "▾"} {steps === 1 ? "1 subtask" : `${steps} subtasks`}
              <span class="unseen"> of {task.title}</span>
            </button>
          )}
          <Menu label={`More for ${task.title}`} choices={choices} />
          <button type="button" class="quiet delete" onClick={remove}>
            Delete<span class="unseen"> {task.title}</span>
          </button>
        </>
      )}
      {adding && <NewStep store={store} row={row} closed={() => add(false)} />}
    </div>
  );
}

/** The words for a priority; none for none. */
export const PRIORITIES: Record<number, string> = {
  [Priority.LOW]: "Low priority",
  [Priority.MEDIUM]: "Medium priority",
  [Priority.HIGH]: "High priority",
};

function About({ row: { task } }: { row: Row }) {
  const due = inWords(task.due, new Date());
  const open = task.status === TaskStatus.OPEN;
  return (
    <span class="about">
      {task.status === TaskStatus.CANCELLED && <span>Won’t do</span>}
      {task.priority > 0 && (
        <span class="priority" data-priority={task.priority}>
          {PRIORITIES[task.priority]}
        </span>
      )}
      {due.text && <span class={due.late && open ? "due late" : "due"}>{due.text}</span>}
      {task.recurrence && <span>{repeats(task.recurrence.rrule)}</span>}
      {task.notes && <span class="notes">Notes</span>}
      {task.labels.map((label) => (
        <a key={label} class="label" href={addressOfView({ ...ALL, labels: [label] })}>
          {label}
        </a>
      ))}
    </span>
  );
}

interface StepProps {
  store: TaskStore;
  row: Row;
  closed: () => void;
}

/** The field for new steps of a task; stays for the next one. */
function NewStep({ store, row: { key, task }, closed }: StepProps) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.focus(), []);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    const title = field.current?.value ?? "";
    if (title.trim() === "") return closed();
    store.add({ ...BLANK, title, list: task.list }, key);
    if (field.current) field.current.value = "";
  };
  const leave = (): void => {
    closed();
    requestAnimationFrame(() => focusRow(lineOf(key)));
  };
  return (
    <form class="new step" onSubmit={onSubmit}>
      <input
        ref={field}
        aria-label={`New subtask of ${task.title}`}
        placeholder="New subtask"
        autoComplete="off"
        onKeyDown={(event) => event.key === "Escape" && leave()}
      />
      <button type="submit">Add</button>
      <button type="button" class="secondary" onClick={leave}>
        Close
      </button>
    </form>
  );
}

/** A task in the bin. */
export function BinRow({ store, row: { key, task } }: { store: TaskStore; row: Row }) {
  const line = useRef<HTMLDivElement>(null);
  const restore = (): void => {
    const next = neighbour(line.current, 1) ?? neighbour(line.current, -1);
    store.undelete(key);
    announce(`${task.title} is back.`);
    focusRow(next);
  };
  const end = task.expireTime && timestampDate(task.expireTime);
  return (
    <div ref={line} role="listitem" class="task" data-key={key}>
      <a class="title" href={addressOf(task.name)}>
        {task.title}
      </a>
      <span class="about">
        {end && `Gone for good on ${end.toLocaleDateString(undefined, { dateStyle: "medium" })}`}
      </span>
      <button type="button" class="quiet delete restore" onClick={restore}>
        Restore<span class="unseen"> {task.title}</span>
      </button>
    </div>
  );
}

function lineOf(key: string): Element | null {
  return document.querySelector(`[data-key="${CSS.escape(key)}"]`);
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
