// The code of a second factor, as it is typed: of an authenticator, or one of the
// recovery codes. Blanks and dashes are left out, because apps and paper show
// codes with them.

import { FactorKind, type Failure, type SecondFactorCode } from "duet-client";
import { useId } from "preact/hooks";
import { type Fault, faultsOf, Field, needed, type Submit } from "./form.tsx";

/** What was typed, and what it is a code of. */
export type TypedCode = Exclude<SecondFactorCode, { case: "passkeyAssertion" }>;

/** Nothing typed yet, of the kind that an account has. */
export function noCode(kinds: readonly FactorKind[]): TypedCode {
  const onlyRecovers = kinds.length > 0 && !kinds.includes(FactorKind.TOTP);
  return { case: onlyRecovers ? "recoveryCode" : "totpCode", value: "" };
}

/** Whether one of these is shown by a code. */
export function haveCodes(kinds: readonly FactorKind[]): boolean {
  return kinds.includes(FactorKind.TOTP) || kinds.includes(FactorKind.RECOVERY_CODES);
}

const FIELDS = { totpCode: "totp_code", recoveryCode: "recovery_code" } as const;
const WRONG = {
  totpCode: "This is not the code, or it was used before. Please try the next one.",
  recoveryCode: "This is none of your recovery codes, or it was used before.",
} as const;

/** The same, as the service reads it. */
export function bare({ case: kind, value }: TypedCode): TypedCode {
  return { case: kind, value: value.replaceAll(/[\s\u2010-\u2015-]/g, "") };
}

/** What is wrong with a code at first sight. */
export function checkCode(typed: TypedCode): Fault[] {
  const field = FIELDS[typed.case];
  const { value } = bare(typed);
  if (typed.case === "recoveryCode") return needed(field, value, "Enter a recovery code.");
  if (value === "") return [{ field, text: "Enter the code." }];
  return /^\d{6}$/.test(value) ? [] : [{ field, text: "A code has six digits." }];
}

/** What the service finds wrong, beside the code if it is that. */
export function codeFaults(failure: Failure, typed: TypedCode): Fault[] {
  if (failure.reason !== "CODE_INVALID") return faultsOf(failure);
  return [{ field: FIELDS[typed.case], text: WRONG[typed.case] }];
}

interface Props {
  typed: TypedCode;
  onTyped: (typed: TypedCode) => void;
  /** What the account has. */
  kinds: readonly FactorKind[];
  submit: Submit;
  /** What its id begins with where there may be such a field beside it. */
  prefix?: string;
}

export function CodeField({ typed, onTyped, kinds, submit, prefix = "" }: Props) {
  const id = useId();
  const recovers = typed.case === "recoveryCode";
  const other: TypedCode = { case: recovers ? "totpCode" : "recoveryCode", value: "" };
  const common = {
    name: prefix + FIELDS[typed.case],
    value: typed.value,
    onInput: (value: string) => onTyped({ case: typed.case, value }),
    faults: submit.faults,
  };
  return (
    <div id={id}>
      {recovers ? (
        <Field
          key="recovery"
          {...common}
          label="Recovery code"
          hint="One of the ten that you kept when you added the second factor. Each is good once."
          autoComplete="off"
        />
      ) : (
        <Field
          key="totp"
          {...common}
          label="Code"
          hint="Six digits, from your authenticator app."
          autoComplete="one-time-code"
          inputMode="numeric"
        />
      )}
      {kinds.includes(recovers ? FactorKind.TOTP : FactorKind.RECOVERY_CODES) && (
        <button
          type="button"
          class="quiet other"
          onClick={() => {
            onTyped(other);
            // Recovery codes need not wait where those of an app must.
            submit.clear();
            // The field that was there is another one now.
            queueMicrotask(() => focusIn(id));
          }}
        >
          {recovers ? "Use a code of the app instead" : "Use a recovery code instead"}
        </button>
      )}
    </div>
  );
}

/** Puts the focus onto the first thing in an element that takes input. */
export function focusIn(id: string): void {
  const first = (): HTMLElement | null | undefined =>
    document.getElementById(id)?.querySelector<HTMLElement>("input, button");
  requestAnimationFrame(() => first()?.focus());
}
