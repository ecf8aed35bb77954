// What a person is typing into a task, and how it differs from what the task
// said when they began. Pure: no signal, no call.

import type { Failure, Task } from "duet-client";
import { dueOf, fieldsOf } from "./due.ts";

/** The fields of the form, as text. */
export interface Values {
  title: string;
  notes: string;
  date: string;
  time: string;
}

/** An editor that is open. */
export interface Draft {
  /** The task as it was when the editor was opened. */
  readonly base: Task;
  readonly values: Values;
  /** What the server said about fields: its path, as `task.title`, to the text. */
  readonly faults: Failure["fields"];
}

/** The paths of an update mask. */
export type Path = "title" | "notes" | "due";

export function valuesOf(task: Task): Values {
  return { title: task.title, notes: task.notes, ...fieldsOf(task.due) };
}

/** Which fields of the task differ. */
export function changes(from: Values, to: Values): Path[] {
  const paths: Path[] = [];
  if (from.title !== to.title) paths.push("title");
  if (from.notes !== to.notes) paths.push("notes");
  if (from.date !== to.date || from.time !== to.time) paths.push("due");
  return paths;
}

/** The task with these fields as they were typed. */
export function edited(task: Task, values: Values, paths: readonly Path[]): Task {
  const changed = { ...task };
  if (paths.includes("title")) changed.title = values.title;
  if (paths.includes("notes")) changed.notes = values.notes;
  if (paths.includes("due")) {
    const due = dueOf(values, task.due?.timeZone);
    if (due) changed.due = due;
    else delete changed.due;
  }
  return changed;
}

/**
 * The fields that two people changed to different things: those of `paths` in
 * which `theirs` is neither what it was nor what is wanted.
 */
export function clashes(
  base: Values,
  theirs: Values,
  mine: Values,
  paths: readonly Path[],
): Path[] {
  const moved = changes(base, theirs);
  const apart = changes(mine, theirs);
  return paths.filter((path) => moved.includes(path) && apart.includes(path));
}
