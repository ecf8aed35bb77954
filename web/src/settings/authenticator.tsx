// Adding an authenticator app: its secret as a picture, as a link and in letters,
// and a first code from it, before which nothing changes.

import type { BeginTotpEnrollmentResponse, Failure } from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { bare, checkCode } from "../account/code.tsx";
import { type Fault, faultsOf, Field, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet } from "../duet.ts";
import { useSeconds } from "../ui/seconds.ts";
import { withRecentProof } from "./proof.tsx";
import { MAY_BE_ADDED, MAY_BE_DONE } from "./recovery-codes.tsx";

/** How long it can be confirmed, by the contract; the clock of this machine may be wrong. */
const PATIENCE_MS = 10 * 60_000;

/** What becomes of a confirmation whose answer was lost. */
interface Lost {
  /** Nobody answered: it may be added. */
  lost: () => void;
  /** There is nothing to confirm after that: it is added, or gone; `first` if it was to be that. */
  found: (first: boolean) => void;
}

/** What becomes of a factor that is being added. */
export interface AddProps extends Lost {
  /** Whether there is no factor yet. */
  first: boolean;
  /** With the recovery codes that came with it, if any. */
  added: (displayName: string, codes: readonly string[]) => void;
}

interface Props extends AddProps {
  /** Whether there is no authenticator yet. */
  none: boolean;
}

interface Begun {
  readonly secret: BeginTotpEnrollmentResponse;
  readonly displayName: string;
  /** Whether there was none when it began: recovery codes come with that one only. */
  readonly first: boolean;
  readonly until: number;
}

export function AddAuthenticator({ first, none, added, lost, found }: Props) {
  const [begun, begin] = useState<Begun>();
  const [late, setLate] = useState(false);
  const end = (tooLate = false): void => {
    begin(undefined);
    setLate(tooLate);
  };
  if (!begun) return <Begin {...{ first, none, late, begin }} />;
  return (
    <Confirm
      begun={begun}
      end={end}
      lost={lost}
      found={() => {
        end();
        found(begun.first);
      }}
      confirmed={(codes) => {
        end();
        added(begun.displayName, codes);
      }}
    />
  );
}

interface BeginProps {
  first: boolean;
  none: boolean;
  /** Whether the one before was not confirmed in time. */
  late: boolean;
  begin: (begun: Begun) => void;
}

function Begin({ first, none, late, begin }: BeginProps) {
  const [displayName, setDisplayName] = useState("");
  const submit = useSubmit(
    () => [],
    async () => {
      const call = () => duet.account.beginTotpEnrollment({ displayName });
      const secret = await withRecentProof(call);
      begin({ secret, displayName, first, until: Date.now() + PATIENCE_MS });
    },
  );
  return (
    <section aria-labelledby="add">
      <h2 id="add">{none ? "Add an authenticator app" : "Add another authenticator app"}</h2>
      {first && <p>It signs you out on every other device.</p>}
      <p role="status" class="said">
        {late && "That took longer than ten minutes, so the secret is good no more. Begin again."}
      </p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name="display_name"
          label="What you call it (optional)"
          hint="Such as “Phone”."
          autoComplete="off"
          value={displayName}
          onInput={setDisplayName}
          faults={submit.faults}
        />
        <SubmitButton text="Add" submit={submit} />
      </form>
    </section>
  );
}

interface ConfirmProps extends Lost {
  begun: Begun;
  end: (tooLate?: boolean) => void;
  confirmed: (codes: readonly string[]) => void;
}

function Confirm({ begun, end, lost, found, confirmed }: ConfirmProps) {
  const { secret, first, until } = begun;
  const unanswered = useRef(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const [code, setCode] = useState("");
  const left = useSeconds(until);
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    if (left === 0) end(true);
  }, [left === 0]);
  const typed = { case: "totpCode", value: code } as const;
  const read = (failure: Failure): Fault[] => {
    if (failure.unreachable) {
      unanswered.current = true;
      lost();
      return [{ field: "", text: `${failure.message} ${first ? MAY_BE_DONE : MAY_BE_ADDED}` }];
    }
    if (!unanswered.current || failure.reason !== "FACTOR_NOT_FOUND") return faultsOf(failure);
    found(first);
    return [];
  };
  const submit = useSubmit(
    () => checkCode(typed),
    async () => {
      const given = { name: secret.name, totpCode: bare(typed).value };
      confirmed((await duet.account.confirmTotpEnrollment(given)).recoveryCodes);
    },
    read,
  );
  return (
    <section class="enrolment" aria-labelledby="add">
      <h2 id="add" tabIndex={-1} ref={heading}>
        Scan this with your app
      </h2>
      <Secret {...secret} />
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name="totp_code"
          label="Code"
          hint="The six digits that the app shows now."
          autoComplete="one-time-code"
          inputMode="numeric"
          value={code}
          onInput={setCode}
          faults={submit.faults}
        />
        <div class="actions">
          <SubmitButton text="Confirm" submit={submit} />
          <button type="button" class="secondary" onClick={() => end()}>
            Cancel
          </button>
        </div>
      </form>
    </section>
  );
}

/** As a picture it runs no script and loads nothing, whatever it may be. */
function Secret({ qrSvg, secret, uri }: BeginTotpEnrollmentResponse) {
  return (
    <>
      <img
        class="qr"
        src={`data:image/svg+xml,${encodeURIComponent(qrSvg)}`}
        alt="QR code for an authenticator app; the key below is the same."
        width="220"
        height="220"
      />
      <p>
        <a href={uri}>Open in an app on this device</a>, or type this key in:
      </p>
      <p>
        <code class="key">{secret.match(/.{1,4}/g)?.join(" ")}</code>
      </p>
    </>
  );
}
