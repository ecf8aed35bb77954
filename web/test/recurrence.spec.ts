// How a task comes back, in words: those that people use, and none that mislead.

import { expect, test } from "@playwright/test";
import { inWords, presets } from "../src/tasks/recurrence.ts";

test("common rules have words", () => {
  for (const [rule, words] of Object.entries({
    "FREQ=DAILY": "Every day",
    "FREQ=DAILY;INTERVAL=3;COUNT=10": "Every 3 days, 10 times",
    "FREQ=DAILY;BYMONTH=6,7": "Every day in June and July",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Every weekday",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR": "Every 2 weeks on weekdays",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH": "Every 2 weeks on Monday and Thursday",
    "FREQ=WEEKLY;BYDAY=MO,WE,SU;WKST=SU": "Every week on Monday, Wednesday and Sunday",
    "FREQ=WEEKLY;UNTIL=20261224": "Every week, until 2026-12-24",
    "FREQ=WEEKLY;UNTIL=20261224T170000Z": "Every week, until 2026-12-24",
    "FREQ=MONTHLY;BYMONTHDAY=-1": "Every month on the last day",
    "FREQ=MONTHLY;BYMONTHDAY=1,22": "Every month on the 1st and the 22nd",
    "FREQ=MONTHLY;BYMONTHDAY=11,12,13": "Every month on the 11th, the 12th and the 13th",
    "FREQ=MONTHLY;BYDAY=2TU": "Every month on the second Tuesday",
    "FREQ=MONTHLY;BYDAY=-2FR;COUNT=1": "Every month on the second to last Friday, once",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": "Every month on the last weekday",
    "FREQ=YEARLY;INTERVAL=4;BYMONTH=12;BYMONTHDAY=24": "Every 4 years on the 24th of December",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH": "Every year on the fourth Thursday of November",
    "FREQ=YEARLY;BYDAY=20MO": "Every year on the 20th Monday",
  })) {
    expect(inWords(rule)).toBe(words);
  }
});

test("other rules are shown as they are", () => {
  for (const rule of [
    "",
    "weekly",
    "FREQ=SECONDLY",
    "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=1",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
    "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
    "FREQ=MONTHLY;BYMONTHDAY=1,2;BYSETPOS=1",
    "FREQ=MONTHLY;BYDAY=XX",
    "FREQ=MONTHLY;BYDAY=0MO",
    "FREQ=MONTHLY;BYDAY=oneMO",
    "FREQ=MONTHLY;BYMONTHDAY=one",
    "FREQ=YEARLY;BYMONTH=13",
    "FREQ=WEEKLY;UNTIL=tomorrow",
    "FREQ=toString",
  ]) {
    expect(inWords(rule)).toBe(`Repeats (${rule})`);
  }
});

test("the rules that are offered fit the day", () => {
  expect(presets(new Date(2026, 11, 24))).toEqual({
    "Every day": "FREQ=DAILY",
    "Every weekday": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "Every week on Thursday": "FREQ=WEEKLY;BYDAY=TH",
    "Every month on the 24th": "FREQ=MONTHLY;BYMONTHDAY=24",
    "Every year on the 24th of December": "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24",
  });
  expect(Object.keys(presets(new Date(2026, 1, 1)))).toContain("Every week on Sunday");
});
