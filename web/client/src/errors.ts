// Errors as a page wants them: one flat object with a typed reason, read from
// the details that every error of Duet carries (AIP-193). Whether to try again
// is told apart here, in one place: `unreachable` means that nobody judged the
// call, so it may be made again as it is.

import { Code, ConnectError } from "@connectrpc/connect";
import type { ErrorReason as AuthReason } from "./gen/auth/v1/error_reason_pb.ts";
import type { ErrorReason as TaskReason } from "./gen/task/v1/error_reason_pb.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";

/** Why a call failed; the two enums `ErrorReason` explain each. */
export type Reason = Exclude<keyof typeof AuthReason | keyof typeof TaskReason, "UNSPECIFIED">;

export interface Failure {
  code: Code;
  /** Absent where no service of Duet answered. A newer service may send others. */
  reason?: Reason;
  /** One sentence that may be shown. */
  message: string;
  /** What is wrong with the request, field by field: `task.title`, `email`. */
  fields: { field: string; message: string }[];
  /** When to try again, at the earliest. */
  retryAfterMs?: number;
  /** The id under which the server logged a fault of its own. */
  requestId?: string;
  /** More for programs, such as `current_etag`. */
  metadata: Record<string, string>;
  /** Nobody answered, or not in time: worth trying again as it is. */
  unreachable: boolean;
}

const UNREACHABLE = "Duet cannot be reached.";
const UNEXPECTED = "Something went wrong. Please try again later.";

/** Reads anything that was thrown by a call; never throws. */
export function failureOf(error: unknown): Failure {
  const known = ConnectError.from(error);
  const info = known.findDetails(ErrorInfoSchema)[0];
  const delay = known.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const requestId = known.findDetails(RequestInfoSchema)[0]?.requestId;
  const bad = known.findDetails(BadRequestSchema)[0];
  const unreachable =
    known.code === Code.Unavailable || known.code === Code.DeadlineExceeded || isNetwork(error);
  return {
    code: known.code,
    ...(info && { reason: info.reason as Reason }),
    message: info ? known.rawMessage : sentence(known, unreachable),
    fields: (bad?.fieldViolations ?? []).map((violation) => ({
      field: violation.field,
      message: violation.description,
    })),
    ...(delay && { retryAfterMs: Number(delay.seconds) * 1000 + delay.nanos / 1e6 }),
    ...(requestId && { requestId }),
    metadata: info?.metadata ?? {},
    unreachable,
  };
}

/** The reason alone. */
export function reasonOf(error: unknown): Reason | undefined {
  return failureOf(error).reason;
}

/** What a call gets that needs a session where there is none. */
export function signedOut(): ConnectError {
  const details = [
    { desc: ErrorInfoSchema, value: { reason: "TOKEN_MISSING", domain: "duet.auth" } },
  ];
  return new ConnectError("Please sign in first.", Code.Unauthenticated, undefined, details);
}

/**
 * A failed fetch is a TypeError in every browser, and Connect wraps it. A bare
 * TypeError comes from a mistake in a program and is none.
 */
function isNetwork(error: unknown): boolean {
  return (
    error instanceof ConnectError && error.code === Code.Unknown && error.cause instanceof TypeError
  );
}

function sentence({ code, rawMessage }: ConnectError, unreachable: boolean): string {
  if (unreachable) return UNREACHABLE;
  return code === Code.Unknown || code === Code.Internal ? UNEXPECTED : rawMessage;
}
