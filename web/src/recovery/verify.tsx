// `/verify#token=…`: confirms what a mail asked: that an address is one's own,
// or that the account shall have another. Nothing happens before one says so,
// because programs that look mails over follow links, too.

import { VerifyEmailOutcome as Outcome } from "duet-client";
import { useState } from "preact/hooks";
import { SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet, readUser, session } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { Said } from "../ui/said.tsx";
import { DeadLink } from "./dead.tsx";
import { useLinkToken } from "./link.ts";

const SAID: Record<Outcome, string> = {
  [Outcome.UNSPECIFIED]: "It is confirmed.",
  [Outcome.VERIFIED]: "Your address is verified.",
  [Outcome.CHANGED]:
    "Your account has its new address, with which you sign in from now on. Your other devices were signed out.",
  [Outcome.AGREED]:
    "You agreed to the change. The account has its new address once the other address has agreed, too: look for its mail.",
};

const CAUSES = [
  "it is older than 24 hours",
  "another one was used, or asked for, since",
  "whoever asked for it was signed out or changed the password since; then ask again",
];

export function Verify() {
  const token = useLinkToken();
  return token === "" ? <Dead token="" /> : <Confirm key={token} token={token} />;
}

function Confirm({ token }: { token: string }) {
  const [outcome, setOutcome] = useState<Outcome>();
  const submit = useSubmit(
    () => [],
    async () => {
      const { outcome } = await duet.mailed.verifyEmail({ token });
      setOutcome(outcome);
      if (session.peek().kind === "signed-in") void readUser();
    },
  );
  if (submit.failure?.reason === "MAIL_TOKEN_INVALID") return <Dead token={token} />;
  if (outcome !== undefined) return <Confirmed outcome={outcome} />;
  return (
    <div class="screen narrow">
      <Heading text="Please confirm" />
      <p>The mail says what for. Confirm only if it was you who asked.</p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <SubmitButton text="Confirm" submit={submit} />
      </form>
    </div>
  );
}

function Confirmed({ outcome }: { outcome: Outcome }) {
  return (
    <div class="screen narrow">
      <Heading text="Thank you" />
      <Said>{SAID[outcome] ?? SAID[Outcome.UNSPECIFIED]}</Said>
      <p>
        <Onward />
      </p>
    </div>
  );
}

function Dead({ token }: { token: string }) {
  return (
    <DeadLink token={token} causes={CAUSES}>
      <p>If you have confirmed before, all is well. Otherwise have another mail sent.</p>
      <p>
        {session.value.kind === "signed-in" ? (
          <a href="/settings/profile">To the profile</a>
        ) : (
          <Onward />
        )}
      </p>
    </DeadLink>
  );
}

function Onward() {
  return session.value.kind === "signed-in" ? (
    <a href="/tasks">To your tasks</a>
  ) : (
    <a href="/signin">Sign in</a>
  );
}
