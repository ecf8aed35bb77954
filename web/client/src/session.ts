// The session of this browser: its state, how it begins, how it ends, and a
// good access token whenever one is needed. The token lives in this object and
// in those of the other tabs, and nowhere else.
//
// Whatever may change the session on the server or in the cookie runs under
// one lock over all tabs, so an answer to a refresh never overtakes a sign-out.
// An error that only says that nobody answered changes nothing here.

import type { Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf, signedOut } from "./errors.ts";
import type { AccountService } from "./gen/auth/v1/account_service_pb.ts";
import type { AuthService } from "./gen/auth/v1/auth_service_pb.ts";
import type { Credentials as Issued } from "./gen/auth/v1/session_pb.ts";
import { RefreshTokenTransport } from "./gen/auth/v1/session_pb.ts";
import type { User } from "./gen/auth/v1/user_pb.ts";
import { answer, askOthers } from "./handover.ts";
import type {
  RecentProof,
  SecondFactorCode,
  Session,
  SessionListener,
  SessionState,
} from "./session-api.ts";
import type { Message, Tabs } from "./tabs.ts";
import type { Credentials, Held } from "./token.ts";
import { hold, isFresh } from "./token.ts";

export type * from "./session-api.ts";

export interface SessionOptions {
  auth: Client<typeof AuthService>;
  /** Without the interceptor that asks this session for tokens. */
  account: Pick<Client<typeof AccountService>, "reauthenticate">;
  tabs: Tabs;
  refreshToken: "cookie" | "memory";
  /** Milliseconds since the epoch. */
  now: () => number;
}

export class BrowserSession implements Session {
  #state: SessionState = { kind: "unknown" };
  #held: Held | undefined;
  /** When this tab last learnt something; older news from other tabs is no news. */
  #learntAt = 0;
  #refreshing: Promise<Held> | undefined;
  /** An access token that is fresh and may be good no more. */
  #doubted: string | undefined;
  /** The session that is being signed out, here or in another tab. */
  #leaving: string | undefined;
  /** The session that a call of this tab is to end, and whether it was found to be over. */
  #ending: { readonly session: string; over: boolean } | undefined;
  readonly #auth: SessionOptions["auth"];
  readonly #account: SessionOptions["account"];
  readonly #tabs: Tabs;
  readonly #inCookie: boolean;
  readonly #now: () => number;
  readonly #listeners = new Set<SessionListener>();
  readonly #stopListening: () => void;

  constructor({ auth, account, tabs, refreshToken, now }: SessionOptions) {
    this.#auth = auth;
    this.#account = account;
    this.#tabs = tabs;
    this.#inCookie = refreshToken === "cookie";
    this.#now = now;
    this.#stopListening = tabs.listen((message) => this.#heard(message));
  }

  get state(): SessionState {
    return this.#state;
  }

