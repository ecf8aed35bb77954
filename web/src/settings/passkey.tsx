// Adding a passkey: the browser makes it, and nothing changes before the service has
// found it good. One whose answer was lost is confirmed again and not made again.

import { type Failure, failureOf } from "duet-client";
import { useRef, useState } from "preact/hooks";
import { type Fault, faultsOf, Field, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { usePasskey } from "../account/passkey.tsx";
import { duet } from "../duet.ts";
import type { AddProps } from "./authenticator.tsx";
import { withRecentProof } from "./proof.tsx";
import { MAY_BE_ADDED, MAY_BE_DONE } from "./recovery-codes.tsx";

/** The id of its field: there is another one for names on the screen. */
const NAME = "passkey_name";

/** What was made and is not known to be confirmed. */
interface Made {
  readonly name: string;
  readonly credential: string;
  /** Whether there was no factor before. */
  readonly first: boolean;
}

interface Props extends AddProps {
  /** Whether there is no passkey yet. */
  none: boolean;
}

export function AddPasskey({ first, none, added, lost, found }: Props) {
  const [displayName, setDisplayName] = useState("");
  const made = useRef<Made | undefined>(undefined);
  const make = usePasskey("make");
  const read = (failure: Failure): Fault[] => {
    const begun = made.current;
    if (begun && failure.unreachable) {
      lost();
      const text = `${failure.message} ${begun.first ? MAY_BE_DONE : MAY_BE_ADDED}`;
      return [{ field: "", text }];
    }
    return faultsOf(failure).map(({ field, ...fault }) => ({
      ...fault,
      field: field === "display_name" ? NAME : "",
    }));
  };
  const confirm = async (): Promise<void> => {
    const again = made.current !== undefined;
    made.current ??= await begun(first, make);
    const { name, credential, first: brings } = made.current;
    try {
      const given = { name, displayName, credential };
      const { recoveryCodes } = await duet.account.confirmPasskeyEnrollment(given);
      made.current = undefined;
      setDisplayName("");
      added(displayName, recoveryCodes);
    } catch (error) {
      const failure = failureOf(error);
      if (failure.unreachable || isOfName(failure)) throw error;
      made.current = undefined;
      // It is added, or too late: the list tells which.
      if (!again || failure.reason !== "FIELD_INVALID") throw error;
      found(brings);
    }
  };
  const submit = useSubmit(() => [], confirm, read);
  return (
    <section aria-labelledby="add-passkey">
      <h2 id="add-passkey">{none ? "Add a passkey" : "Add another passkey"}</h2>
      <p>
        With a passkey you confirm as you unlock this device, or with a security key. It works at
        this address only: no other page can have it from you.
      </p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name={NAME}
          label="What you call the passkey (optional)"
          hint="Such as “Laptop”."
          autoComplete="off"
          value={displayName}
          onInput={setDisplayName}
          faults={submit.faults}
        />
        <SubmitButton text="Add a passkey" submit={submit} />
      </form>
    </section>
  );
}

/** Has the browser make one for this account. */
async function begun(first: boolean, make: (options: string) => Promise<string>): Promise<Made> {
  const call = () => duet.account.beginPasskeyEnrollment({});
  const { name, creationOptions } = await withRecentProof(call);
  return { name, credential: await make(creationOptions), first };
}

function isOfName({ fields }: Failure): boolean {
  return fields.some(({ field }) => field === "display_name");
}
