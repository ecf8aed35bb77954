// `/settings/password`: another password, which ends every other session.

import { useState } from "preact/hooks";
import {
  type Fault,
  faultsOf,
  needed,
  PasswordField,
  StrengthLine,
  SubmitButton,
  Summary,
  useSubmit,
} from "../account/form.tsx";
import { strengthOf } from "../account/strength.ts";
import { displayName, duet, session } from "../duet.ts";
import { Frame } from "./frame.tsx";
import { withRecentProof } from "./proof.tsx";

export function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [changed, setChanged] = useState(false);
  const state = session.value;
  const email = state.kind === "signed-in" ? state.email : "";
  const check = (): Fault[] => {
    setChanged(false);
    return [
      ...needed("current_password", current, "Enter your current password."),
      ...needed("new_password", next, "Enter a new password."),
    ];
  };
  const submit = useSubmit(
    check,
    async () => {
      const passwords = { currentPassword: current, newPassword: next };
      await withRecentProof(() => duet.account.changePassword(passwords), current);
      setCurrent("");
      setNext("");
      setChanged(true);
    },
    (failure) => {
      if (failure.reason !== "INVALID_CREDENTIALS") return faultsOf(failure);
      return [{ field: "current_password", text: "This is not your current password." }];
    },
  );
  return (
    <Frame title="Password">
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        {/* Tells password managers whose password this is. */}
        <input type="email" name="username" autoComplete="username" value={email} readOnly hidden />
        <PasswordField
          name="current_password"
          label="Current password"
          autoComplete="current-password"
          value={current}
          onInput={setCurrent}
          faults={submit.faults}
        />
        <PasswordField
          name="new_password"
          label="New password"
          autoComplete="new-password"
          value={next}
          onInput={setNext}
          faults={submit.faults}
        />
        <StrengthLine
          strength={next === "" ? undefined : strengthOf(next, [email, displayName.value])}
        />
        <SubmitButton text="Change password" submit={submit} />
        <p role="status" class="said">
          {changed && "Password changed. Your other devices were signed out."}
        </p>
      </form>
    </Frame>
  );
}
