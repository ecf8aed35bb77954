// The second step of a sign-in: a passkey, or the code of a second factor, for as
// long as the service waits for it. Whatever ends it leads back to the password, and says why.

import type { Challenge, Failure, SecondFactorCode } from "duet-client";
import { useEffect, useId, useState } from "preact/hooks";
import { duet } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { useSeconds } from "../ui/seconds.ts";
import { bare, checkCode, CodeField, codeFaults, focusIn, haveCodes, noCode } from "./code.tsx";
import { type Fault, SubmitButton, Summary, useSubmit } from "./form.tsx";
import { answered, knowsPasskeys, PasskeyButton, passkeyFaults, usePasskey } from "./passkey.tsx";

/**
 * How long the service waits for a code. The contract says so; `expire_time`
 * would have to be compared with the clock of this machine, which may be wrong.
 */
export const PATIENCE_MS = 5 * 60_000;

const TOO_LATE = "That took too long. Please enter your password again.";

interface Props {
  challenge: Challenge;
  /** When the service stops waiting, by `Date.now()`. */
  until: number;
  /** Back to the password; with a word on why, unless one wanted to. */
  back: (why?: string) => void;
  /** Somebody is signed in. */
  done: () => void;
}

export function SecondStep({ challenge, until, back, done }: Props) {
  const id = useId();
  const passkeys = challenge.passkeyOptions !== "" && knowsPasskeys();
  const left = useSeconds(until);
  useEffect(() => focusIn(id), []);
  useEffect(() => {
    if (left === 0) back(TOO_LATE);
  }, [left === 0]);
  return (
    <div id={id} class="screen narrow">
      <Heading text={title(passkeys, haveCodes(challenge.factorKinds))} />
      <p>Your password is right. This account asks for a second factor, too.</p>
      <CodeForm {...{ challenge, passkeys, back, done }} />
      <TimeLeft seconds={left} />
      <button type="button" class="quiet" onClick={() => back()}>
        Back to the password
      </button>
    </div>
  );
}

function title(passkeys: boolean, codes: boolean): string {
  if (!codes) return "Use a passkey";
  return passkeys ? "Use a passkey or a code" : "Enter your code";
}

interface FormProps extends Omit<Props, "until"> {
  /** Whether a passkey may be asked for. */
  passkeys: boolean;
}

function CodeForm({ challenge, passkeys, back, done }: FormProps) {
  const { factorKinds, passkeyOptions } = challenge;
  const [typed, setTyped] = useState(() => noCode(factorKinds));
  const ask = usePasskey("answer");
  const complete = async (code: SecondFactorCode): Promise<void> => {
    await duet.session.completeSignIn(challenge, code);
    done();
  };
  const read = (failure: Failure, faults: Fault[]): Fault[] => {
    if (failure.reason !== "CHALLENGE_INVALID") return faults;
    back(failure.message);
    return [];
  };
  const submit = useSubmit(
    () => checkCode(typed),
    () => complete(bare(typed)),
    (failure) => read(failure, codeFaults(failure, typed)),
  );
  const passkey = useSubmit(
    () => [],
    async () => complete(answered(await ask(passkeyOptions))),
    (failure) => read(failure, passkeyFaults(failure)),
  );
  return (
    <form
      novalidate
      onSubmit={(event) => {
        passkey.clear();
        submit.onSubmit(event);
      }}
    >
      <Summary submit={passkey.faults.length > 0 ? passkey : submit} />
      {passkeys && <PasskeyButton submit={passkey} codes={submit} />}
      {haveCodes(factorKinds) && (
        <>
          <CodeField typed={typed} onTyped={setTyped} kinds={factorKinds} submit={submit} />
          <SubmitButton text="Sign in" submit={submit} />
        </>
      )}
      {!haveCodes(factorKinds) && !passkeys && (
        <p>It asks for a passkey, which this browser cannot use. Please use another browser.</p>
      )}
    </form>
  );
}

/** Counts without being read out, but for the last minute. */
function TimeLeft({ seconds }: { seconds: number }) {
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return (
    <>
      <p class="aside" role="timer" aria-live="off">
        {clock} left
      </p>
      <div role="status" class="unseen">
        {seconds > 0 && seconds <= 60 && "Less than a minute is left for the code."}
      </div>
    </>
  );
}
