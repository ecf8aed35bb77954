// What the forms of the account have in common: fields with their faults beside
// them, a summary that takes the focus, and one submit at a time that knows
// when it may be tried again.

import { Code, type Failure, failureOf } from "duet-client";
import type { ComponentChildren, TargetedEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useSeconds } from "../ui/seconds.ts";
import type { Strength } from "./strength.ts";

/** Something that is wrong: with a field, or with the whole if `field` is empty. */
export interface Fault {
  readonly field: string;
  readonly text: string;
  readonly more?: ComponentChildren;
}

export interface Submit {
  readonly busy: boolean;
  readonly faults: readonly Fault[];
  readonly failure: Failure | undefined;
  /** Seconds until it makes sense to submit again. */
  readonly seconds: number;
  readonly onSubmit: (event: Event) => void;
  /** Forgets what was wrong, and the wait: something else is tried. */
  readonly clear: () => void;
}

/** `check` finds what needs no call; `call` makes it. */
export function useSubmit(
  check: () => Fault[],
  call: () => Promise<void>,
  read: (failure: Failure) => Fault[] = faultsOf,
): Submit {
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [failure, setFailure] = useState<Failure>();
  const [until, setUntil] = useState(0);
  const seconds = useSeconds(until);
  const submit = async (): Promise<void> => {
    const wrong = check();
    setFailure(undefined);
    setFaults(wrong);
    if (wrong.length > 0) return;
    setBusy(true);
    try {
      await call();
    } catch (error) {
      const failed = failureOf(error);
      // What the person gave up is no fault.
      if (failed.code === Code.Canceled) return;
      setFailure(failed);
      setFaults(read(failed));
      if (failed.retryAfterMs) setUntil(Date.now() + failed.retryAfterMs);
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (!busy && seconds === 0) void submit();
  };
  const clear = (): void => {
    setFaults([]);
    setFailure(undefined);
    setUntil(0);
  };
  return { busy, faults, failure, seconds, onSubmit, clear };
}

/** The fault of a field that is empty and must not be. */
export function needed(field: string, value: string, text: string): Fault[] {
  return value.trim() === "" ? [{ field, text }] : [];
}

export function faultsOf(failure: Failure): Fault[] {
  if (failure.fields.length === 0) return [{ field: "", text: failure.message }];
  return failure.fields.map(({ field, message }) => ({ field, text: message }));
}

/** Everything that is wrong, with links to the fields; takes the focus when it appears. */
export function Summary({ submit: { faults, failure } }: { submit: Submit }) {
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (faults.length > 0) box.current?.focus();
  }, [faults]);
  if (faults.length === 0) return null;
  return (
    <div ref={box} class="summary" role="alert" tabIndex={-1} aria-labelledby={id}>
      <h2 id={id}>There is a problem</h2>
      <ul>
        {faults.map(({ field, text, more }) => (
          <li key={field + text}>
            {field === "" ? text : <FieldLink field={field} text={text} />} {more}
          </li>
        ))}
      </ul>
      {failure?.requestId && failure.fields.length === 0 && (
        <small>Reference: {failure.requestId}</small>
      )}
    </div>
  );
}

function FieldLink({ field, text }: { field: string; text: string }) {
  const go = (event: Event): void => {
    event.preventDefault();
    document.getElementById(field)?.focus();
  };
  return (
    <a href={`#${field}`} onClick={go}>
      {text}
    </a>
  );
}

interface FieldProps {
  /** The field's path in the request; also its id. */
  name: string;
  label: string;
  value: string;
  onInput: (value: string) => void;
  faults: readonly Fault[];
  type?: "text" | "email" | "password";
  autoComplete: string;
  inputMode?: "numeric";
  /** How to fill it in. */
  hint?: string;
  children?: ComponentChildren;
}

export function Field({ name, label, value, onInput, faults, type = "text", ...rest }: FieldProps) {
  const wrong = faults.filter(({ field }) => field === name);
  const [hinted, described] = [useId(), useId()];
  const { autoComplete, inputMode, hint, children } = rest;
  const descriptions = [hint && hinted, wrong.length > 0 && described].filter(Boolean);
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <small id={hinted} class="hint">
          {hint}
        </small>
      )}
      <div class="input">
        <input
          id={name}
          name={name}
          // The types know each kind of input alone, not their union.
          type={type as "text"}
          value={value}
          autoComplete={autoComplete}
          inputMode={inputMode}
          autoCapitalize={type === "text" ? undefined : "none"}
          spellcheck={false}
          aria-invalid={wrong.length > 0 ? true : undefined}
          aria-describedby={descriptions.join(" ") || undefined}
          onInput={(event: TargetedEvent<HTMLInputElement>) => onInput(event.currentTarget.value)}
        />
        {children}
      </div>
      {wrong.length > 0 && (
        <p id={described} class="fault">
          {wrong.map(({ text }) => text).join(" ")}
        </p>
      )}
    </div>
  );
}

export function PasswordField(props: Omit<FieldProps, "type" | "children">) {
  const [shown, show] = useState(false);
  return (
    <Field {...props} type={shown ? "text" : "password"}>
      <button
        type="button"
        class="quiet show"
        aria-pressed={shown}
        aria-label={`Show ${props.label.toLowerCase()}`}
        onClick={() => show(!shown)}
      >
        Show
      </button>
    </Field>
  );
}

export function StrengthLine({ strength }: { strength: Strength | undefined }) {
  return (
    <p class="strength" role="status" data-strength={strength?.replace(" ", "-")}>
      {strength && (
        <>
          <span class="bar" aria-hidden="true" />
          Strength: {strength}
        </>
      )}
    </p>
  );
}

/** The button that submits; it stays in place and says why it waits. */
export function SubmitButton({
  text,
  submit: { busy, seconds },
}: {
  text: string;
  submit: Submit;
}) {
  const waits = busy || seconds > 0;
  return (
    <button
      type="submit"
      aria-disabled={waits ? true : undefined}
      aria-busy={busy ? true : undefined}
    >
      {seconds > 0 ? `Try again in ${seconds} s` : text}
    </button>
  );
}
