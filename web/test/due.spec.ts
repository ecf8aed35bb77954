// Due dates between the wire, the fields and the words.

import { expect, test } from "@playwright/test";
import { create, DueSchema } from "duet-client";
import { dueOf, fieldsOf, inWords } from "../src/tasks/due.ts";

test("a due date survives the way through the fields", () => {
  for (const fields of [
    { date: "2026-12-24", time: "", zone: "" },
    { date: "2026-12-24", time: "00:00", zone: "" },
    { date: "0099-01-02", time: "23:59", zone: "Asia/Tokyo" },
  ]) {
    expect(fieldsOf(dueOf(fields))).toEqual(fields);
  }
  expect(dueOf({ date: "", time: "12:00", zone: "" })).toBeUndefined();
  expect(fieldsOf(undefined)).toEqual({ date: "", time: "", zone: "" });
});

test("a zone stays with its time and goes with it", () => {
  const paris = { date: "2026-12-24", zone: "Europe/Paris" };
  expect(dueOf({ ...paris, time: "18:00" })?.timeZone).toBe("Europe/Paris");
  expect(dueOf({ ...paris, time: "" })?.timeZone).toBe("");
});

test("the words say today, overdue and the time", () => {
  const now = new Date(2026, 10, 20, 12, 0);
  const words = (date: string, time = ""): { text: string; late: boolean } =>
    inWords(dueOf({ date, time, zone: "" }), now);
  expect(words("2026-11-20")).toEqual({ text: "Due today", late: false });
  expect(words("2026-11-20", "18:30")).toEqual({ text: "Due today, 18:30", late: false });
  expect(words("2026-11-20", "09:00").late).toBe(true);
  expect(words("2026-11-19")).toMatchObject({ late: true });
  expect(words("2026-11-19").text).toContain("Overdue since");
  expect(words("2026-12-24").text).toMatch(/^Due .*2026/);
  const zoned = create(DueSchema, {
    date: { year: 2026, month: 11, day: 20 },
    minuteOfDay: 60,
    timeZone: "Asia/Tokyo",
  });
  expect(inWords(zoned, now)).toEqual({ text: "Due today, 01:00 (Asia/Tokyo)", late: false });
  expect(inWords(undefined, now)).toEqual({ text: "", late: false });
});
