// Both services in memory, over real grpc-web. They know accounts, sessions
// with rotating refresh tokens (the one before the current one is still good,
// anything older ends the session), access tokens that expire by the services'
// own clock, and tasks. Nothing is signed and nobody hashes.

import { Code, ConnectError, createConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { createFetchHandler } from "@connectrpc/connect/protocol";
import { AccountService } from "../../src/gen/auth/v1/account_service_pb.ts";
import { AuthService } from "../../src/gen/auth/v1/auth_service_pb.ts";
import { RefreshTokenTransport } from "../../src/gen/auth/v1/session_pb.ts";
import { TaskService } from "../../src/gen/task/v1/task_service_pb.ts";
import { refusal, unauthenticated } from "./refusal.ts";

interface Account {
  id: string;
  email: string;
  password: string;
  tasks: string[];
}

interface Session {
  id: string;
  account: Account;
  generation: number;
  over: boolean;
}

interface Issued {
  session: Session;
  expiresAt: number;
}

/** A call or an answer that is stopped on its way. */
interface Held {
  arrived: Promise<void>;
  release: () => void;
}

type Gates = Map<string, (() => Promise<void>)[]>;

const COOKIE = "duet-rt";

export class Pair {
  /** The services' clock, in seconds. */
  now = 1_800_000_000;
  accessLifetime = 300;
  /** The codes of those who have a second factor, by their e-mails. */
  readonly codes = new Map<string, string>();
  /** Whether nobody answers. */
  down = false;
  /** Every call that arrived, by the name of its method. */
  readonly calls: string[] = [];
  readonly #accounts = new Map<string, Account>();
  readonly #sessions = new Map<string, Session>();
  readonly #issued = new Map<string, Issued>();
  /** What calls wait for when they arrive, and answers on their way, by method. */
  readonly #gates: Gates = new Map();
  readonly #onTheWay: Gates = new Map();
  readonly #handlers: Map<string, (request: Request) => Promise<Response>>;

  constructor() {
    const router = createConnectRouter({ grpcWeb: true, connect: false, grpc: false });
    router.service(AuthService, {
      signUp: async ({ email, password, refreshTokenTransport }, context) => {
        await this.#arrive(context);
        const id = `user-${this.#accounts.size + 1}`;
        this.#accounts.set(email, { id, email, password, tasks: [] });
        return this.#open(email, password, refreshTokenTransport, context);
      },
      signIn: async ({ email, password, refreshTokenTransport }, context) => {
        await this.#arrive(context);
        if (this.codes.has(email)) return { challenge: { token: email } };
        return this.#open(email, password, refreshTokenTransport, context);
      },
      completeSignIn: async ({ challengeToken, code, refreshTokenTransport }, context) => {
        await this.#arrive(context);
        const password = this.#accounts.get(challengeToken)?.password ?? "";
        if (code.value !== this.codes.get(challengeToken)) throw unauthenticated("CODE_INVALID");
        return this.#open(challengeToken, password, refreshTokenTransport, context);
      },
      refreshSession: async ({ refreshToken }, context) => {
        await this.#arrive(context);
        const given = refreshToken || cookieOf(context);
        if (!given) throw unauthenticated("REFRESH_TOKEN_MISSING");
        const session = this.#rotate(given);
        return { credentials: this.#credentials(session, !refreshToken, context) };
      },
      signOut: async ({ refreshToken }, context) => {
        await this.#arrive(context);
        const session = this.#sessions.get((refreshToken || cookieOf(context)).split(".")[0] ?? "");
        if (session) session.over = true;
        if (!refreshToken) context.responseHeader.set("set-cookie", `${COOKIE}=`);
        return {};
      },
    });
    router.service(AccountService, {
      getUser: async (_, context) => {
        await this.#arrive(context);
        const { session } = this.#caller(context);
        if (session.over) throw unauthenticated("SESSION_REVOKED");
        return { user: userOf(session.account) };
      },
      reauthenticate: async ({ password, code }, context) => {
        await this.#arrive(context);
        const { session } = this.#caller(context);
        if (session.over) throw unauthenticated("SESSION_REVOKED");
        const { email } = session.account;
        if (password !== session.account.password) throw unauthenticated("INVALID_CREDENTIALS");
        if (code.value !== this.codes.get(email)) throw unauthenticated("CODE_INVALID");
        return { accessToken: this.#accessToken(session) };
      },
    });
    router.service(TaskService, {
      createTask: async ({ task }, context) => {
        await this.#arrive(context);
        this.#caller(context).session.account.tasks.push(task?.title ?? "");
        return { task: { title: task?.title ?? "" } };
      },
      listTasks: async (_, context) => {
        await this.#arrive(context);
        const { account } = this.#caller(context).session;
        return { tasks: account.tasks.map((title) => ({ title })) };
      },
    });
    this.#handlers = new Map(
      router.handlers.map((handler) => [handler.requestPath, createFetchHandler(handler)]),
    );
  }

  async answer(request: Request): Promise<Response> {
    if (this.down) throw new TypeError("Failed to fetch");
    const path = new URL(request.url).pathname;
    const response = await this.#handlers.get(path)?.(request);
    await this.#onTheWay.get(path.split("/").pop() ?? "")?.shift()?.();
    return response ?? new Response(null, { status: 404 });
  }

  /** How often a method was called. */
  count(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  tasksOf(email: string): string[] {
    return this.#accounts.get(email)?.tasks ?? [];
  }

  /** The next call of `method` fails like this. */
  failNext(method: string, error: ConnectError): void {
    queue(this.#gates, method, () => Promise.reject(error));
  }

  /** The next call of `method` waits, once it has arrived, until it is released. */
  holdNext(method: string): Held {
    return hold(this.#gates, method);
  }

  /** The next call of `method` is done, but its answer is slow until it is released. */
  holdAnswer(method: string): Held {
    return hold(this.#onTheWay, method);
  }

  /** Ends every session of a user, as another device would. */
  endSessionsOf(email: string): void {
    for (const session of this.#sessions.values()) {
      if (session.account.email === email) session.over = true;
    }
  }

  async #arrive(context: HandlerContext): Promise<void> {
    this.calls.push(context.method.name);
    await this.#gates.get(context.method.name)?.shift()?.();
  }

  #open(
    email: string,
    password: string,
    transport: RefreshTokenTransport,
    context: HandlerContext,
  ) {
    const account = this.#accounts.get(email);
    if (account?.password !== password) {
      throw refusal(Code.Unauthenticated, "INVALID_CREDENTIALS", "Invalid credentials");
    }
    const id = `session-${this.#sessions.size + 1}`;
    const session = { id, account, generation: 0, over: false };
    this.#sessions.set(id, session);
    const inCookie = transport === RefreshTokenTransport.COOKIE;
    return { user: userOf(account), credentials: this.#credentials(session, inCookie, context) };
  }

  #rotate(refreshToken: string): Session {
    const [id = "", generation] = refreshToken.split(".");
    const session = this.#sessions.get(id);
    if (!session || session.over) throw unauthenticated("REFRESH_TOKEN_INVALID");
    const behind = session.generation - Number(generation);
    if (behind > 1) {
      session.over = true;
      throw unauthenticated("REFRESH_TOKEN_REUSED");
    }
    if (behind === 0) session.generation += 1;
    return session;
  }

  #credentials(session: Session, inCookie: boolean, context: HandlerContext) {
    const refreshToken = `${session.id}.${session.generation}`;
    if (inCookie) context.responseHeader.set("set-cookie", `${COOKIE}=${refreshToken}`);
    const accessToken = this.#accessToken(session);
    return { accessToken, refreshToken: inCookie ? "" : refreshToken };
  }

  #accessToken(session: Session): string {
    const { account } = session;
    const [iat, exp] = [this.now, this.now + this.accessLifetime];
    const jti = this.#issued.size;
    const claims = { sub: account.id, sid: session.id, email: account.email, iat, exp, jti };
    const accessToken = jwt(claims);
    this.#issued.set(accessToken, { session, expiresAt: exp });
    return accessToken;
  }

  #caller(context: HandlerContext): Issued {
    const header = context.requestHeader.get("authorization");
    if (!header) throw unauthenticated("TOKEN_MISSING");
    const issued = this.#issued.get(header.replace("Bearer ", ""));
    if (!issued) throw unauthenticated("TOKEN_INVALID");
    if (issued.expiresAt <= this.now) throw unauthenticated("TOKEN_EXPIRED");
    return issued;
  }
}

function queue(gates: Gates, method: string, gate: () => Promise<void>): void {
  gates.set(method, [...(gates.get(method) ?? []), gate]);
}

function hold(gates: Gates, method: string): Held {
  const { promise: arrived, resolve: arrive } = deferred();
  const { promise: released, resolve: release } = deferred();
  queue(gates, method, () => {
    arrive();
    return released;
  });
  return { arrived, release };
}

/** A JWT with these claims and no signature to speak of. */
export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "EdDSA", typ: "at+jwt" })}.${part(claims)}.c2lnbmF0dXJl`;
}

export function deferred() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function userOf({ id, email }: Account) {
  return { name: `users/${id}`, email };
}

function cookieOf(context: HandlerContext): string {
  return context.requestHeader.get("cookie")?.split("=")[1] ?? "";
}
