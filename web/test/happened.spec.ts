// What happened to an account is told in words, whatever the service writes down.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { inWords } from "../src/settings/happened.ts";

const SERVICE = new URL("../../auth-service/", import.meta.url);
/** Settings of Postgres, and what no log of a person has in it. */
const OTHER =
  /^(app|service_(account|token)|signing_key|admin\.signing_key|erasure)\.|^user\.deleted$/;

/** The kinds that the service writes, but for those of one word. */
function kinds(): string[] {
  const functions = new URL("functions/", SERVICE);
  const texts = readdirSync(functions).map((name) =>
    readFileSync(new URL(name, functions), "utf8"),
  );
  texts.push(readFileSync(new URL("src/throttle.rs", SERVICE), "utf8"));
  const quoted = texts.flatMap((text) => text.match(/['"][a-z_]+(\.[a-z_]+)+['"]/g) ?? []);
  const all = new Set(quoted.map((text) => text.slice(1, -1)));
  return [...all].filter((kind) => !OTHER.test(kind));
}

test("every kind of event has words of its own", () => {
  const all = [...kinds(), "sign_up", "sign_in", "sign_out", "reauthenticated"];
  expect(all.length).toBeGreaterThan(25);
  const made = (kind: string): string => kind.replaceAll(/[._]/g, " ");
  expect(all.filter((kind) => inWords(kind).text === made(kind))).toEqual([]);
  expect(inWords("some.new_kind").text).toBe("some new kind");
});
