// What the browser does with passkeys (WebAuthn Level 3): it makes one, or has one
// answer. Loaded when somebody asks for it, and so without anything of the rest of
// the page, which would be cut into more files for it.

/** JSON for the service, or why there is none. */
export type Outcome = { readonly json: string } | { readonly why: string };

/** Has a passkey answer PublicKeyCredentialRequestOptionsJSON. */
export function answer(options: string, signal: AbortSignal): Promise<Outcome> {
  const done = "No passkey was used: it was cancelled, or took too long.";
  return outcome(`${done} Please try again, or use a code.`, () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(read(options));
    return navigator.credentials.get({ publicKey, signal });
  });
}

/** Makes a passkey by PublicKeyCredentialCreationOptionsJSON. */
export function make(options: string, signal: AbortSignal): Promise<Outcome> {
  const done = "No passkey was added: it was cancelled, or took too long.";
  return outcome(`${done} Please try again.`, () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(read(options));
    return navigator.credentials.create({ publicKey, signal });
  });
}

/** `refused` is said where the person, or the device, would not. */
async function outcome(refused: string, ask: () => Promise<Credential | null>): Promise<Outcome> {
  try {
    const credential = await ask();
    if (credential) return { json: JSON.stringify((credential as PublicKeyCredential).toJSON()) };
    return { why: refused };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    // The texts of browsers are for programmers.
    console.info(`The browser says of the passkey: ${String(error)}`);
    return { why: name === "NotAllowedError" ? refused : (SAID[name] ?? OTHERWISE) };
  }
}

const SAID: Readonly<Record<string, string>> = {
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys do not work at the address at which this page is open.",
  NotSupportedError: "This device makes no passkeys that Duet could check.",
};
const OTHERWISE = "This browser could not use a passkey. Nothing has changed.";

function read<Options>(json: string): Options {
  return JSON.parse(json) as Options;
}
