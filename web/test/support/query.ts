// What the page asks a task service for: the few filters that it sends, and its
// orders, over tasks in memory.

import { type Task, TaskStatus } from "duet-client";
import { dayOf, fieldsOf } from "../../src/tasks/due.ts";

const TERMS: readonly (readonly [RegExp, (task: Task, value: string) => boolean])[] = [
  [/^status = OPEN$/, ({ status }) => status === TaskStatus.OPEN],
  [/^status != OPEN$/, ({ status }) => status !== TaskStatus.OPEN],
  [/^delete_time:\*$/, ({ deleteTime }) => deleteTime !== undefined],
  [/^list = "(.*)"$/, ({ list }, id) => (list.split("/").at(-1) || "inbox") === id],
  [/^labels:"(.*)"$/, ({ labels }, label) => labels.includes(label)],
  [/^due <= today\(\)$/, ({ due }) => due !== undefined && fieldsOf(due).date <= dayOf(0)],
  [/^priority >= HIGH$/, ({ priority }) => priority === 3],
  [/^\(title:(.*)\)$/, ({ title }, word) => title.includes(word)],
  [/^"(.*)"$/, ({ title, notes }, text) => `${title}\n${notes}`.toLowerCase().includes(text)],
];

export function meets(filter: string, task: Task): boolean {
  const terms = filter === "" ? [] : filter.split(" AND ");
  const inBin = terms.includes("delete_time:*");
  if (!inBin && task.deleteTime) return false;
  return terms.every((term) => {
    const found = TERMS.find(([pattern]) => pattern.test(term));
    if (!found) throw new Error(`This service cannot filter by ${term}`);
    return found[1](task, found[0].exec(term)?.[1] ?? "");
  });
}

export function sorted(tasks: Task[], orderBy: string): Task[] {
  const newest = (a: Task, b: Task): number => (a.name < b.name ? 1 : -1);
  if (orderBy === "") return tasks.sort(newest);
  if (orderBy === "position") return tasks.sort((a, b) => (a.position < b.position ? -1 : 1));
  if (orderBy === "update_time desc") return tasks.sort((a, b) => Number(b.revision - a.revision));
  if (orderBy === "priority desc") {
    return tasks.sort((a, b) => b.priority - a.priority || newest(a, b));
  }
  const day = ({ due }: Task): string => fieldsOf(due).date || "~";
  return tasks.sort((a, b) => (day(a) < day(b) ? -1 : 1));
}
