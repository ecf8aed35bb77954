// When a task is due, between the wire, the input fields and the words on the
// screen. A date is a civil date: it is never moved by a time zone.

import { create, type Due, DueSchema } from "duet-client";

/** What the fields hold: `2026-12-24`, `18:30` and `Europe/Paris`, each maybe empty. */
export interface DueFields {
  date: string;
  time: string;
  zone: string;
}

const two = (n: number): string => String(n).padStart(2, "0");

export function fieldsOf(due: Due | undefined): DueFields {
  if (!due?.date) return { date: "", time: "", zone: "" };
  const { year, month, day } = due.date;
  const minute = due.minuteOfDay;
  return {
    date: `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`,
    time: minute === undefined ? "" : `${two(Math.floor(minute / 60))}:${two(minute % 60)}`,
    zone: due.timeZone,
  };
}

/** The other way round; a zone goes with a time only. */
export function dueOf({ date, time, zone }: DueFields): Due | undefined {
  const [year, month, day] = date.split("-").map(Number);
  if (!year || !month || !day) return undefined;
  const [hour, minute] = time.split(":").map(Number);
  const due = create(DueSchema, { date: { year, month, day } });
  if (hour !== undefined && minute !== undefined && time !== "") {
    due.minuteOfDay = hour * 60 + minute;
    due.timeZone = zone;
  }
  return due;
}

/** The day that is so many days after today, as `2026-12-24`. */
export function dayOf(days: number, now = new Date()): string {
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The words for a due date, and whether it is over, at `now`. */
export function inWords(due: Due | undefined, now: Date): { text: string; late: boolean } {
  const { date, time } = fieldsOf(due);
  if (!due?.date || date === "") return { text: "", late: false };
  const today = dayOf(0, now);
  const { year, month, day } = due.date;
  const shown = new Date(0);
  shown.setFullYear(year, month - 1, day);
  const words = shown.toLocaleDateString(undefined, {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
  const at = time === "" ? "" : `, ${time}${due.timeZone === "" ? "" : ` (${due.timeZone})`}`;
  const clock = `${two(now.getHours())}:${two(now.getMinutes())}`;
  // With a zone of its own the moment is not this device's to judge to the minute.
  const passed = date === today && time !== "" && due.timeZone === "" && time < clock;
  if (date < today || passed) return { text: `Overdue since ${words}${at}`, late: true };
  return { text: date === today ? `Due today${at}` : `Due ${words}${at}`, late: false };
}
