// The face of the package: `createDuet` and what a page needs besides. Every
// other file is inside, and may change.

import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor, Transport } from "@connectrpc/connect";
import { createClient } from "@connectrpc/connect";
import { bearer } from "./bearer.ts";
import type { FollowOptions } from "./follow.ts";
import { follow } from "./follow.ts";
import { AccountService } from "./gen/auth/v1/account_service_pb.ts";
import { AuthService } from "./gen/auth/v1/auth_service_pb.ts";
import { ListService } from "./gen/task/v1/list_service_pb.ts";
import { TaskService } from "./gen/task/v1/task_service_pb.ts";
import type { Session } from "./session.ts";
import { BrowserSession } from "./session.ts";
import type { Tabs } from "./tabs.ts";
import { joinTabs } from "./tabs.ts";
import { grpcWeb } from "./transport.ts";
import type { Told, WatchOptions } from "./watch.ts";
import { watch } from "./watch.ts";

export type { Client, Interceptor, Transport } from "@connectrpc/connect";
export { Code, ConnectError } from "@connectrpc/connect";
export type { MessageInitShape } from "@bufbuild/protobuf";
export { clone, create, equals } from "@bufbuild/protobuf";
export type { Timestamp } from "@bufbuild/protobuf/wkt";
export { timestampDate } from "@bufbuild/protobuf/wkt";
export type { Failure, Reason } from "./errors.ts";
export { failureOf } from "./errors.ts";
export type { FollowOptions } from "./follow.ts";
export { AccountService } from "./gen/auth/v1/account_service_pb.ts";
export type { Activity } from "./gen/auth/v1/activity_pb.ts";
export { VerifyEmailResponse_Outcome as VerifyEmailOutcome } from "./gen/auth/v1/auth_service_pb.ts";
export type { GetDeletionReceiptResponse } from "./gen/auth/v1/auth_service_pb.ts";
export type { Challenge, Factor } from "./gen/auth/v1/factor_pb.ts";
export type { BeginTotpEnrollmentResponse } from "./gen/auth/v1/account_service_pb.ts";
export { FactorKind } from "./gen/auth/v1/factor_pb.ts";
export type { Session as Device } from "./gen/auth/v1/session_pb.ts";
export type { User } from "./gen/auth/v1/user_pb.ts";
export { UserSchema } from "./gen/auth/v1/user_pb.ts";
export type { Change } from "./gen/task/v1/change_pb.ts";
export type { List } from "./gen/task/v1/list_pb.ts";
export { ListSchema } from "./gen/task/v1/list_pb.ts";
export { ListService } from "./gen/task/v1/list_service_pb.ts";
export type { Date as CalendarDate, Due, Task } from "./gen/task/v1/task_pb.ts";
export {
  DateSchema,
  DueSchema,
  Priority,
  RecurrenceAnchor,
  RecurrenceSchema,
  TaskSchema,
  TaskStatus,
} from "./gen/task/v1/task_pb.ts";
export type { GetUsageResponse, ListTasksResponse } from "./gen/task/v1/task_service_pb.ts";
export { TaskService } from "./gen/task/v1/task_service_pb.ts";
export type { ImportTasksResponse } from "./gen/task/v1/transfer_service_pb.ts";
export { TransferFormat, TransferService } from "./gen/task/v1/transfer_service_pb.ts";
export type {
  RecentProof,
  SecondFactorCode,
  Session,
  SessionListener,
  SessionState,
} from "./session.ts";
export type { Lead, Message, Tabs } from "./tabs.ts";
export type { Told, WatchOptions } from "./watch.ts";

