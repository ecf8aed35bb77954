// `/settings/delete`: the end of the account. Says what goes, wants the address
// typed in, and leaves for `/receipt`, which is all that is left then.

import { useEffect, useRef, useState } from "preact/hooks";
import { failureOf } from "duet-client";
import { type Fault, Field, needed, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { parting } from "../account/next.ts";
import { welcome } from "../account/welcome.tsx";
import { route } from "../address.ts";
import { duet, session, user } from "../duet.ts";
import { receiptCode } from "../recovery/code.ts";
import { Frame } from "./frame.tsx";
import { withRecentProof } from "./proof.tsx";

const MAY_BE_GONE = "Your account may be deleted already; then its receipt is in your mail.";

export function Delete() {
  const [typed, setTyped] = useState("");
  // The same request twice deletes once, and answers the same.
  const request = useRef(crypto.randomUUID());
  /** Whether it may be done: it was asked for, and nobody said that it was not. */
  const asked = useRef(false);
  const left = useRef(false);
  useEffect(
    () => () => {
      left.current = true;
      // Who leaves without having to finds out in another way.
      if (session.peek().kind === "signed-in") welcome.value = "";
    },
    [],
  );
  const state = session.value;
  const email = user.value?.email ?? (state.kind === "signed-in" ? state.email : "");
  const check = (): Fault[] => {
    const missing = needed("email", typed, "Enter the email of your account.");
    const other = typed.trim().toLowerCase() !== email.toLowerCase();
    if (missing.length > 0 || !other) return missing;
    return [{ field: "email", text: "This is not the email of your account." }];
  };
  const submit = useSubmit(check, async () => {
    const wish = { email: typed.trim(), requestId: request.current };
    await withRecentProof(async () => {
      // The live feed may end before the answer is here.
      parting.value = true;
      welcome.value = "";
      const before = asked.current;
      let sent = false;
      try {
        const { receiptToken } = await duet.session.endBy(() => {
          sent = true;
          return duet.account.deleteUser(wish);
        });
        receiptCode.value = receiptToken;
        route("/receipt", true);
      } catch (error) {
        const over = session.peek().kind !== "signed-in";
        // That the session is over is the work of one that was sent before, if of any.
        asked.current = failureOf(error).unreachable ? before || sent : before && over;
        // For the sign-in page, to which it leads now or, who stays, when the session is
        // found to be over; nobody else may read it there.
        if (asked.current && (over || !left.current)) welcome.value = MAY_BE_GONE;
        throw error;
      } finally {
        parting.value = false;
      }
    });
  });
  return (
    <Frame title="Delete account">
      <p>
        Your account and everything in it is erased: tasks, lists, what is in the bin, devices,
        activity. At once nobody can sign in with it any more. It cannot be undone, not even by us.
      </p>
      <p>
        To keep a copy, <a href="/settings/export">take your data out</a> first.
      </p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <p>
          Type <strong>{email}</strong> to say that you mean it.
        </p>
        <Field
          name="email"
          label="Email of this account"
          type="email"
          autoComplete="off"
          value={typed}
          onInput={setTyped}
          faults={submit.faults}
        />
        <SubmitButton text="Delete my account" submit={submit} />
      </form>
    </Frame>
  );
}
