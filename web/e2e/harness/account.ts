// An account from outside the page: what a test arranges before a person looks,
// and what happens "elsewhere" while they do. It speaks grpc-web with the
// generated schemas, and knows nothing of the client package's session.

import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccountService } from "../../client/src/gen/auth/v1/account_service_pb.ts";
import { AdminService } from "../../client/src/gen/auth/v1/admin_service_pb.ts";
import { AuthService } from "../../client/src/gen/auth/v1/auth_service_pb.ts";
import { RefreshTokenTransport } from "../../client/src/gen/auth/v1/session_pb.ts";
import { TokenService } from "../../client/src/gen/auth/v1/token_service_pb.ts";
import type { Task } from "../../client/src/gen/task/v1/task_pb.ts";
import { TaskService } from "../../client/src/gen/task/v1/task_service_pb.ts";
import type { Place } from "./place.ts";

export const PASSWORD = "walnut-Trombone-91";
const UUID = /[0-9a-f-]{36}$/;

/** Who somebody is to Duet. */
export interface Who {
  readonly email: string;
  readonly password: string;
  readonly displayName: string;
}

/** Somebody whom nobody has met before. */
export function somebody(name: string, displayName = ""): Who {
  const email = `${name}.${crypto.randomUUID().slice(0, 8)}@example.org`;
  return { email, password: PASSWORD, displayName };
}

/** One session of an account. */
export class Account {
  readonly place: Place;
  readonly user: string;
  readonly token: string;
  /** The value of the session's cookie. */
  readonly cookie: string;
  readonly tasks: Client<typeof TaskService>;
  readonly account: Client<typeof AccountService>;
  readonly admin: Client<typeof AdminService>;

  private constructor(place: Place, user: string, token: string, cookie: string) {
    this.place = place;
    this.user = user;
    this.token = token;
    this.cookie = cookie;
    this.tasks = createClient(TaskService, transport(place.task, token));
    this.account = createClient(AccountService, transport(place.auth, token));
    this.admin = createClient(AdminService, transport(place.auth, token));
  }

  static signUp(place: Place, { email, password, displayName }: Who): Promise<Account> {
    return Account.#open(place, (auth, onHeader, headers) =>
      auth.signUp({ email, password, displayName, ...inCookie }, { headers, onHeader }),
    );
  }

  static signIn(place: Place, { email, password }: Who): Promise<Account> {
    return Account.#open(place, (auth, onHeader, headers) =>
      auth.signIn({ email, password, ...inCookie }, { headers, onHeader }),
    );
  }

  /** Makes a task; tells its id, which is also that of its page. */
  async add(title: string, more: { notes?: string; due?: Date } = {}): Promise<string> {
    const { task } = await this.tasks.createTask({
      task: {
        title,
        notes: more.notes ?? "",
        ...(more.due && { due: { date: dateOf(more.due) } }),
      },
    });
    return idOf(task);
  }

  async complete(id: string): Promise<void> {
    await this.tasks.completeTask({ name: this.nameOf(id) });
  }

  async rename(id: string, title: string): Promise<void> {
    const task = { name: this.nameOf(id), title };
    await this.tasks.updateTask({ task, updateMask: { paths: ["title"] } });
  }

  async titles(): Promise<string[]> {
    const { tasks } = await this.tasks.listTasks({ pageSize: 500 });
    return tasks.map(({ title }) => title);
  }

  nameOf(id: string): string {
    return `${this.user}/tasks/${id}`;
  }

  static async #open(
    place: Place,
    call: (
      auth: Client<typeof AuthService>,
      onHeader: (header: Headers) => void,
      headers: HeadersInit,
    ) => Promise<{ user?: { name: string }; credentials?: { accessToken: string } }>,
  ): Promise<Account> {
    let cookie = "";
    const onHeader = (header: Headers): void => {
      const pair = header.getSetCookie()[0]?.split(";")[0] ?? "";
      cookie = pair.slice(pair.indexOf("=") + 1);
    };
    const auth = createClient(AuthService, transport(place.auth));
    const { user, credentials } = await call(auth, onHeader, { origin: place.origin });
    return new Account(place, user?.name ?? "", credentials?.accessToken ?? "", cookie);
  }
}

/**
 * Whether a service still takes this access token: one knows by itself that the
 * session is over, the other only that the token has run out.
 */
export async function isGood(place: Place, token: string): Promise<boolean> {
  const service = createClient(TokenService, transport(place.auth));
  if ((await service.verifyToken({ token })).active) return true;
  const tasks = createClient(TaskService, transport(place.task, token));
  return tasks.getUsage({}).then(
    () => true,
    (error: unknown) => {
      if (ConnectError.from(error).code === Code.Unauthenticated) return false;
      throw error;
    },
  );
}

/** When an access token ends, by its own claim. */
export function endOf(token: string): number {
  const claims = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return (JSON.parse(claims) as { exp: number }).exp * 1000;
}

/** The key that an access token is signed with. */
export function keyOf(token: string): string {
  const header = Buffer.from(token.split(".")[0] ?? "", "base64url").toString();
  return (JSON.parse(header) as { kid: string }).kid;
}

const inCookie = { refreshTokenTransport: RefreshTokenTransport.COOKIE };

function transport(baseUrl: string, token?: string) {
  const authorize: Interceptor = (next) => (request) => {
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  return createGrpcWebTransport({ baseUrl, interceptors: [authorize] });
}

function idOf(task: Task | undefined): string {
  return UUID.exec(task?.name ?? "")?.[0] ?? "";
}

function dateOf(date: Date) {
  return { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() };
}
