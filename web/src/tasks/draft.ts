// What a person is typing into a task, and how it differs from what the task
// said when they began. Pure: no signal, no call.

import {
  create,
  type Failure,
  RecurrenceAnchor,
  RecurrenceSchema,
  type Task,
  TaskSchema,
} from "duet-client";
import { type DueFields, dueOf, fieldsOf } from "./due.ts";

/** The fields of the form, nearly all as text. */
export interface Values extends DueFields {
  title: string;
  notes: string;
  /** 0 to 3. */
  priority: string;
  /** Sorted. */
  labels: readonly string[];
  rrule: string;
  /** Whether it comes back counted from the day on which it was completed. */
  after: boolean;
  /** Name of the list. It is no field of the mask: the task is moved. */
  list: string;
}

/** An editor that is open. */
export interface Draft {
  /** The task as it was when the editor was opened. */
  readonly base: Task;
  readonly values: Values;
  /** What the server said about fields: its path, as `task.title`, to the text. */
  readonly faults: Failure["fields"];
}

/** The paths of an update mask, and the fields of the form that they are made of. */
const FIELDS = {
  title: ["title"],
  notes: ["notes"],
  due: ["date", "time", "zone"],
  priority: ["priority"],
  labels: ["labels"],
  recurrence: ["rrule", "after"],
} as const;

export type Path = keyof typeof FIELDS;
export const PATHS = Object.keys(FIELDS) as Path[];

export function valuesOf(task: Task): Values {
  const { title, notes, priority, labels, recurrence, list } = task;
  return {
    title,
    notes,
    ...fieldsOf(task.due),
    priority: String(priority),
    labels,
    rrule: recurrence?.rrule ?? "",
    after: recurrence?.anchor === RecurrenceAnchor.COMPLETION,
    list,
  };
}

/** A form in which nothing is typed yet. */
export const BLANK = valuesOf(create(TaskSchema));

/** Which fields of the task differ. */
export function changes(from: Values, to: Values): Path[] {
  return PATHS.filter((path) =>
    FIELDS[path].some((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field])),
  );
}

/** The task with these fields as they were typed. */
export function edited(task: Task, values: Values, paths: readonly Path[]): Task {
  const wanted = {
    title: values.title,
    notes: values.notes,
    due: dueOf(values),
    priority: Number(values.priority),
    labels: [...values.labels],
    recurrence: values.rrule
      ? create(RecurrenceSchema, {
          rrule: values.rrule,
          anchor: values.after ? RecurrenceAnchor.COMPLETION : RecurrenceAnchor.DUE,
        })
      : undefined,
  };
  const changed = { ...task };
  for (const path of paths) Object.assign(changed, { [path]: wanted[path] });
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
