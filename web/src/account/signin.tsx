// `/signin`: opens a session, in two steps where there is a second factor; says
// why the last one ended.

import { signal } from "@preact/signals";
import type { Challenge } from "duet-client";
import { useAddress } from "../address.ts";
import { useEffect, useState } from "preact/hooks";
import { duet, session } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import {
  type Fault,
  Field,
  needed,
  PasswordField,
  SubmitButton,
  Summary,
  useSubmit,
} from "./form.tsx";
import { entrance } from "./next.ts";
import { PATIENCE_MS, SecondStep } from "./second-step.tsx";
import { Welcome, welcome } from "./welcome.tsx";

/** What was typed as an e-mail, here or at sign-up. */
export const typedEmail = signal("");

export function SignIn() {
  const [step, setStep] = useState<{ challenge: Challenge; until: number }>();
  const [why, setWhy] = useState<string>();
  const back = (reason?: string): void => {
    setWhy(reason);
    setStep(undefined);
  };
  const done = (): void => void (typedEmail.value = "");
  if (step) return <SecondStep {...step} back={back} done={done} />;
  const next = (challenge: Challenge): void =>
    setStep({ challenge, until: Date.now() + PATIENCE_MS });
  return <FirstStep why={why} next={next} done={done} />;
}

interface Props {
  /** Why one is here again. */
  why: string | undefined;
  /** The password is right, and a code is asked for. */
  next: (challenge: Challenge) => void;
  done: () => void;
}

function FirstStep({ why, next, done }: Props) {
  const { query } = useAddress();
  const [password, setPassword] = useState("");
  const email = typedEmail.value;
  const state = session.value;
  // Who set a new password, or deleted the account, knows why the session is over.
  const expired = state.kind === "signed-out" && state.why === "expired" && welcome.value === "";
  useEffect(() => {
    if (why !== undefined) document.getElementById("password")?.focus();
  }, []);
  const check = (): Fault[] => [
    ...needed("email", email, "Enter your email."),
    ...needed("password", password, "Enter a password."),
  ];
  const submit = useSubmit(check, async () => {
    const challenge = await duet.session.signIn({ email, password });
    if (challenge) next(challenge);
    else done();
  });
  const notice = expired && "Session expired. Sign in again, and you are back where you were.";
  return (
    <div class="screen narrow">
      <Heading text="Sign in" />
      <Welcome />
      {(why ?? notice) && (
        <p role="status" class="notice">
          {why ?? notice}
        </p>
      )}
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name="email"
          label="Email"
          type="email"
          autoComplete="username"
          value={email}
          onInput={(value) => (typedEmail.value = value)}
          faults={submit.faults}
        />
        <PasswordField
          name="password"
          label="Password"
          autoComplete="current-password"
          value={password}
          onInput={setPassword}
          faults={submit.faults}
        />
        <SubmitButton text="Sign in" submit={submit} />
      </form>
      <p class="aside">
        <a href="/forgot">Forgot your password?</a>
      </p>
      <p class="aside">
        New here? <a href={entrance("/signup", query["next"])}>Create an account</a>
      </p>
    </div>
  );
}
