// What a page learns of an error.

import { expect, test } from "@playwright/test";
import { ConnectError } from "@connectrpc/connect";
import { Code, failureOf } from "../src/index.ts";
import { test as onDevice } from "./support/device.ts";
import { refusal } from "./support/refusal.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };

onDevice("SC-008: every detail arrives over the wire", async ({ device, pair }) => {
  const tab = device.open();
  await tab.session.signUp(ada);

  pair.failNext(
    "CreateTask",
    refusal(Code.InvalidArgument, "FIELD_INVALID", "Please check the fields.", {
      fields: { "task.title": "A title is needed.", "task.notes": "At most 20,000 characters." },
    }),
  );
  expect(await tab.tasks.createTask({}).catch(failureOf)).toEqual({
    code: Code.InvalidArgument,
    reason: "FIELD_INVALID",
    message: "Please check the fields.",
    fields: [
      { field: "task.title", message: "A title is needed." },
      { field: "task.notes", message: "At most 20,000 characters." },
    ],
    metadata: {},
    unreachable: false,
  });

  pair.failNext(
    "CreateTask",
    refusal(Code.Aborted, "ETAG_MISMATCH", "Changed.", { metadata: { current_etag: '"7"' } }),
  );
  expect(await tab.tasks.createTask({}).catch(failureOf)).toMatchObject({
    reason: "ETAG_MISMATCH",
    metadata: { current_etag: '"7"' },
  });

  pair.failNext("CreateTask", refusal(Code.Internal, "INTERNAL", "Ours.", { requestId: "0199" }));
  expect(await tab.tasks.createTask({}).catch(failureOf)).toMatchObject({
    message: "Ours.",
    requestId: "0199",
    unreachable: false,
  });

  pair.failNext(
    "CreateTask",
    refusal(Code.ResourceExhausted, "OVERLOADED", "Busy.", {
      retryAfter: { seconds: 1, nanos: 500_000_000 },
    }),
  );
  expect(await tab.tasks.createTask({}).catch(failureOf)).toMatchObject({
    retryAfterMs: 1500,
    unreachable: false,
  });
});

onDevice("E2: a failed fetch is friendly and worth trying again", async ({ device, pair }) => {
  const tab = device.open();
  pair.down = true;
  expect(await tab.session.signIn(ada).catch(failureOf)).toEqual({
    code: Code.Unknown,
    message: "Duet cannot be reached.",
    fields: [],
    metadata: {},
    unreachable: true,
  });
});

onDevice("an answer that is not Duet's says nothing from inside", async ({ device, pair }) => {
  const tab = device.open({ authUrl: "https://auth.test/elsewhere" });
  const failure = await tab.session.signIn(ada).catch(failureOf);
  expect(failure).toMatchObject({ code: Code.Unimplemented, unreachable: false });
  expect(failure).not.toHaveProperty("reason");
  expect(pair.calls).toEqual([]);
});

test("E2: UNAVAILABLE and DEADLINE_EXCEEDED are worth trying again, with or without a word", () => {
  for (const code of [Code.Unavailable, Code.DeadlineExceeded]) {
    expect(failureOf(new ConnectError("HTTP 503", code))).toMatchObject({
      message: "Duet cannot be reached.",
      unreachable: true,
    });
    expect(failureOf(refusal(code, "SERVER_DRAINING", "One moment."))).toMatchObject({
      message: "One moment.",
      unreachable: true,
    });
  }
});

test("no other code is", () => {
  const codes = Object.values(Code).filter((code) => typeof code === "number");
  const others = codes.filter((code) => ![Code.Unavailable, Code.DeadlineExceeded].includes(code));
  expect(others).toHaveLength(14);
  for (const code of others) {
    expect(failureOf(new ConnectError("no", code)).unreachable).toBe(false);
  }
});

test("a mistake in a program is no outage, and its text is not shown", () => {
  expect(failureOf(new TypeError("x is not a function"))).toEqual({
    code: Code.Unknown,
    message: "Something went wrong. Please try again later.",
    fields: [],
    metadata: {},
    unreachable: false,
  });
  expect(failureOf(undefined).code).toBe(Code.Unknown);
});

test("a call that was given up is neither", () => {
  const failure = failureOf(new DOMException("This operation was aborted", "AbortError"));
  expect(failure).toMatchObject({ code: Code.Canceled, unreachable: false });
});
