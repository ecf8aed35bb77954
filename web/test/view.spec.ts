// Views between the address, the service's filter and the page's own judgement.

import { expect, test } from "@playwright/test";
import { create, type MessageInitShape, type Task, TaskSchema, TaskStatus } from "duet-client";
import { dayOf, dueOf } from "../src/tasks/due.ts";
import { addressOf, matches, orderOf, questionOf, viewOf } from "../src/tasks/view.ts";

const task = (more: MessageInitShape<typeof TaskSchema> = {}): Task =>
  create(TaskSchema, { name: "users/u/tasks/1", status: TaskStatus.OPEN, ...more });

const due = (days: number) => {
  const value = dueOf({ date: dayOf(days), time: "", zone: "" });
  return value ? { due: value } : {};
};

test("a view survives the way through the address", () => {
  for (const query of [
    "",
    "list=inbox",
    "list=today&status=done",
    "status=all&order=priority",
    "q=milk+%26+honey&label=home&label=a%2Cb&priority=2&due=week&where=title%3Ax",
  ]) {
    const view = viewOf(query);
    expect(viewOf(addressOf(view).split("?")[1] ?? "")).toEqual(view);
  }
  expect(addressOf(viewOf(""))).toBe("/tasks");
});

test("nonsense in the address is left out", () => {
  const view = viewOf("status=nonsense&order=__proto__&priority=9&due=x");
  expect(view).toEqual(viewOf(""));
});

test("each list has its usual order, which the address need not say", () => {
  expect(viewOf("list=inbox").order).toBe("position");
  expect(viewOf("list=today").order).toBe("due");
  expect(viewOf("").order).toBe("newest");
  expect(addressOf(viewOf("list=inbox&order=position"))).toBe("/tasks?list=inbox");
});

for (const [query, filter, orderBy] of [
  ["", "status = OPEN", ""],
  ["status=all", "", ""],
  ["status=done", "status != OPEN", ""],
  ["list=inbox", 'status = OPEN AND list = "inbox"', "position"],
  ["list=today", "status = OPEN AND due <= today()", "due"],
  ["list=bin&q=x", 'delete_time:* AND "x"', "update_time desc"],
  ["status=all&priority=2&due=week", "priority >= MEDIUM AND due <= days(7)", ""],
  ["status=all&label=home&label=x", 'labels:"home" AND labels:"x"', ""],
  ["status=all&q=say+%22hi%22+%5C", '"say \\"hi\\" \\\\"', ""],
  ["status=all&where=a+OR+b&order=priority", "a OR b", "priority desc"],
  ["where=a+OR+b&q=x", 'a OR b AND status = OPEN AND "x"', ""],
] as const) {
  test(`the service is asked for “${query}” as it understands it`, () => {
    expect(questionOf(viewOf(query))).toMatchObject({ filter, orderBy });
    expect(questionOf(viewOf(query)).showDeleted).toBe(query.startsWith("list=bin"));
  });
}

test("what is shown at once follows the same rules", () => {
  const isIn = (query: string, more: MessageInitShape<typeof TaskSchema>): boolean =>
    matches(viewOf(query), task(more));
  expect(isIn("", {})).toBe(true);
  expect(isIn("", { status: TaskStatus.CANCELLED })).toBe(false);
  expect(isIn("status=done", { status: TaskStatus.CANCELLED })).toBe(true);
  expect(isIn("list=inbox", { list: "users/u/lists/inbox" })).toBe(true);
  expect(isIn("list=inbox", { list: "users/u/lists/other" })).toBe(false);
  expect(isIn("list=today", due(0))).toBe(true);
  expect(isIn("list=today", due(1))).toBe(false);
  expect(isIn("list=today", {})).toBe(false);
  expect(isIn("due=overdue", due(-1))).toBe(true);
  expect(isIn("due=overdue", due(0))).toBe(false);
  expect(isIn("due=any", due(900))).toBe(true);
  expect(isIn("due=any", {})).toBe(false);
  expect(isIn("priority=2", { priority: 3 })).toBe(true);
  expect(isIn("priority=2", { priority: 1 })).toBe(false);
  expect(isIn("label=home", { labels: ["home"] })).toBe(true);
  expect(isIn("label=home&label=x", { labels: ["home"] })).toBe(false);
  expect(isIn("q=MILK", { notes: "two litres of milk" })).toBe(true);
  expect(isIn("list=bin", {})).toBe(false);
  expect(isIn("list=bin", { deleteTime: { seconds: 1n } })).toBe(true);
  expect(isIn("", { deleteTime: { seconds: 1n } })).toBe(false);
});

test("what is not said comes last, in every order", () => {
  const named = (n: number, more: MessageInitShape<typeof TaskSchema>) => {
    const name = `users/u/tasks/${n}`;
    return { key: name, task: task({ name, createTime: { seconds: BigInt(n) }, ...more }) };
  };
  const sorted = (order: string, ...rows: ReturnType<typeof named>[]): string =>
    rows
      .sort(orderOf(viewOf(`order=${order}`)))
      .map(({ key }) => key.slice(-1))
      .join("");
  expect(sorted("newest", named(1, {}), named(3, {}), named(2, {}))).toBe("321");
  // The service keeps microseconds, and so must who reads its pages.
  const at = (micros: number) => ({ createTime: { seconds: 7n, nanos: micros * 1000 } });
  expect(sorted("newest", named(1, at(3)), named(3, at(1)), named(2, at(2)))).toBe("123");
  expect(sorted("due", named(1, {}), named(2, due(2)), named(3, due(1)), named(4, {}))).toBe(
    "3241",
  );
  expect(
    sorted("priority", named(1, { priority: 1 }), named(2, {}), named(3, { priority: 3 })),
  ).toBe("312");
  expect(sorted("position", named(1, { position: "b" }), named(2, { position: "a" }))).toBe("21");
});
