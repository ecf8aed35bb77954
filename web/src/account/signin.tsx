// `/signin`: opens a session; says why the last one ended.

import { signal } from "@preact/signals";
import { useAddress } from "../address.ts";
import { useState } from "preact/hooks";
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

/** What was typed as an e-mail, here or at sign-up. */
export const typedEmail = signal("");

export function SignIn() {
  const { query } = useAddress();
  const [password, setPassword] = useState("");
  const email = typedEmail.value;
  const state = session.value;
  const check = (): Fault[] => [
    ...needed("email", email, "Enter your email."),
    ...needed("password", password, "Enter a password."),
  ];
  const submit = useSubmit(check, async () => {
    await duet.session.signIn({ email, password });
    typedEmail.value = "";
  });
  return (
    <div class="screen narrow">
      <Heading text="Sign in" />
      {state.kind === "signed-out" && state.why === "expired" && (
        <p role="status" class="notice">
          Session expired. Sign in again, and you are back where you were.
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
