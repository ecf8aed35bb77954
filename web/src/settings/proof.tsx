// Showing again who one is, where a call that could cost the account wants a
// recent proof: asks in a dialog, and the call goes on by itself. Whoever cancels
// finds everything as it was.

import { signal } from "@preact/signals";
import { Code, ConnectError, FactorKind, failureOf } from "duet-client";
import { useEffect, useId, useState } from "preact/hooks";
import { bare, checkCode, CodeField, codeFaults, NO_CODE } from "../account/code.tsx";
import {
  type Fault,
  needed,
  PasswordField,
  SubmitButton,
  Summary,
  useSubmit,
} from "../account/form.tsx";
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
 * given. Rejects with `Code.Canceled` if the person gave up; `useSubmit` takes
 * that for no fault. Works on every screen with a `Frame`.
 */
export async function withRecentProof<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (failureOf(error).reason !== "REAUTHENTICATION_REQUIRED") throw error;
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
  const [typed, setTyped] = useState(NO_CODE);
  const [kinds, setKinds] = useState<readonly FactorKind[]>([]);
  const asksCode = kinds.length > 0;
  useEffect(() => {
    duet.account.listFactors({}).then(
      ({ factors }) => setKinds(factors.map(({ kind }) => kind)),
      // The service says so if a code is missing.
      () => undefined,
    );
  }, []);
  const check = (): Fault[] => [
    ...needed(PASSWORD, password, "Enter your password."),
    ...(asksCode ? here(checkCode(typed)) : []),
  ];
  const submit = useSubmit(
    check,
    async () => {
      await duet.session.reauthenticate({ password, ...(asksCode && { code: bare(typed) }) });
      settle(true);
    },
    (failure) => {
      if (failure.reason === "INVALID_CREDENTIALS") {
        return [{ field: PASSWORD, text: "This is not your password." }];
      }
      if (failure.fields.some(({ field }) => field === "totp_code") && !asksCode) {
        setKinds([FactorKind.TOTP, FactorKind.RECOVERY_CODES]);
      }
      return here(codeFaults(failure, typed));
    },
  );
  const state = session.value;
  return (
    <Dialog titled={title} closed={() => settle(false)}>
      <h2 id={title}>Confirm that it is you</h2>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
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
          faults={submit.faults}
        />
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
          <SubmitButton text="Confirm" submit={submit} />
          <button type="button" class="secondary" onClick={() => settle(false)}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
