// How a task comes back, in words, and the rules that most people want. A rule
// that people seldom write is shown as it is.

const DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
const MONTHS =
  "January February March April May June July August September October November December".split(
    " ",
  );
const ORDINALS = ["", "first", "second", "third", "fourth", "fifth"];
const UNITS = new Map([
  ["DAILY", "day"],
  ["WEEKLY", "week"],
  ["MONTHLY", "month"],
  ["YEARLY", "year"],
]);
const WORKDAYS = "MO,TU,WE,TH,FR";

/** A rule of RFC 5545 in words: `Every 2 weeks on Monday and Thursday`. */
export function inWords(rrule: string): string {
  try {
    return words(new Map(rrule.split(";").map((part) => part.split("=") as [string, string])));
  } catch {
    return `Repeats (${rrule})`;
  }
}

/** Rules for a task that is due on this day, by their words. */
export function presets(date: Date): Record<string, string> {
  const monthDay = `BYMONTHDAY=${date.getDate()}`;
  const rules = [
    "FREQ=DAILY",
    `FREQ=WEEKLY;BYDAY=${WORKDAYS}`,
    `FREQ=WEEKLY;BYDAY=${code(some(DAYS[(date.getDay() + 6) % 7]))}`,
    `FREQ=MONTHLY;${monthDay}`,
    `FREQ=YEARLY;BYMONTH=${date.getMonth() + 1};${monthDay}`,
  ];
  return Object.fromEntries(rules.map((rule) => [inWords(rule), rule]));
}

/** Throws if there are none. */
function words(parts: Map<string, string>): string {
  const take = (name: string): string => {
    const value = parts.get(name) ?? "";
    parts.delete(name);
    return value;
  };
  const unit = some(UNITS.get(take("FREQ")));
  const interval = take("INTERVAL") || "1";
  const months = list(take("BYMONTH"), (month) => some(MONTHS[Number(month) - 1]));
  const days = daysOf(take("BYDAY"), take("BYMONTHDAY"), take("BYSETPOS"));
  const count = take("COUNT");
  const until = take("UNTIL");
  take("WKST");
  some(parts.size === 0);

  let text = `Every ${interval === "1" ? unit : `${interval} ${unit}s`}`;
  if (days) text += ` on ${days}`;
  if (text === "Every week on weekdays" && !months) text = "Every weekday";
  if (months) text += ` ${days && unit === "year" ? "of" : "in"} ${months}`;
  if (count) text += count === "1" ? ", once" : `, ${count} times`;
  if (until)
    text += `, until ${some(/^(\d{4})(\d\d)(\d\d)/.exec(until))
      .slice(1)
      .join("-")}`;
  return text;
}

function daysOf(days: string, monthDays: string, place: string): string {
  some(!(days && monthDays));
  if (place) {
    some(days === WORKDAYS);
    return `the ${ordinal(Number(place))} weekday`;
  }
  if (days === WORKDAYS) return "weekdays";
  return (
    list(days, (day) => {
      const name = some(DAYS.find((name) => code(name) === day.slice(-2)));
      return day.length > 2 ? `the ${ordinal(Number(day.slice(0, -2)))} ${name}` : name;
    }) +
    list(monthDays, (day) => {
      const number = Number(day);
      return number > 0 ? `the ${numeral(number)}` : `the ${ordinal(number)} day`;
    })
  );
}

function list(values: string, word: (value: string) => string): string {
  const words = values ? values.split(",").map(word) : [];
  const last = words.pop() ?? "";
  return words.length > 0 ? `${words.join(", ")} and ${last}` : last;
}

const code = (day: string): string => day.slice(0, 2).toUpperCase();

/** `first`, `6th`, `last`, `second to last`. */
function ordinal(number: number): string {
  if (number < 0) return number === -1 ? "last" : `${ordinal(-number)} to last`;
  return some(ORDINALS[number] ?? numeral(number));
}

function numeral(number: number): string {
  const teen = number % 100 > 10 && number % 100 < 14;
  return `${some(number)}${(!teen && ["th", "st", "nd", "rd"][number % 10]) || "th"}`;
}

/** Refuses what is missing, zero, false or no number. */
function some<T>(value: T | null | undefined): T {
  if (!value) throw new Error();
  return value;
}
