// What the session of a browser is to the page, without how it does that.

import type { Challenge } from "./gen/auth/v1/factor_pb.ts";
import type { User } from "./gen/auth/v1/user_pb.ts";

export type SessionState =
  | { kind: "unknown" }
  | { kind: "signed-out"; why: "never" | "signed-out" | "expired" }
  | { kind: "signed-in"; userId: string; email: string; session: string };

export type SessionListener = (state: SessionState, before: SessionState) => void;

/** A code of a second factor. */
export type SecondFactorCode =
  /** Six digits of an authenticator. */
  | { case: "totpCode"; value: string }
  | { case: "recoveryCode"; value: string }
  /** What a passkey answered its options with, as JSON. */
  | { case: "passkeyAssertion"; value: string };

/** What shows again who one is; the code only if there is a second factor. */
export interface RecentProof {
  password: string;
  code?: SecondFactorCode;
}

export interface Session {
  readonly state: SessionState;
  /** Calls `listener` whenever the state changes, until the returned function is called. */
  subscribe(listener: SessionListener): () => void;
  /**
   * Finds out whether this browser has a session: another tab's token first,
   * then the cookie. Asks only while the state is unknown. Rejects if nobody
   * could tell (the service is not reached, or has a fault); the state stays
   * unknown then, and `start` may be called again.
   */
  start(): Promise<SessionState>;
  /**
   * Makes an account and signs in, in all tabs. Nobody is signed in where the
   * service does not tell who has an account: a mail says how to go on then.
   */
  signUp(account: {
    email: string;
    password: string;
    displayName?: string;
  }): Promise<User | undefined>;
  /**
   * Signs in, in all tabs. If a second factor is asked for, it resolves with the
   * challenge, and nobody is signed in before `completeSignIn`.
   */
  signIn(account: { email: string; password: string }): Promise<Challenge | undefined>;
  /** Ends a sign-in that asked for a second factor. */
  completeSignIn(challenge: { token: string }, code: SecondFactorCode): Promise<User>;
  /**
   * Shows again who one is, for what could cost the account. Every call after
   * it carries a token that says so, in all tabs.
   */
  reauthenticate(proof: RecentProof): Promise<void>;
  /**
   * Ends the session on the server and signs out every tab. In cookie mode
   * only the server can take the cookie away: if it is not reached, this
   * rejects and everybody stays signed in, because "signed out" would be
   * untrue for whoever reloads the page. In memory mode forgetting the token
   * is enough, so this signs out in any case.
   */
  signOut(): Promise<void>;
  /**
   * Makes a call that ends the session by itself, such as one that deletes the
   * account, and signs out every tab once it is answered. If it fails, everybody
   * stays signed in; unless the session was over already, which has expired then.
   */
  endBy<T>(call: () => Promise<T>): Promise<T>;
  /** A good access token, refreshed if need be: one refresh for all tabs. */
  token(): Promise<string>;
}
