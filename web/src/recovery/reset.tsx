// `/reset#token=…`: sets a new password by the link of a mail, which signs the
// account out everywhere.

import { useState } from "preact/hooks";
import {
  type Fault,
  needed,
  PasswordField,
  StrengthLine,
  SubmitButton,
  Summary,
  useSubmit,
} from "../account/form.tsx";
import { strengthOf } from "../account/strength.ts";
import { welcome } from "../account/welcome.tsx";
import { route } from "../address.ts";
import { duet, session } from "../duet.ts";
import { Heading } from "../ui/heading.tsx";
import { saySoon } from "../ui/toasts.tsx";
import { DeadLink } from "./dead.tsx";
import { useLinkToken } from "./link.ts";

const CAUSES = ["it is older than 30 minutes", "the password was set by another one since"];

export function Reset() {
  const token = useLinkToken();
  return token === "" ? <Dead token="" /> : <NewPassword key={token} token={token} />;
}

function NewPassword({ token }: { token: string }) {
  const [password, setPassword] = useState("");
  const check = (): Fault[] => needed("new_password", password, "Enter a new password.");
  const submit = useSubmit(check, async () => {
    await duet.mailed.resetPassword({ token, newPassword: password });
    await leave();
  });
  if (submit.failure?.reason === "MAIL_TOKEN_INVALID") return <Dead token={token} />;
  return (
    <div class="screen narrow">
      <Heading text="Set a new password" />
      <p>You are signed out on all your devices, and sign in with the new password.</p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <PasswordField
          name="new_password"
          label="New password"
          autoComplete="new-password"
          value={password}
          onInput={setPassword}
          faults={submit.faults}
        />
        <StrengthLine strength={password === "" ? undefined : strengthOf(password, [])} />
        <SubmitButton text="Set the password" submit={submit} />
      </form>
    </div>
  );
}

/** Whoever is signed in here with that account is not any more: asking tells. */
async function leave(): Promise<void> {
  if (session.peek().kind === "signed-in") await duet.account.getUser({}).catch(() => undefined);
  if (session.peek().kind === "signed-in") {
    // It is another account that is open here, which has nothing to do with it.
    saySoon("The new password is set.");
    route("/tasks", true);
    return;
  }
  welcome.value = "Your new password is set. Sign in with it.";
  route("/signin", true);
}

function Dead({ token }: { token: string }) {
  return (
    <DeadLink token={token} causes={CAUSES}>
      {token !== "" && (
        <p>
          If you have set it already, <a href="/signin">sign in</a>.
        </p>
      )}
      <p>
        <a href="/forgot">Ask for a new mail</a>
      </p>
    </DeadLink>
  );
}
