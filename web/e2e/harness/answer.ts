// An answer that the services would give only after much trouble: a genuine
// grpc-web error, with the details that every error of Duet carries, in place
// of the real one.

import type { Page } from "@playwright/test";
import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyPack, DurationSchema } from "@bufbuild/protobuf/wkt";
import {
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../../client/src/gen/google/rpc/error_details_pb.ts";

const CODES = {
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  INTERNAL: 13,
} as const;

export interface Answer {
  code: keyof typeof CODES;
  domain: "duet.auth" | "duet.task";
  reason: string;
  message: string;
  requestId?: string;
  retryAfterSeconds?: number;
}

/** A fault of the service's own. */
export const FAULT: Answer = {
  code: "INTERNAL",
  domain: "duet.task",
  reason: "INTERNAL",
  message: "Something went wrong on our side. Please try again later.",
  requestId: "0198c0de-0000-7000-8000-00000000cafe",
};

/** What is answered where the last proof is too old. */
export const PROOF_WANTED: Answer = {
  code: "FAILED_PRECONDITION",
  domain: "duet.auth",
  reason: "REAUTHENTICATION_REQUIRED",
  message: "Please confirm your password first.",
};

/** Answers every call of a method so, until it is stopped. */
export async function answerWith(page: Page, method: string, answer: Answer) {
  const pattern = `**/*Service/${method}`;
  await page.route(pattern, (route) =>
    route.fulfill({
      status: 200,
      headers: {
        "content-type": "application/grpc-web+proto",
        "grpc-status": String(CODES[answer.code]),
        "grpc-message": encodeURIComponent(answer.message),
        "grpc-status-details-bin": statusOf(answer).toString("base64"),
      },
      body: "",
    }),
  );
  return { stop: () => page.unroute(pattern) };
}

/** Answers every call of a method with an empty message, without asking anybody. */
export async function answerNothing(page: Page, method: string): Promise<void> {
  const trailers = Buffer.from("grpc-status: 0\r\n");
  const frame = (flags: number, { length }: Buffer): Buffer =>
    Buffer.from([flags, 0, 0, 0, length]);
  await page.route(`**/*Service/${method}`, (route) =>
    route.fulfill({
      status: 200,
      headers: { "content-type": "application/grpc-web+proto" },
      body: Buffer.concat([frame(0, Buffer.of()), frame(0x80, trailers), trailers]),
    }),
  );
}

function statusOf(answer: Answer): Buffer {
  const { code, domain, reason, message, requestId, retryAfterSeconds } = answer;
  const details: Any[] = [pack(ErrorInfoSchema, { domain, reason })];
  if (requestId) details.push(pack(RequestInfoSchema, { requestId }));
  if (retryAfterSeconds) {
    const retryDelay = create(DurationSchema, { seconds: BigInt(retryAfterSeconds) });
    details.push(pack(RetryInfoSchema, { retryDelay }));
  }
  // google.rpc.Status: code = 1, message = 2, details = 3.
  const text = Buffer.from(message);
  const packed = details.map((detail) => field(3, Buffer.from(toBinary(AnySchema, detail))));
  return Buffer.concat([Buffer.from([8, CODES[code]]), field(2, text), ...packed]);
}

function pack<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

/** A field with a length, on the wire. */
function field(number: number, bytes: Buffer): Buffer {
  const length =
    bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

/** Has every call of a method do its work, but nobody gets the answer, until it is stopped. */
export async function loseAnswers(page: Page, method: string) {
  const pattern = `**/*Service/${method}`;
  await page.route(pattern, async (route) => {
    await route.fetch();
    await route.abort();
  });
  return { stop: () => page.unroute(pattern) };
}

/** Keeps every call of a method from being answered until the result is called. */
export async function hold(page: Page, method: string): Promise<() => void> {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(`**/*Service/${method}`, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}