export interface DuetOptions {
  /** Where auth-service answers; the page's own origin by default. */
  authUrl?: string;
  /** Where task-service answers; `authUrl` by default. */
  taskUrl?: string;
  /**
   * Where the refresh token lives. `cookie` (the default): in a cookie that no
   * script can read; page and auth-service must be of one site. `memory`: for
   * pages of another site; it travels in messages, lives in the memory of the
   * open tabs, and is gone when the last of them is reloaded or closed.
   */
  refreshToken?: "cookie" | "memory";
  /** Begins the names of the locks and of the channel; "duet" by default. */
  name?: string;
  /** For each unary call; 10 s by default. */
  timeoutMs?: number;
  /** Instead of the browser's own, as to set `keepalive` while a page is being left. */
  fetch?: typeof globalThis.fetch;
  /** Instead of grpc-web over fetch, as for tests with an in-memory server. */
  transports?: Record<"auth" | "task", (interceptors: Interceptor[]) => Transport>;
  /** Instead of Web Locks and BroadcastChannel. */
  tabs?: Tabs;
  /** Instead of `Date.now`. */
  now?: () => number;
}

/** What can be asked of auth-service without a session. */
export type Mailed = Pick<
  Client<typeof AuthService>,
  "requestPasswordReset" | "resetPassword" | "verifyEmail" | "getDeletionReceipt"
>;

export interface Duet {
  readonly account: Client<typeof AccountService>;
  /** What the links of mails are for, and what is left of an account that was deleted. */
  readonly mailed: Mailed;
  readonly tasks: Client<typeof TaskService>;
  readonly lists: Client<typeof ListService>;
  /** A client of another service beside these, as TransferService. */
  clientOf<S extends DescService>(service: S): Client<S>;
  readonly session: Session;
  /**
   * What changes, as it changes, over a stream of its own that goes on by itself
   * wherever it broke off. To end it, leave the loop.
   */
  watchTasks(options?: WatchOptions): AsyncGenerator<Told>;
  /**
   * The same in every tab of this browser over one stream, for whoever is signed
   * in. `wake` tries again at once.
   */
  followTasks(options: FollowOptions): { wake: () => void };
  /** Leaves the other tabs; the object is of no use afterwards. */
  close(): void;
}

/** Clients of both services, signed in as whoever the session belongs to. */
export function createDuet(options: DuetOptions = {}): Duet {
  const { refreshToken = "cookie", name = "duet", now = Date.now } = options;
  const { auth, task } = options.transports ?? wires(options);
  const tabs = options.tabs ?? joinTabs(name);
  const plain = auth([]);
  const mailed = createClient(AuthService, plain);
  const session = new BrowserSession({
    auth: mailed,
    account: createClient(AccountService, plain),
    tabs,
    refreshToken,
    now,
  });
  const signedIn = [bearer(session)];
  const beside = task(signedIn);
  const tasks = createClient(TaskService, beside);
  const watchTasks = (options?: WatchOptions) => watch({ tasks, session }, options);
  return {
    account: createClient(AccountService, auth(signedIn)),
    mailed,
    tasks,
    lists: createClient(ListService, beside),
    clientOf: (service) => createClient(service, beside),
    session,
    watchTasks,
    followTasks(options) {
      const { state } = session;
      // Without anybody it ends at once.
      const user = state.kind === "signed-in" ? state.userId : "";
      return follow({ tabs, user, watch: watchTasks }, options);
    },
    close() {
      session.close();
      tabs.close();
    },
  };
}

function wires(options: DuetOptions): NonNullable<DuetOptions["transports"]> {
  const { authUrl = location.origin, taskUrl = authUrl, timeoutMs = 10_000 } = options;
  const cookies = options.refreshToken !== "memory";
  // Looked up at each call, so that a page may still wrap it later.
  const fetch: typeof globalThis.fetch = (...call) => (options.fetch ?? globalThis.fetch)(...call);
  const wire = { cookies, timeoutMs, fetch };
  return {
    auth: (interceptors) => grpcWeb({ ...wire, baseUrl: authUrl }, interceptors),
    task: (interceptors) => grpcWeb({ ...wire, baseUrl: taskUrl }, interceptors),
  };
}
