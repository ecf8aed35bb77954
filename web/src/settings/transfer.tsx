// Tasks in and out as files: `/settings/import`, and a piece of `/settings/export`.
// What a file would become is told before anything is made.

import { type ImportTasksResponse, TransferFormat, TransferService } from "duet-client";
import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import { type Fault, faultsOf, SubmitButton, Summary, useSubmit } from "../account/form.tsx";
import { duet } from "../duet.ts";
import { store } from "../tasks/current.ts";
import { save } from "../ui/save.ts";
import { Frame } from "./frame.tsx";

const MOST = 4 * 1024 * 1024;

const service = duet.clientOf(TransferService);

type Formats = readonly (readonly [format: TransferFormat, name: string, extension: string])[];

const OUT: Formats = [
  [TransferFormat.JSON, "Duet (JSON), everything", "json"],
  [TransferFormat.ICALENDAR, "iCalendar", "ics"],
  [TransferFormat.CSV, "Table (CSV)", "csv"],
];
const IN: Formats = [
  ...OUT,
  [TransferFormat.TODOIST_CSV, "Todoist (CSV)", "csv"],
  [TransferFormat.GOOGLE_TASKS_JSON, "Google Tasks (JSON)", "json"],
];

interface FormatProps {
  formats: Formats;
  format: TransferFormat;
  pick: (format: TransferFormat) => void;
}

function Format({ formats, format, pick }: FormatProps) {
  return (
    <label class="field">
      Format
      <select
        id="format"
        value={format}
        onChange={(event) => pick(Number(event.currentTarget.value))}
      >
        {formats.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ExportTasks() {
  const [format, pick] = useState(TransferFormat.JSON);
  const [done, setDone] = useState(false);
  const submit = useSubmit(
    () => [],
    async () => {
      setDone(false);
      const pieces: BlobPart[] = [];
      for await (const { data } of service.exportTasks({ format })) {
        pieces.push(data as Uint8Array<ArrayBuffer>);
      }
      const extension = OUT.find(([value]) => value === format)?.[2];
      save(new Blob(pieces), `duet.${extension}`);
      setDone(true);
    },
  );
  return (
    <>
      <p>All your lists and tasks in one file. What is in the bin is not among them.</p>
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <Format formats={OUT} format={format} pick={pick} />
        <SubmitButton text="Download" submit={submit} />
        <p role="status" class="said">
          {done && "The file was downloaded."}
        </p>
      </form>
    </>
  );
}

/** What was chosen, and the id under which it is imported once at most. */
interface Chosen {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly requestId: string;
}

export function Import() {
  const [chosen, choose] = useState<Chosen>();
  const [format, setFormat] = useState(TransferFormat.JSON);
  const [list, setList] = useState("");
  const [report, setReport] = useState<ImportTasksResponse & { made: boolean }>();
  const lists = store.value?.catalogue.lists.value ?? [];
  const checked = report && !report.made;

  const again = (): void => {
    setReport(undefined);
    choose((before) => before && { ...before, requestId: crypto.randomUUID() });
  };
  const onFile = async ({ currentTarget }: TargetedEvent<HTMLInputElement>): Promise<void> => {
    const file = currentTarget.files?.[0];
    setReport(undefined);
    choose(undefined);
    if (!file) return;
    // A file that is too large is not read at all.
    const data = new Uint8Array(
      file.size > MOST ? new ArrayBuffer(MOST + 1) : await file.arrayBuffer(),
    );
    choose({ data, requestId: crypto.randomUUID() });
    setFormat(formatOf(file.name, new TextDecoder().decode(data.subarray(0, 4096))));
  };
  const check = (): Fault[] => {
    if (!chosen) return [{ field: "data", text: "Choose a file." }];
    if (chosen.data.length > MOST) return [{ field: "data", text: "At most 4 MiB, please." }];
    return [];
  };
  const submit = useSubmit(
    check,
    async () => {
      const answer = await service.importTasks({ format, list, ...chosen, dryRun: !checked });
      setReport({ ...answer, made: !!checked });
      if (!checked) return;
      void store.value?.catalogue.load();
      void store.value?.lists.refresh();
    },
    faultsOf,
  );
  return (
    <Frame title="Import">
      <form novalidate onSubmit={submit.onSubmit}>
        <Summary submit={submit} />
        <label class="field">
          File
          <input
            id="data"
            type="file"
            accept=".json,.ics,.csv"
            onChange={(event) => void onFile(event)}
          />
        </label>
        <Format
          formats={IN}
          format={format}
          pick={(picked) => {
            again();
            setFormat(picked);
          }}
        />
        {lists.length > 0 && (
          <label class="field">
            List for tasks that name none
            <select
              id="list"
              value={list}
              onChange={(event) => {
                again();
                setList(event.currentTarget.value);
              }}
            >
              <option value="">Inbox</option>
              {lists.map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
            </select>
          </label>
        )}
        <SubmitButton text={checked ? "Import" : "Check the file"} submit={submit} />
        <p role="status" class="said">
          {report && inWords(report)}
        </p>
      </form>
      {report && report.notes.length > 0 && <Notes notes={report.notes} />}
    </Frame>
  );
}

function inWords({ tasks, lists, made }: ImportTasksResponse & { made: boolean }): string {
  const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  const what = `${many(tasks, "task")} and ${many(lists, "list")}`;
  return made ? `Imported ${what}.` : `This file would become ${what}. Nothing was made yet.`;
}

function Notes({ notes }: { notes: ImportTasksResponse["notes"] }) {
  return (
    <section aria-label="What was not carried over">
      <h2>What was not carried over</h2>
      <ul>
        {notes.map(({ line, field, reason }) => (
          <li key={`${line} ${field} ${reason}`}>
            {[line > 0 && `Line ${line}`, field].filter(Boolean).join(", ") || "The file"}: {reason}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a file most likely is, by its name and how it begins. */
export function formatOf(name: string, begin: string): TransferFormat {
  if (/^\uFEFF?BEGIN:VCALENDAR/.test(begin) || /\.ics$/i.test(name))
    return TransferFormat.ICALENDAR;
  if (/^\uFEFF?\s*[[{]/.test(begin)) {
    return /tasks#/.test(begin) ? TransferFormat.GOOGLE_TASKS_JSON : TransferFormat.JSON;
  }
  return /^\uFEFF?"?TYPE"?,/.test(begin) ? TransferFormat.TODOIST_CSV : TransferFormat.CSV;
}
