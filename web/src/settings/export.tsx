// `/settings/export`: what one takes along: the tasks, or everything that is
// known of the account. A file is saved when all of it is there, never a part.

import { useEffect, useRef, useState } from "preact/hooks";
import { SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet } from "../duet.ts";
import { save } from "../ui/save.ts";
import { Frame } from "./frame.tsx";
import { withRecentProof } from "./proof.tsx";
import { ExportTasks } from "./transfer.tsx";

export function Export() {
  return (
    <Frame title="Export">
      <section aria-labelledby="tasks-out">
        <h2 id="tasks-out">Your tasks</h2>
        <ExportTasks />
      </section>
      <section aria-labelledby="account-out">
        <h2 id="account-out">Everything about you</h2>
        <ExportAccount />
      </section>
    </Frame>
  );
}

type Course = "idle" | "running" | "done" | "cancelled";

function ExportAccount() {
  const [course, setCourse] = useState<Course>("idle");
  const [bytes, setBytes] = useState(0);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const submit = useSubmit(
    () => [],
    async () => {
      const stop = new AbortController();
      running.current = stop;
      setCourse("running");
      try {
        const file = await withRecentProof(() => receive(stop.signal, setBytes));
        save(file, `duet-account-${new Date().toISOString().slice(0, 10)}.json`);
        setCourse("done");
      } catch (error) {
        setCourse(stop.signal.aborted ? "cancelled" : "idle");
        if (!stop.signal.aborted) throw error;
      }
    },
    // A failure in the middle comes after much of the file.
    ({ message }) => [
      { field: "", text: `The export broke off, and nothing was saved. ${message}` },
    ],
  );
  return (
    <form novalidate onSubmit={submit.onSubmit}>
      <p>
        Account, devices, second factors, activity and tasks in one file (JSON). Passwords and
        secrets are not in it. Keep it to yourself.
      </p>
      <Summary submit={submit} />
      <div class="actions">
        <SubmitButton text="Download everything" submit={submit} />
        {course === "running" && (
          <button type="button" class="secondary" onClick={() => running.current?.abort()}>
            Cancel
          </button>
        )}
      </div>
      {course === "running" && <p class="aside">{inKib(bytes)} so far.</p>}
      <p role="status" class="said">
        {course === "running" && "The file is being put together."}
        {course === "done" && `The file was downloaded: ${inKib(bytes)}.`}
        {course === "cancelled" && "Cancelled. Nothing was saved."}
      </p>
    </form>
  );
}

/** The whole document; a stream that ends well has brought all of it. */
async function receive(signal: AbortSignal, told: (bytes: number) => void): Promise<Blob> {
  const pieces: BlobPart[] = [];
  let bytes = 0;
  told(bytes);
  for await (const { data } of duet.account.exportUser({}, { signal })) {
    pieces.push(data as Uint8Array<ArrayBuffer>);
    bytes += data.length;
    told(bytes);
  }
  return new Blob(pieces, { type: "application/json" });
}

function inKib(bytes: number): string {
  return `${Math.ceil(bytes / 1024).toLocaleString()} KiB`;
}
