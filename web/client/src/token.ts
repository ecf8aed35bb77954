// What this client reads of an access token: who it is about, and how long it
// is good. Nothing is verified here; that is the services' part.
//
// The clock of this machine may be wrong, so `exp` is never compared with it:
// a token is good for `exp` minus `iat` from the moment it was received.

/** What one sign-in or refresh brought, as tabs hand it to each other. */
export interface Credentials {
  accessToken: string;
  /** Empty in cookie mode. */
  refreshToken: string;
  /** When it was received, by the clock that all tabs of this machine share. */
  receivedAt: number;
}

/** Credentials together with what their access token says. */
export interface Held extends Credentials {
  userId: string;
  email: string;
  /** Resource name of the session. */
  session: string;
  lifetimeMs: number;
}

interface Claims {
  sub: string;
  sid: string;
  email: string;
  iat: number;
  exp: number;
}

const EARLY_MS = 30_000;
const EARLY_SHARE = 0.2;

/** Reads the access token (RFC 9068) of credentials. Throws if it is no JWT. */
export function hold(credentials: Credentials): Held {
  const { sub, sid, email, iat, exp } = claimsOf(credentials.accessToken);
  return {
    ...credentials,
    userId: sub,
    email,
    session: `users/${sub}/sessions/${sid}`,
    lifetimeMs: (exp - iat) * 1000,
  };
}

/**
 * Whether the access token should still be used: until 30 s before its end, or
 * a fifth of its lifetime if that is less. A clock that was set back makes the
 * age negative, which tells nothing; such a token is not fresh.
 */
export function isFresh({ receivedAt, lifetimeMs }: Held, now: number): boolean {
  const age = now - receivedAt;
  return age >= 0 && age < lifetimeMs - Math.min(EARLY_MS, lifetimeMs * EARLY_SHARE);
}

function claimsOf(jwt: string): Claims {
  const payload = (jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Claims;
}