  subscribe(listener: SessionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<SessionState> {
    if (this.#state.kind === "unknown") {
      await this.credentials().catch((error: unknown) => {
        if (this.#state.kind === "unknown") throw error;
      });
    }
    return this.#state;
  }

  async signUp(account: { email: string; password: string; displayName?: string }) {
    return (await this.#open(this.#auth.signUp, account)).user;
  }

  async signIn(account: { email: string; password: string }) {
    return (await this.#open(this.#auth.signIn, account)).challenge;
  }

  async completeSignIn({ token }: { token: string }, code: SecondFactorCode) {
    const given = { challengeToken: token, code };
    return required((await this.#open(this.#auth.completeSignIn, given)).user);
  }

  async reauthenticate({ password, code }: RecentProof): Promise<void> {
    const { userId } = await this.credentials();
    await this.#tabs.exclusively(async () => {
      const held = this.#good();
      if (held?.userId !== userId) throw aborted();
      const headers = { authorization: `Bearer ${held.accessToken}` };
      try {
        const proof = { password, code: code ?? { case: undefined } };
        const { accessToken } = await this.#account.reauthenticate(proof, { headers });
        // Another tab may have told of the end of the session meanwhile.
        const now = this.#held;
        if (now?.session !== held.session) throw aborted();
        this.#take({ accessToken, refreshToken: now.refreshToken });
      } catch (error) {
        this.heed(error, held);
        throw error;
      }
    });
  }

  signOut(): Promise<void> {
    return this.#tabs.exclusively(async () => {
      if (this.#state.kind === "signed-out") return;
      this.#leave(this.#held?.session);
      try {
        await this.#auth.signOut({ refreshToken: this.#held?.refreshToken ?? "" });
      } catch (error) {
        if (this.#inCookie) {
          this.#leave(undefined);
          throw error;
        }
      }
      this.#end("signed-out");
    });
  }

  async endBy<T>(call: () => Promise<T>): Promise<T> {
    const { session } = await this.credentials();
    const ending = { session, over: false };
    this.#ending = ending;
    this.#leave(session);
    const answer = await call()
      .catch((error: unknown) => {
        this.#leave(undefined);
        // It was over before: that was nobody's wish here.
        if (ending.over && this.#held?.session === session) this.#end("expired");
        const found = reasonOf(error) === "SESSION_REVOKED" && this.#state.kind === "signed-out";
        if (found) this.#become({ kind: "signed-out", why: "expired" });
        throw error;
      })
      .finally(() => {
        this.#ending = undefined;
      });
    await this.#tabs.exclusively(async () => {
      // Somebody else may have signed in meanwhile.
      if (this.#held && this.#held.session !== session) return;
      // Nothing good is in the cookie; if it stays there, no harm is done.
      await this.#auth.signOut({ refreshToken: "" }).catch(() => undefined);
      if (this.#held) this.#end("signed-out");
    });
    return answer;
  }

  async token(): Promise<string> {
    return (await this.credentials()).accessToken;
  }

  /** Good credentials, other than those with the token that was refused. */
  async credentials(refused?: string): Promise<Held> {
    const held = this.#good(refused);
    if (held) return held;
    this.#refreshing ??= this.#refresh(refused).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** Ends the session if this answer to a call with `used` says that it is over. */
  heed(error: unknown, used: Held): void {
    const { session } = used;
    if (reasonOf(error) !== "SESSION_REVOKED" || session !== this.#held?.session) return;
    // Only its own answer tells whether the call that is to end it has done so.
    if (session === this.#ending?.session) this.#ending.over = true;
    else this.#end("expired");
  }

  /**
   * The same at the end of a stream, which says less: maybe only the key of its
   * token was withdrawn. The next call begins with a refresh, and that tells.
   */
  doubt(error: unknown, used: Held): void {
    const held = this.#held;
    if (reasonOf(error) !== "SESSION_REVOKED" || used.session !== held?.session) return;
    if (used.session === this.#ending?.session) this.#ending.over = true;
    else this.#doubted = held.accessToken;
  }

  close(): void {
    this.#stopListening();
    this.#listeners.clear();
  }

  /** What can be used as it is. Throws where only signing in would help. */
  #good(refused?: string): Held | undefined {
    if (this.#state.kind === "signed-out") throw signedOut();
    const held = this.#held;
    const bad = [refused, this.#doubted];
    return held && !bad.includes(held.accessToken) && isFresh(held, this.#now()) ? held : undefined;
  }

  #refresh(refused?: string): Promise<Held> {
    return this.#tabs.exclusively(async () => {
      // Another tab may have refreshed, or signed out, while this one waited.
      const held = this.#good(refused);
      if (held) return held;
      const theirs = await askOthers(this.#tabs, this.#learntAt, (credentials) =>
        isFresh(hold(credentials), this.#now()),
      );
      if (theirs) this.#adoptIfNewer(theirs);
      return this.#good(refused) ?? this.#refreshFromServer();
    });
  }

  async #refreshFromServer(): Promise<Held> {
    const before = this.#held;
    const refreshToken = before?.refreshToken ?? "";
    if (!this.#inCookie && !refreshToken) {
      this.#end("never");
      throw signedOut();
    }
    try {
      const { credentials } = await this.#auth.refreshSession({ refreshToken });
      // Only where there are no locks: news from another tab came in between.
      const newer = this.#held === before ? undefined : this.#good();
      return newer ?? this.#take(required(credentials));
    } catch (error) {
      if (this.#held === before) this.#heedRefusal(error);
      throw error;
    }
  }

  #heedRefusal(error: unknown): void {
    switch (reasonOf(error)) {
      case "REFRESH_TOKEN_MISSING":
        this.#end(this.#held ? "expired" : "never");
        break;
      case "REFRESH_TOKEN_INVALID":
      case "REFRESH_TOKEN_REUSED":
      case "SESSION_REVOKED":
        this.#end("expired");
    }
  }

  /** Makes a call that signs in if its answer has credentials. */
  #open<Given, Answer extends { user?: User; credentials?: Issued }>(
    call: (request: Given & { refreshTokenTransport: RefreshTokenTransport }) => Promise<Answer>,
    given: Given,
  ): Promise<Answer> {
    const { COOKIE, MESSAGE } = RefreshTokenTransport;
    const refreshTokenTransport = this.#inCookie ? COOKIE : MESSAGE;
    return this.#tabs.exclusively(async () => {
      const answer = await call({ ...given, refreshTokenTransport });
      if (answer.credentials) this.#take(answer.credentials);
      return answer;
    });
  }

  /** Takes over what the server issued, and tells the other tabs. */
  #take({ accessToken, refreshToken }: Pick<Issued, "accessToken" | "refreshToken">): Held {
    const credentials = { accessToken, refreshToken, receivedAt: this.#now() };
    const held = this.#adopt(credentials);
    this.#tabs.post({ kind: "credentials", credentials });
    return held;
  }

  #adopt(credentials: Credentials): Held {
    const held = hold(credentials);
    const { userId, email, session } = held;
    this.#held = held;
    this.#learntAt = held.receivedAt;
    this.#become({ kind: "signed-in", userId, email, session });
    return held;
  }

  /** A refresh token must never replace its successor: using it would look like a theft. */
  #adoptIfNewer(theirs: Credentials): void {
    if (theirs.receivedAt > this.#learntAt) this.#adopt(theirs);
  }

  /** In memory mode even a stale access token comes with what gets the next one. */
  #worthGiving(): Held | undefined {
    const held = this.#held;
    return held && (held.refreshToken || isFresh(held, this.#now())) ? held : undefined;
  }

  /** Has all tabs know whose wish it is if this session is over in a moment. */
  #leave(session: string | undefined): void {
    this.#leaving = session;
    this.#tabs.post({ kind: "signing-out", ...(session && { session }) });
  }

  /** Ends the session here and, if there may have been one, in the other tabs. */
  #end(found: "never" | "signed-out" | "expired"): void {
    const session = this.#held?.session;
    const at = this.#now();
    // Another call may tell of a sign-out before its own answer is there.
    const wanted = found === "expired" && session !== undefined && session === this.#leaving;
    const why = wanted ? "signed-out" : found;
    this.#forget(why, at);
    if (why === "never") return;
    this.#tabs.post({ kind: "signed-out", why, at, ...(session && { session }) });
  }

  #forget(why: "never" | "signed-out" | "expired", at: number): void {
    this.#held = undefined;
    this.#learntAt = at;
    this.#become({ kind: "signed-out", why });
  }

  #heard(message: Message): void {
    switch (message.kind) {
      case "ask":
        answer(this.#tabs, message.from, this.#worthGiving());
        break;
      case "credentials":
        this.#adoptIfNewer(message.credentials);
        break;
      case "signing-out":
        this.#leaving = message.session;
        break;
      case "signed-out":
        if (this.#held && (message.session ?? this.#held.session) === this.#held.session) {
          this.#forget(message.why, message.at);
        }
    }
  }

  #become(state: SessionState): void {
    const before = this.#state;
    if (JSON.stringify(state) === JSON.stringify(before)) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      try {
        listener(state, before);
      } catch (error) {
        // The listener's own fault: told to the page, not to whoever signs in.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

function aborted(): ConnectError {
  return new ConnectError("Please try again.", Code.Aborted);
}

/** Fields of messages may be absent by type; these never are. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new ConnectError("incomplete answer", Code.Internal);
  return value;
}
