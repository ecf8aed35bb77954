// The form in which a task is edited, in the list and on its own page.

import type { ComponentChildren, JSX, TargetedEvent } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Draft, Values } from "./draft.ts";
import { dayOf } from "./due.ts";
import { Labels } from "./labels.tsx";
import { inWords, presets } from "./recurrence.ts";
import type { TaskStore } from "./store.ts";

interface Props {
  store: TaskStore;
  id: string;
  draft: Draft;
  /** Where the task has a page of its own; absent on that page. */
  address?: string;
  /** Called when the editor was closed by saving or cancelling. */
  closed?: () => void;
}

type Typed = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const CUSTOM = "custom";

export function Editor({ store, id, draft: { values, faults }, address, closed }: Props) {
  const title = useRef<HTMLInputElement>(null);
  const own = useId();
  // Before the next key is pressed: it is meant for the title.
  useLayoutEffect(() => {
    if (address !== undefined) title.current?.focus();
  }, []);

  const set = (changed: Partial<Values>): void => {
    const typed = { ...values, ...changed };
    // What comes back comes back on a day; a time without a date means nothing.
    if (typed.rrule && !values.rrule) typed.date ||= dayOf(0);
    if (typed.date === "") Object.assign(typed, { time: "", rrule: "" });
    if (typed.time === "") typed.zone = "";
    store.draft(id, typed);
  };
  const change =
    (field: keyof Values) =>
    ({ currentTarget: { value } }: TargetedEvent<Typed>): void =>
      set({ [field]: value });
  const save = (event?: Event): void => {
    event?.preventDefault();
    store.save(id);
    closed?.();
  };
  const cancel = (): void => {
    store.discard(id);
    closed?.();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const wrong = (path: string): string => {
    const found = faults.filter(({ field }) => field.startsWith(path));
    return found.map(({ message }) => message).join(" ");
  };
  const described = (path: string) => {
    return wrong(path) === ""
      ? {}
      : { "aria-invalid": true as const, "aria-describedby": own + path };
  };
  const fault = (path: string): JSX.Element | false =>
    wrong(path) !== "" && (
      <p id={own + path} class="fault">
        {wrong(path)}
      </p>
    );
  const pick = (field: keyof Values, text: string, options: ComponentChildren): JSX.Element => (
    <label>
      {text}
      <select value={String(values[field])} onChange={change(field)}>
        {options}
      </select>
    </label>
  );
  const lists = store.catalogue.lists.value.filter(
    ({ archived, name }) => !archived || name === values.list,
  );

  return (
    <form class="editor" aria-label="Edit task" noValidate onSubmit={save} onKeyDown={onKeyDown}>
      <label class="wide">
        Title
        <input
          ref={title}
          value={values.title}
          onInput={change("title")}
          autoComplete="off"
          {...described("task.title")}
        />
      </label>
      {fault("task.title")}
      <label class="wide">
        Notes
        <textarea
          rows={Math.min(8, values.notes.split("\n").length + 1)}
          value={values.notes}
          onInput={change("notes")}
          {...described("task.notes")}
        />
      </label>
      {fault("task.notes")}
      <div class="pair">
        <label>
          Due date
          <input
            type="date"
            max="9999-12-31"
            value={values.date}
            onInput={change("date")}
            {...described("task.due")}
          />
        </label>
        <label>
          Due time
          <input
            type="time"
            value={values.time}
            disabled={values.date === ""}
            onInput={change("time")}
          />
        </label>
        {values.time && pick("zone", "Time zone", options(zones(values.zone)))}
      </div>
      {fault("task.due")}
      <Repeat values={values} set={set} />
      {fault("task.recurrence")}
      <div class="pair">
        {pick("priority", "Priority", options(["None", "Low", "Medium", "High"].entries()))}
        {lists.length > 0 &&
          pick(
            "list",
            "List",
            options([
              [store.catalogue.nameOf("inbox"), "Inbox"],
              ...lists.map(({ name, title }) => [name, title] as const),
            ]),
          )}
      </div>
      <Labels name="Labels" labels={values.labels} change={(labels) => set({ labels })} />
      {fault("task.labels")}
      <div class="actions">
        <button type="submit">Save</button>
        <button type="button" class="secondary" onClick={cancel}>
          Cancel
        </button>
        {address && <a href={address}>Open on its own page</a>}
      </div>
    </form>
  );
}

function options(choices: Iterable<readonly [string | number, string]>): JSX.Element[] {
  return [...choices].map(([value, text]) => (
    <option key={value} value={value}>
      {text}
    </option>
  ));
}

/** No zone first: the time is then meant wherever one is. */
function zones(own: string): [string, string][] {
  const known = new Set([own, ...Intl.supportedValuesOf("timeZone")]);
  return [["", "Wherever I am"], ...[...known].filter(Boolean).map((zone) => [zone, zone])] as [
    string,
    string,
  ][];
}

interface RepeatProps {
  values: Values;
  set: (changed: Partial<Values>) => void;
}

function Repeat({ values: { date, rrule, after }, set }: RepeatProps) {
  const rules = presets(new Date(`${date || dayOf(0)}T00:00`));
  const known = Object.entries(rules).map(([text, rule]) => [rule, text] as const);
  const common = rrule === "" || known.some(([rule]) => rule === rrule);
  const [chosen, setCustom] = useState(false);
  const custom = chosen || !common;
  const pick = ({ currentTarget: { value } }: TargetedEvent<HTMLSelectElement>): void => {
    setCustom(value === CUSTOM);
    set({ rrule: value === CUSTOM ? rrule || "FREQ=WEEKLY" : value });
  };
  return (
    <div class="pair">
      <label>
        Repeat
        <select value={custom ? CUSTOM : rrule} onChange={pick}>
          {options([["", "Does not repeat"], ...known, [CUSTOM, "Custom…"]])}
        </select>
      </label>
      {rrule && (
        <label>
          Counted from
          <select
            value={String(after)}
            onChange={(event) => set({ after: event.currentTarget.value === "true" })}
          >
            {options([
              ["false", "The due date"],
              ["true", "The day it is completed"],
            ])}
          </select>
        </label>
      )}
      {custom && (
        <label>
          Rule (RRULE)
          <input
            value={rrule}
            autoComplete="off"
            spellcheck={false}
            onInput={(event) => set({ rrule: event.currentTarget.value })}
          />
          <small>{rrule && inWords(rrule)}</small>
        </label>
      )}
    </div>
  );
}
