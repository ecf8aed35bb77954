// The second step of a sign-in: the code of a second factor, for as long as the
// service waits for it. Whatever ends it leads back to the password, and says why.

import type { Challenge } from "duet-client";
import { useEffect, useId, useState } from "preact/hooks";
import { duet } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { useSeconds } from "../ui/seconds.ts";
import { bare, checkCode, CodeField, codeFaults, focusIn, NO_CODE } from "./code.tsx";
import { SubmitButton, Summary, useSubmit } from "./form.tsx";

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
  const left = useSeconds(until);
  useEffect(() => focusIn(id), []);
  useEffect(() => {
    if (left === 0) back(TOO_LATE);
  }, [left === 0]);
  return (
    <div id={id} class="screen narrow">
      <Heading text="Enter your code" />
      <p>Your password is right. This account asks for a second factor, too.</p>
      <CodeForm {...{ challenge, back, done }} />
      <TimeLeft seconds={left} />
      <button type="button" class="quiet" onClick={() => back()}>
        Back to the password
      </button>
    </div>
  );
}

function CodeForm({ challenge, back, done }: Omit<Props, "until">) {
  const [typed, setTyped] = useState(NO_CODE);
  const submit = useSubmit(
    () => checkCode(typed),
    async () => {
      await duet.session.completeSignIn(challenge, bare(typed));
      done();
    },
    (failure) => {
      if (failure.reason !== "CHALLENGE_INVALID") return codeFaults(failure, typed);
      back(failure.message);
      return [];
    },
  );
  return (
    <form novalidate onSubmit={submit.onSubmit}>
      <Summary submit={submit} />
      <CodeField typed={typed} onTyped={setTyped} kinds={challenge.factorKinds} submit={submit} />
      <SubmitButton text="Sign in" submit={submit} />
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
