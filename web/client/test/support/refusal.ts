// Errors as the services send them.

import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "../../src/gen/google/rpc/error_details_pb.ts";

interface More {
  metadata?: Record<string, string>;
  fields?: Record<string, string>;
  retryAfter?: { seconds: number; nanos?: number };
  requestId?: string;
}

export function refusal(
  code: Code,
  reason: string,
  message: string,
  more: More = {},
): ConnectError {
  const { metadata = {}, fields, retryAfter, requestId } = more;
  return new ConnectError(message, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: "duet.test", metadata } },
    ...(fields ? [{ desc: BadRequestSchema, value: { fieldViolations: violations(fields) } }] : []),
    ...(retryAfter ? [{ desc: RetryInfoSchema, value: { retryDelay: delay(retryAfter) } }] : []),
    ...(requestId ? [{ desc: RequestInfoSchema, value: { requestId } }] : []),
  ]);
}

export function unauthenticated(reason: string): ConnectError {
  return refusal(Code.Unauthenticated, reason, "Please sign in again.");
}

function violations(fields: Record<string, string>) {
  return Object.entries(fields).map(([field, description]) => ({ field, description }));
}

function delay({ seconds, nanos = 0 }: { seconds: number; nanos?: number }) {
  return { seconds: BigInt(seconds), nanos };
}
