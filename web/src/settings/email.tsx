// The address of the account: whether it is verified, and how to change it.
// Either is done by a mail; what it says is confirmed at `/verify`.

import { useEffect, useState } from "preact/hooks";
import { type Fault, Field, needed, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet, readUser, session, user } from "../duet.ts";
import { visit } from "../visit.ts";
import { withRecentProof } from "./proof.tsx";

export function Email() {
  const account = user.value;
  const state = session.value;
  // Mails are confirmed in another tab, or on another device.
  useEffect(() => void (visit.value > 0 && readUser()), [visit.value]);
  return (
    <>
      <dl>
        <dt>Email</dt>
        <dd>
          {account?.email ?? (state.kind === "signed-in" ? state.email : "")}{" "}
          {account?.emailVerified && <span class="mark">Verified</span>}
        </dd>
      </dl>
      {account && !account.emailVerified && <Unverified email={account.email} />}
      <details>
        <summary>Change the email</summary>
        <Change />
      </details>
    </>
  );
}

function Unverified({ email }: { email: string }) {
  const [sent, setSent] = useState(false);
  const submit = useSubmit(
    () => [],
    async () => {
      setSent(false);
      await duet.account.requestEmailVerification({});
      setSent(true);
    },
  );
  return (
    <form novalidate class="notice" onSubmit={submit.onSubmit}>
      <p>
        This address is not verified yet. Please follow the link in the mail that was sent to it.
      </p>
      <Summary submit={submit} />
      <SubmitButton text="Send the mail again" submit={submit} />
      <p role="status" class="said">
        {sent && `A mail is on its way to ${email}.`}
      </p>
    </form>
  );
}

function Change() {
  const [email, setEmail] = useState("");
  const [asked, setAsked] = useState("");
  const check = (): Fault[] => {
    setAsked("");
    return needed("new_email", email, "Enter the new email.");
  };
  const submit = useSubmit(check, async () => {
    await withRecentProof(() => duet.account.requestEmailChange({ newEmail: email }));
    setAsked(email);
    setEmail("");
  });
  return (
    <form novalidate onSubmit={submit.onSubmit}>
      <Summary submit={submit} />
      <Field
        name="new_email"
        label="New email"
        type="email"
        autoComplete="email"
        value={email}
        onInput={setEmail}
        faults={submit.faults}
      />
      <SubmitButton text="Ask both addresses" submit={submit} />
      <p role="status" class="said">
        {asked &&
          `Mails are on their way to your address and to ${asked}. When both have agreed, the account has the new one.`}
      </p>
    </form>
  );
}
