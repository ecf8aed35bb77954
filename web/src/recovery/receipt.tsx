// `/receipt`: how far the deletion of an account has come, for whoever has its
// code; and the signed statement once no service is waited for any more.

import {
  type Failure,
  failureOf,
  type GetDeletionReceiptResponse as Deletion,
  type Timestamp,
  timestampDate,
} from "duet-client";
import { useEffect, useState } from "preact/hooks";
import { type Fault, Field, needed, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet } from "../duet.ts";
import { persist } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loading } from "../ui/loading.tsx";
import { save } from "../ui/save.ts";
import { receiptCode } from "./code.ts";

/** Between two looks, while a service has something left to erase. */
const PAUSE_MS = 2_000;

export function Receipt() {
  const code = receiptCode.value;
  return code === "" ? <Asking /> : <Course key={code} code={code} />;
}

function Asking() {
  const [code, setCode] = useState("");
  const check = (): Fault[] => needed("receipt_token", code, "Enter the code.");
  const submit = useSubmit(check, async () => {
    const receiptToken = code.trim();
    await duet.mailed.getDeletionReceipt({ receiptToken });
    receiptCode.value = receiptToken;
  });
  return (
    <div class="screen narrow">
      <Heading text="Deleted account" />
      <p>With the code from when you deleted your account you see what was erased when.</p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Field
          name="receipt_token"
          label="Code"
          autoComplete="off"
          value={code}
          onInput={setCode}
          faults={submit.faults}
        />
        <SubmitButton text="Look it up" submit={submit} />
      </form>
    </div>
  );
}

function Course({ code }: { code: string }) {
  const [deletion, failure, look] = useDeletion(code);
  const done = deletion !== undefined && deletion.receipt !== "";
  return (
    <div class="screen narrow">
      <Heading text="Your account is deleted" />
      {failure && <Failed title="The receipt could not be loaded" failure={failure} again={look} />}
      {!deletion && !failure && <Loading />}
      {deletion && (
        <>
          <p role="status" class="said">
            {course(deletion)}
          </p>
          <dl>
            <dt>Account</dt>
            <dd>deleted {inWords(deletion.deleteTime)}</dd>
            {deletion.erasures.map((erasure) => (
              <div key={erasure.service}>
                <dt>{erasure.service}</dt>
                <dd>{became(erasure)}</dd>
              </div>
            ))}
          </dl>
          {done && <Statement receipt={deletion.receipt} />}
        </>
      )}
      <Code code={code} />
    </div>
  );
}

function course({ receipt, erasures }: Deletion): string {
  if (receipt === "") return "Your data is being erased.";
  return erasures.every(({ eraseTime }) => eraseTime)
    ? "Everything is erased."
    : "Not every service has confirmed that it erased your data.";
}

function became({ eraseTime, closeTime }: Deletion["erasures"][number]): string {
  if (eraseTime) return `erased ${inWords(eraseTime)}`;
  return closeTime ? `not confirmed; given up ${inWords(closeTime)}` : "not confirmed yet";
}

/** What is known of the deletion; asks again while a service is waited for. */
function useDeletion(code: string): [Deletion | undefined, Failure | undefined, () => void] {
  const [deletion, setDeletion] = useState<Deletion>();
  const [failure, setFailure] = useState<Failure>();
  const [looks, setLooks] = useState(0);
  const look = (): void => setLooks((n) => n + 1);
  useEffect(() => {
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const options = { lost: setFailure, signal: left.signal };
    persist(() => duet.mailed.getDeletionReceipt({ receiptToken: code }), options).then(
      (read) => {
        if (left.signal.aborted) return;
        setFailure(undefined);
        setDeletion(read);
        if (read.receipt === "") timer = setTimeout(look, PAUSE_MS);
      },
      (error: unknown) => {
        if (!left.signal.aborted) setFailure(failureOf(error));
      },
    );
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [code, looks]);
  return [deletion, failure, look];
}

function Statement({ receipt }: { receipt: string }) {
  const keep = (): void => save(new Blob([receipt + "\n"]), "duet-deletion.jws");
  return (
    <>
      <p>
        There is a signed statement of it (a JWS, which any such program can check with the keys of
        this service).
      </p>
      <button type="button" onClick={keep}>
        Save the statement
      </button>
    </>
  );
}

function Code({ code }: { code: string }) {
  const [copied, setCopied] = useState("");
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code);
      setCopied("Copied.");
    } catch {
      setCopied("The browser did not allow it; please mark the code and copy it.");
    }
  };
  return (
    <section aria-labelledby="code">
      <h2 id="code">Your receipt</h2>
      <p>
        With this code you can come back here for a year. Nothing else leads to it any more, so keep
        it.
      </p>
      <p>
        <code class="whole">{code}</code>
      </p>
      <button type="button" class="secondary" onClick={() => void copy()}>
        Copy the code
      </button>
      <p role="status" class="said">
        {copied}
      </p>
    </section>
  );
}

function inWords(time: Timestamp | undefined): string {
  return time
    ? timestampDate(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })
    : "";
}
