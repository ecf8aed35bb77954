// What happened to an account, in words, by the kinds that the service knows.

interface Words {
  readonly text: string;
  /** Whether its owner should look twice. */
  readonly unusual?: boolean;
}

const KINDS: Readonly<Record<string, Words>> = {
  sign_up: { text: "Account made" },
  sign_in: { text: "Signed in" },
  "sign_in.challenged": { text: "Password right, second factor asked for" },
  "sign_in.refused": { text: "Sign-in refused: wrong password or code", unusual: true },
  "sign_in.throttled": { text: "Sign-ins slowed down: too many were wrong", unusual: true },
  sign_out: { text: "Signed out" },
  reauthenticated: { text: "Password confirmed" },
  "reauthentication.refused": { text: "Password or code not confirmed", unusual: true },
  "session.revoked": { text: "A device was signed out" },
  "session.reused": { text: "A copied sign-in was used and ended", unusual: true },
  "session.displaced": { text: "An old device was signed out: there were too many" },
  "password.changed": { text: "Password changed" },
  "password.refused": { text: "Wrong password on a device that is signed in", unusual: true },
  "password.throttled": { text: "Passwords slowed down: too many were wrong", unusual: true },
  "password.reset": { text: "Password set by mail", unusual: true },
  "email.verified": { text: "Email verified" },
  "email.change_requested": { text: "Another email asked for", unusual: true },
  "email.change_agreed": { text: "One address agreed to another email", unusual: true },
  "email.changed": { text: "Email changed", unusual: true },
  "factor.added": { text: "Second factor added" },
  "factor.removed": { text: "Second factor removed", unusual: true },
  "recovery_codes.made": { text: "New recovery codes made" },
  "user.updated": { text: "Name changed" },
  "user.exported": { text: "Data taken out" },
  "admin.user.imported": { text: "Account brought in by an operator" },
  "admin.user.suspended": { text: "Account closed by an operator", unusual: true },
  "admin.user.reinstated": { text: "Account opened again by an operator" },
  "admin.factors.dropped": { text: "Second factors removed by an operator", unusual: true },
  "admin.user.made_operator": { text: "Made an operator", unusual: true },
  "admin.user.revoked_operator": { text: "No longer an operator", unusual: true },
};

/** A newer service may tell of more kinds. */
export function inWords(kind: string): Words {
  return KINDS[kind] ?? { text: kind.replaceAll(/[._]/g, " ") };
}
