// `/signup`: makes an account and opens its first session; or says that a mail
// goes on with it, where nobody is told who has an account.

import { useAddress } from "../address.ts";
import { useState } from "preact/hooks";
import { duet } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { Said } from "../ui/said.tsx";
import {
  type Fault,
  faultsOf,
  Field,
  needed,
  PasswordField,
  StrengthLine,
  SubmitButton,
  Summary,
  useSubmit,
} from "./form.tsx";
import { entrance } from "./next.ts";
import { typedEmail } from "./signin.tsx";
import { strengthOf } from "./strength.ts";

export function SignUp() {
  const { query } = useAddress();
  const signIn = entrance("/signin", query["next"]);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [mailed, setMailed] = useState(false);
  const email = typedEmail.value;
  const check = (): Fault[] => [
    ...needed("email", email, "Enter your email."),
    ...needed("password", password, "Enter a password."),
  ];
  const submit = useSubmit(
    check,
    async () => {
      if (await duet.session.signUp({ email, password, displayName: name })) typedEmail.value = "";
      else setMailed(true);
    },
    (failure) => {
      if (failure.reason !== "EMAIL_ALREADY_REGISTERED") return faultsOf(failure);
      return [
        { field: "email", text: failure.message, more: <a href={signIn}>Sign in instead</a> },
      ];
    },
  );
  if (mailed) {
    return (
      <div class="screen narrow">
        <Heading text="Create your account" />
        <Said>
          Look into your mail: one to {email} says how to go on. The link in it is good for 24
          hours.
        </Said>
      </div>
    );
  }
  return (
    <div class="screen narrow">
      <Heading text="Create your account" />
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
        <Field
          name="display_name"
          label="Name (optional)"
          autoComplete="name"
          value={name}
          onInput={setName}
          faults={submit.faults}
        />
        <PasswordField
          name="password"
          label="Password"
          autoComplete="new-password"
          value={password}
          onInput={setPassword}
          faults={submit.faults}
        />
        <StrengthLine
          strength={password === "" ? undefined : strengthOf(password, [email, name])}
        />
        <SubmitButton text="Create account" submit={submit} />
      </form>
      <p class="aside">
        Here before? <a href={signIn}>Sign in</a>
      </p>
    </div>
  );
}
