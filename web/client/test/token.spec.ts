// What is read of an access token.

import { expect, test } from "@playwright/test";
import { hold, isFresh } from "../src/token.ts";
import { jwt } from "./support/pair.ts";

const claims = { sub: "u", sid: "s", email: "zoë+ß@example.com", iat: 1000, exp: 1300 };

test("FR-011: whose it is, in any script", () => {
  const held = hold({ accessToken: jwt(claims), refreshToken: "", receivedAt: 5 });
  expect(held).toEqual({
    accessToken: jwt(claims),
    refreshToken: "",
    receivedAt: 5,
    userId: "u",
    email: "zoë+ß@example.com",
    session: "users/u/sessions/s",
    lifetimeMs: 300_000,
  });
});

test("every length and letter of base64url is read", () => {
  for (const filler of ["", "?", "??", "???", "þÿ>>>???"]) {
    const accessToken = jwt({ ...claims, email: filler });
    expect(hold({ accessToken, refreshToken: "", receivedAt: 0 }).email).toBe(filler);
  }
});

test("what is no token is refused", () => {
  for (const accessToken of ["", "one", "one.two", "a.b.c"]) {
    expect(() => hold({ accessToken, refreshToken: "", receivedAt: 0 })).toThrow();
  }
});

test("fresh until 30 s before the end, or a fifth of a short life", () => {
  const until = (exp: number, age: number) =>
    isFresh(
      hold({ accessToken: jwt({ ...claims, exp }), refreshToken: "", receivedAt: 700 }),
      700 + age,
    );
  expect(until(1300, 0)).toBe(true);
  expect(until(1300, 269_999)).toBe(true);
  expect(until(1300, 270_000)).toBe(false);
  expect(until(1010, 7_999)).toBe(true);
  expect(until(1010, 8_000)).toBe(false);
  expect(until(1300, -1)).toBe(false);
});
