// Showing again who one is, where a call that could cost the account wants a
// recent proof: asks in a dialog, and the call goes on by itself. Whoever cancels
// finds everything as it was.

import { signal } from "@preact/signals";
import {
  Code,
  ConnectError,
  FactorKind,
  failureOf,
  type Failure,
  type SecondFactorCode,
} from "duet-client";
import { useEffect, useId, useState } from "preact/hooks";
import { bare, checkCode, CodeField, codeFaults, haveCodes, noCode } from "../account/code.tsx";
import {
  type Fault,
  needed,
  PasswordField,
  SubmitButton,
  Summary,
  useSubmit,
} from "../account/form.tsx";
import {
  answered,
  knowsPasskeys,
  PasskeyButton,
  passkeyFaults,
  usePasskey,
} from "../account/passkey.tsx";
import { duet, session } from "../duet.ts";
import { Dialog } from "../ui/dialog.tsx";

/** What the ids of the fields begin with: the screen below may have the same ones. */
const PREFIX = "proof_";
const PASSWORD = "proof_password";

/** What waits for the answer: whether there is a proof now. */
const waiting = signal<readonly ((proved: boolean) => void)[]>([]);

function settle(proved: boolean): void {
  const all = waiting.peek();
  waiting.value = [];
  for (const each of all) each(proved);
}

/**
 * Makes a call and, if it wants a recent proof, makes it again after one was
 * given. Where the screen has asked for the password already, `password` is the
 * proof if nothing else is wanted. Rejects with `Code.Canceled` if the person gave
 * up; `useSubmit` takes that for no fault. Works on every screen with a `Frame`.
 */
export async function withRecentProof<T>(call: () => Promise<T>, password?: string): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (failureOf(error).reason !== "REAUTHENTICATION_REQUIRED") throw error;
  }
  if (password !== undefined) {
    const { factorKinds } = await duet.account.beginReauthentication({});
    if (factorKinds.length === 0) {
      await duet.session.reauthenticate({ password });
      return call();
    }
  }
  const proved = await new Promise<boolean>((answer) => {
    waiting.value = [...waiting.peek(), answer];
  });
  if (!proved) throw new ConnectError("Given up.", Code.Canceled);
  return call();
}

/** The dialog, while there is something to prove. */
export function Proof() {
  // Who leaves the screen does not answer any more.
  useEffect(() => () => settle(false), []);
  return waiting.value.length > 0 ? <ProofDialog /> : null;
}

/** Faults beside the fields of the dialog. */
function here(faults: readonly Fault[]): Fault[] {
  return faults.map((fault) => ({ ...fault, field: fault.field && PREFIX + fault.field }));
}

function ProofDialog() {
  const title = useId();
  const [password, setPassword] = useState("");
  const [typed, setTyped] = useState(() => noCode([]));
  const [kinds, setKinds] = useState<readonly FactorKind[]>([]);
  const [passkeys, setPasskeys] = useState(false);
  const ask = usePasskey("answer");
  const asksCode = haveCodes(kinds);
  const look = async (): Promise<void> => {
    const { factorKinds, passkeyOptions } = await duet.account.beginReauthentication({});
    setKinds(factorKinds);
    setPasskeys(passkeyOptions !== "" && knowsPasskeys());
    setTyped(noCode(factorKinds));
  };
  useEffect(() => {
    // The service says so if a code is missing.
    look().catch(() => undefined);
  }, []);
  const check = (): Fault[] => needed(PASSWORD, password, "Enter your password.");
  const prove = async (code?: SecondFactorCode): Promise<void> => {
    await duet.session.reauthenticate({ password, ...(code && { code }) });
    settle(true);
  };
  const read = (failure: Failure, faults: Fault[]): Fault[] =>
    failure.reason === "INVALID_CREDENTIALS"
      ? [{ field: PASSWORD, text: "This is not your password." }]
      : faults;
  const submit = useSubmit(
    () => [...check(), ...(asksCode ? here(checkCode(typed)) : [])],
    () => prove(asksCode ? bare(typed) : undefined),
    (failure) => {
      if (failure.fields.some(({ field }) => field === "totp_code") && !asksCode) {
        look().catch(() => setKinds([FactorKind.TOTP, FactorKind.RECOVERY_CODES]));
      }
      return read(failure, here(codeFaults(failure, typed)));
    },
  );
  const passkey = useSubmit(
    check,
    async () => {
      // Those that came with the dialog may be too old by now.
      const { passkeyOptions } = await duet.account.beginReauthentication({});
      await prove(answered(await ask(passkeyOptions)));
    },
    (failure) => read(failure, passkeyFaults(failure)),
  );
  const shown = passkey.faults.length > 0 ? passkey : submit;
  const state = session.value;
  return (
    <Dialog titled={title} closed={() => settle(false)}>
      <h2 id={title}>Confirm that it is you</h2>
      <form
        novalidate
        onSubmit={(event) => {
          passkey.clear();
          submit.onSubmit(event);
        }}
      >
        <Summary submit={shown} />
        <input
          type="email"
          name="username"
          autoComplete="username"
          value={state.kind === "signed-in" ? state.email : ""}
          readOnly
          hidden
        />
        <PasswordField
          name={PASSWORD}
          label="Your password"
          autoComplete="current-password"
          value={password}
          onInput={setPassword}
          faults={shown.faults}
        />
        {passkeys && <PasskeyButton submit={passkey} codes={submit} />}
        {asksCode && (
          <CodeField
            typed={typed}
            onTyped={setTyped}
            kinds={kinds}
            submit={submit}
            prefix={PREFIX}
          />
        )}
        <div class="actions">
          {(asksCode || kinds.length === 0) && <SubmitButton text="Confirm" submit={submit} />}
          <button type="button" class="secondary" onClick={() => settle(false)}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
