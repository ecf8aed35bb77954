// `/forgot`: has a mail sent with which the password can be set anew. Says the
// same whether the address has an account or not.

import { useState } from "preact/hooks";
import { type Fault, Field, needed, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { typedEmail } from "../account/signin.tsx";
import { duet } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { Said } from "../ui/said.tsx";

export function Forgot() {
  const [sent, setSent] = useState(false);
  const email = typedEmail.value;
  const check = (): Fault[] => needed("email", email, "Enter your email.");
  const submit = useSubmit(check, async () => {
    await duet.mailed.requestPasswordReset({ email });
    setSent(true);
  });
  return (
    <div class="screen narrow">
      <Heading text="Forgot your password?" />
      {sent ? (
        <Sent again={() => setSent(false)} />
      ) : (
        <>
          <p>Say which account it is, and you get a mail with a link to set a new password.</p>
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
            <SubmitButton text="Send the mail" submit={submit} />
          </form>
        </>
      )}
      <p class="aside">
        <a href="/signin">Back to sign-in</a>
      </p>
    </div>
  );
}

function Sent({ again }: { again: () => void }) {
  return (
    <>
      <Said>
        If this address has an account, a mail is on its way to it. The link in it is good for 30
        minutes. Look among the unwanted mails, too. If none comes, wait a while before you ask
        again.
      </Said>
      <p>
        <button type="button" class="secondary" onClick={again}>
          Send another mail
        </button>
      </p>
    </>
  );
}
