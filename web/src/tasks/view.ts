// What of the tasks is looked at, and in which order: read from the address and
// written to it, told to the service as a filter and an order, and judged here
// by the same rules for what changed a moment ago. Pure.

import { type Task, TaskStatus } from "duet-client";
import { dayOf, fieldsOf } from "./due.ts";

export interface View {
  /** `inbox` or the id of a list; `today`, `bin`; empty for all. */
  readonly list: string;
  /** `done` is everything that is closed. */
  readonly status: string;
  readonly order: string;
  /** Text in title or notes. */
  readonly q: string;
  readonly labels: readonly string[];
  /** The least priority, 1 to 3. */
  readonly priority: string;
  readonly due: string;
  /** More, as the service's filter says it. */
  readonly where: string;
}

/** What is compared in an order. */
export interface Placed {
  readonly key: string;
  readonly task: Task;
}

/** Sorts after every day. */
const UNSET = "~";

type Compare = (a: Placed, b: Placed) => number;

const ORDERS: Readonly<Record<string, string>> = {
  newest: "",
  position: "position",
  due: "due",
  priority: "priority desc",
  deleted: "update_time desc",
};
const PRIORITIES = ["", "LOW", "MEDIUM", "HIGH"];
const DUES: Readonly<Record<string, readonly [filter: string, days: number]>> = {
  overdue: ["due < today()", -1],
  today: ["due <= today()", 0],
  week: ["due <= days(7)", 7],
  any: ["due:*", Infinity],
};

/** The view of everything that is open, as it is at `/tasks`. */
export const ALL = viewOf("");

/** Reads a query; what it cannot mean is left out. */
export function viewOf(query: string): View {
  const said = new URLSearchParams(query);
  const one = (name: string): string => said.get(name) ?? "";
  const list = one("list");
  const known = (name: string, from: object, or = ""): string =>
    Object.hasOwn(from, one(name)) ? one(name) : or;
  return {
    list,
    status: known("status", { done: 0, all: 0 }, "open"),
    order: known("order", ORDERS, usual(list)),
    q: one("q"),
    labels: said.getAll("label"),
    priority: known("priority", { 1: 0, 2: 0, 3: 0 }),
    due: known("due", DUES),
    where: one("where"),
  };
}

export function addressOf(view: View): string {
  const { list, status, order, labels, ...rest } = view;
  const query = new URLSearchParams();
  if (list) query.set("list", list);
  if (status !== "open") query.set("status", status);
  if (order !== usual(list)) query.set("order", order);
  for (const [name, value] of Object.entries(rest)) if (value) query.set(name, value);
  for (const label of labels) query.append("label", label);
  return query.size > 0 ? `/tasks?${query}` : "/tasks";
}

/** The order in which a list is shown if nobody says otherwise. */
function usual(list: string): string {
  if (list === "bin") return "deleted";
  if (list === "today") return "due";
  return list ? "position" : "newest";
}

/** Whether these are the tasks of one list, in which they can be moved. */
export function isOwn({ list }: View): boolean {
  return list !== "" && list !== "today" && list !== "bin";
}

/** Whether only list and status decide, so that what is there is counted by them. */
export function isPlain({ q, labels, priority, due, where }: View): boolean {
  return !(q || labels.length || priority || due || where);
}

/** Whether `matches` knows all that the service knows. */
export function isExact({ q, where }: View): boolean {
  return !(q || where);
}

/** The view as the service is asked for it. */
export function questionOf(view: View) {
  const { list, status, q, labels, priority, due, where } = view;
  const bin = list === "bin";
  const terms = [
    // AND binds least, so it needs no parentheses; it comes first, so that the
    // service counts its characters as the person does.
    where.trim(),
    bin && "delete_time:*",
    !bin && status !== "all" && `status ${status === "open" ? "=" : "!="} OPEN`,
    isOwn(view) && `list = ${quote(list)}`,
    list === "today" && "due <= today()",
    priority && `priority >= ${PRIORITIES[Number(priority)]}`,
    DUES[due]?.[0],
    ...labels.map((label) => `labels:${quote(label)}`),
    q && quote(q),
  ];
  return {
    filter: terms.filter(Boolean).join(" AND "),
    orderBy: ORDERS[view.order] ?? "",
    showDeleted: bin,
    timeZone: ownZone(),
  };
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** Whether a task belongs into the view, as far as the page can tell. */
export function matches(view: View, task: Task): boolean {
  const { list, status, q, labels, priority, due } = view;
  const by = (days: number): boolean => {
    const { date } = fieldsOf(task.due);
    return date !== "" && (days === Infinity || date <= dayOf(days));
  };
  // Thousands are asked about at once, mostly without a text.
  const says = (): boolean =>
    `${task.title}\n${task.notes}`.toLowerCase().includes(q.toLowerCase());
  return (
    !task.deleteTime === (list !== "bin") &&
    (list === "bin" ||
      status === "all" ||
      (task.status === TaskStatus.OPEN) === (status === "open")) &&
    (!isOwn(view) || listOf(task) === list) &&
    (list !== "today" || by(0)) &&
    (!due || by(DUES[due]?.[1] ?? 0)) &&
    task.priority >= Number(priority) &&
    labels.every((label) => task.labels.includes(label)) &&
    (!q || says())
  );
}

/** `inbox`, or the id of the list that a task is in. */
export function listOf({ list }: Task): string {
  return list.split("/").at(-1) || "inbox";
}

/** Sorts as the service does: what is not said comes last. */
export function orderOf({ order }: View): Compare {
  if (order === "position") return inOrder;
  if (order === "due") return byDue;
  if (order === "priority") return byPriority;
  if (order === "deleted") return (a, b) => Number(b.task.revision - a.task.revision);
  return newest;
}

/** The manual order. */
export const inOrder: Compare = (a, b) =>
  up(listKey(a), listKey(b)) || up(a.task.position, b.task.position) || newest(a, b);

const byDue: Compare = (a, b) => {
  const [one, other] = [dueKey(a), dueKey(b)];
  return up(one, other) || (one === UNSET ? newest(a, b) : up(a.task.name, b.task.name));
};

const byPriority: Compare = (a, b) => {
  const set = a.task.priority > 0;
  return b.task.priority - a.task.priority || (set ? up(b.task.name, a.task.name) : newest(a, b));
};

/** What has no name yet is newer than everything that has. */
const newest: Compare = (a, b) => {
  const [one, other] = [a.task, b.task];
  if (one.name === "" || other.name === "") {
    return up(one.name, other.name) || up(b.key, a.key);
  }
  return made(other) - made(one) || up(other.name, one.name);
};

function up(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** In microseconds, as the service compares: a batch makes many in a millisecond. */
function made({ createTime }: Task): number {
  return createTime ? Number(createTime.seconds) * 1e6 + Math.floor(createTime.nanos / 1e3) : 0;
}

function listKey({ task }: Placed): string {
  const list = listOf(task);
  return list === "inbox" ? "" : list;
}

function dueKey({ task }: Placed): string {
  const { date, time } = fieldsOf(task.due);
  return date ? date + time : UNSET;
}
