// Where one may be led after signing in.

import { expect, test } from "@playwright/test";

Object.defineProperty(globalThis, "location", { value: { origin: "https://duet.example" } });
const { destination, signInFor } = await import("../src/account/next.ts");

test("S4.3: back to where one wanted to be", () => {
  for (const wanted of ["/tasks?status=done&page=3", "/tasks/0195", "/settings/sessions#x"]) {
    const query = new URL(signInFor(wanted), "https://duet.example").searchParams;
    expect(destination(query.get("next") ?? undefined)).toBe(wanted);
  }
  expect(signInFor("/tasks")).toBe("/signin");
});

test("never to another origin, and never in circles", () => {
  for (const evil of [
    undefined,
    "",
    "//evil.example/tasks",
    "/\\evil.example/tasks",
    "/\t/evil.example/tasks",
    "https://evil.example/tasks",
    "https:evil.example",
    "javascript:alert(1)",
    "tasks",
    "/signin",
    "/signup?next=/tasks",
    "/",
    "/nowhere",
  ]) {
    expect(destination(evil), String(evil)).toBe("/tasks");
  }
});
