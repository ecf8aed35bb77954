// A passkey as a second factor: whether this browser can use one, the button that
// asks for it, and what it answers. Nothing is asked before somebody presses it.

import { Code, ConnectError, type Failure, type SecondFactorCode } from "duet-client";
import { useEffect, useRef } from "preact/hooks";
import { type Fault, faultsOf, type Submit } from "./form.tsx";
import type { Outcome } from "./webauthn.ts";

type Ask = (options: string, signal: AbortSignal) => Promise<Outcome>;

/** Whether this browser reads what the service asks by. */
export function knowsPasskeys(): boolean {
  return "parseCreationOptionsFromJSON" in (window.PublicKeyCredential ?? {});
}

/** Asks the browser, until the component is gone. Rejects with a sentence if nothing comes of it. */
export function usePasskey(kind: "answer" | "make"): (options: string) => Promise<string> {
  const gone = useRef(new AbortController());
  useEffect(() => () => gone.current.abort(), []);
  return async (options) => {
    const part = await import("./webauthn.ts").catch(() => {
      throw refused("This part of the page could not be loaded. Please try again.");
    });
    const ask: Ask = part[kind];
    const outcome = await ask(options, gone.current.signal);
    if ("why" in outcome) throw refused(outcome.why);
    return outcome.json;
  };
}

function refused(why: string): ConnectError {
  return new ConnectError(why, Code.FailedPrecondition);
}

/** What a passkey answered, for the calls that take a code. */
export function answered(value: string): SecondFactorCode {
  return { case: "passkeyAssertion", value };
}

/** What the service finds wrong with the answer; there is no field that it is typed into. */
export function passkeyFaults(failure: Failure): Fault[] {
  const wrong = failure.reason === "CODE_INVALID";
  const text = "This passkey was not accepted. Please try again, or use another one or a code.";
  if (wrong) return [{ field: "", text }];
  return faultsOf(failure).map((fault) =>
    fault.field === "passkey_assertion" ? { ...fault, field: "" } : fault,
  );
}

interface Props {
  submit: Submit;
  /** That of the codes beside it, whose faults are over when this is tried. */
  codes: Submit;
}

export function PasskeyButton({ submit, codes }: Props) {
  const { busy, seconds } = submit;
  return (
    <button
      type="button"
      aria-disabled={busy || seconds > 0 ? true : undefined}
      aria-busy={busy ? true : undefined}
      onClick={(event) => {
        codes.clear();
        submit.onSubmit(event);
      }}
    >
      {seconds > 0 ? `Try again in ${seconds} s` : "Use a passkey"}
    </button>
  );
}
