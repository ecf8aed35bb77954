// What is looked for and how it is sorted: text at once, the rest behind a
// button. Everything stands in the address, so that back leads back.

import type { TargetedEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { route } from "../address.ts";
import { Labels } from "./labels.tsx";
import type { TaskStore } from "./store.ts";
import { addressOf, isOwn, isPlain, type View } from "./view.ts";

/** How long one pauses between two words. */
const PAUSE = 300;

const ORDERS = [
  ["newest", "Newest"],
  ["due", "Due"],
  ["priority", "Priority"],
] as const;
const PRIORITIES = [
  ["", "Any priority"],
  ["1", "Low or more"],
  ["2", "Medium or more"],
  ["3", "High"],
] as const;
const DUES = [
  ["", "Any time"],
  ["overdue", "Overdue"],
  ["today", "Until today"],
  ["week", "Next 7 days"],
  ["any", "With a date"],
] as const;

interface Props {
  store: TaskStore;
  view: View;
}

export function Finder({ store, view }: Props) {
  const [open, setOpen] = useState(!isPlain({ ...view, q: "" }));
  const [where, setWhere] = useState(view.where);
  useEffect(() => setWhere(view.where), [view.where]);
  const id = useId();
  const { failure } = store.lists;
  const fault = failure.value?.reason === "FILTER_INVALID" && failure.value;
  const go = (change: Partial<View>, replace = false): void =>
    route(addressOf({ ...view, ...change }), replace);
  const pick = (
    name: "order" | "priority" | "due",
    text: string,
    choices: readonly (readonly [string, string])[],
  ) => (
    <label>
      {text}
      <select value={view[name]} onChange={(event) => go({ [name]: event.currentTarget.value })}>
        {choices.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <search class="finder">
      <Search key={view.list} view={view} go={go} />
      <button
        type="button"
        class="secondary"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        Filter and sort
      </button>
      <div id={id} class="pair" hidden={!open}>
        {pick("order", "Order", isOwn(view) ? [["position", "My order"], ...ORDERS] : ORDERS)}
        {pick("priority", "Priority", PRIORITIES)}
        {pick("due", "Due", DUES)}
        <Labels name="Labels" labels={view.labels} change={(labels) => go({ labels })} />
        <form
          onSubmit={(event) => {
            event.preventDefault();
            go({ where: where.trim() });
          }}
        >
          <label>
            Advanced
            <input
              placeholder="priority >= MEDIUM AND NOT due:*"
              autoComplete="off"
              spellcheck={false}
              value={where}
              aria-invalid={fault ? true : undefined}
              aria-describedby={fault ? `${id}fault` : undefined}
              onInput={(event) => setWhere(event.currentTarget.value)}
            />
          </label>
          {fault && (
            <p id={`${id}fault`} class="fault" role="alert">
              {fault.fields.map(({ message }) => message).join(" ") || fault.message}
            </p>
          )}
        </form>
        {!isPlain(view) && (
          <button
            type="button"
            class="quiet"
            onClick={() => go({ q: "", labels: [], priority: "", due: "", where: "" })}
          >
            Clear
          </button>
        )}
      </div>
    </search>
  );
}

interface SearchProps {
  view: View;
  go: (change: Partial<View>, replace?: boolean) => void;
}

/** The first letter is a step in the history, those that follow are not. */
function Search({ view, go }: SearchProps) {
  const [typed, type] = useState(view.q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(go);
  latest.current = go;
  useEffect(() => type(view.q), [view.q]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onInput = ({ currentTarget: { value } }: TargetedEvent<HTMLInputElement>): void => {
    type(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current({ q: value.trim() }, view.q !== ""), PAUSE);
  };
  return (
    <input
      id="search"
      type="search"
      aria-label="Search"
      placeholder="Search"
      value={typed}
      onInput={onInput}
    />
  );
}
