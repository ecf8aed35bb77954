// `/tasks`: one's tasks, newest first, and the field for a new one. The address
// says which of them and how far down.

import { useComputed } from "@preact/signals";
import { Component, type TargetedEvent } from "preact";
import { useLocation } from "preact-iso";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { link } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loading } from "../ui/loading.tsx";
import { visit } from "../visit.ts";
import type { Draft } from "./draft.ts";
import type { Row } from "./entries.ts";
import type { Filter } from "./pages.ts";
import { usePlace } from "./place.ts";
import { TaskRow } from "./row.tsx";
import type { TaskStore } from "./store.ts";

const FILTERS: readonly (readonly [Filter, string, string])[] = [
  ["open", "Open", "/tasks"],
  ["done", "Done", "/tasks?status=done"],
  ["all", "All", "/tasks?status=all"],
];
const EMPTY: Record<Filter, string> = {
  open: "Nothing to do. Enjoy, or add a task above.",
  done: "Nothing is done yet.",
  all: "No tasks yet. Add your first above.",
};

export function filterOf(status: string | undefined): Filter {
  return status === "done" || status === "all" ? status : "open";
}

export function Tasks({ store }: { store: TaskStore }) {
  const { query } = useLocation();
  const filter = filterOf(query["status"]);
  return (
    <div class="screen">
      <Heading text="Tasks" />
      <NewTask store={store} />
      <nav aria-label="Show" class="tabs">
        {FILTERS.map(([key, text, address]) => (
          <a key={key} href={address} aria-current={key === filter ? "page" : undefined}>
            {text} <Count store={store} filter={key} />
          </a>
        ))}
      </nav>
      <List key={filter} store={store} filter={filter} />
    </div>
  );
}

function NewTask({ store }: { store: TaskStore }) {
  const add = (event: Event): void => {
    event.preventDefault();
    const title = store.newTitle.value;
    if (title.trim() === "") return;
    store.newTitle.value = "";
    store.add({ title, notes: "", date: "", time: "" });
  };
  return (
    <form class="new" onSubmit={add}>
      <label for="new-task" class="unseen">
        New task
      </label>
      <input
        id="new-task"
        placeholder="What needs to be done?"
        autoComplete="off"
        value={store.newTitle.value}
        onInput={(event: TargetedEvent<HTMLInputElement>) => {
          store.newTitle.value = event.currentTarget.value;
        }}
      />
      <button type="submit">Add</button>
    </form>
  );
}

function Count({ store, filter }: { store: TaskStore; filter: Filter }) {
  const count = useComputed(() => {
    const { known, more } = store.lists.count(filter) ?? {};
    return known === undefined ? "" : `${known}${more ? "+" : ""}`;
  });
  return <span class="count">{count}</span>;
}

function List({ store, filter }: { store: TaskStore; filter: Filter }) {
  const { lists } = store;
  const list = useRef<HTMLDivElement>(null);
  const place = usePlace(list);
  useEffect(() => void lists.show(filter, place.page), []);
  useEffect(() => {
    // While nobody answers, coming back once more would only queue up.
    if (visit.value > 0 && link.peek() === "up") void lists.refresh(filter);
  }, [visit.value]);

  const pieces = lists.pieces(filter);
  const begun = lists.begun(filter);
  const failure = lists.failure.value;
  useLayoutEffect(place.restore, [pieces.length]);
  return (
    <>
      {pieces.length > 0 && (
        <div ref={list} class="tasks" role="list" aria-label="Tasks">
          {pieces.map(({ key, rows }) => (
            <Rows key={key} store={store} rows={rows} drafts={store.drafts.value} />
          ))}
        </div>
      )}
      {begun && !failure && pieces.length === 0 && <p class="empty">{EMPTY[filter]}</p>}
      {failure && !(begun && link.value !== "up") && (
        <Failed
          title="Your tasks could not be loaded"
          failure={failure}
          again={() => void lists.refresh(filter)}
        />
      )}
      {!begun && !failure && lists.loading.value && <Loading />}
      {begun && !lists.complete(filter) && <More store={store} filter={filter} />}
    </>
  );
}

interface RowsProps {
  store: TaskStore;
  rows: readonly Row[];
  drafts: ReadonlyMap<string, Draft>;
}

/** A piece of the list: most changes leave it alone, and out of sight it costs nothing. */
class Rows extends Component<RowsProps> {
  override shouldComponentUpdate({ rows, drafts }: RowsProps): boolean {
    const { rows: before, drafts: open } = this.props;
    const moved = rows.length !== before.length || rows.some((row, at) => row !== before[at]);
    return moved || rows.some(({ key }) => drafts.get(key) !== open.get(key));
  }

  override render({ store, rows, drafts }: RowsProps) {
    return (
      <div class="piece">
        {rows.map((row) => (
          <TaskRow key={row.key} store={store} row={row} draft={drafts.get(row.key)} />
        ))}
      </div>
    );
  }
}

/** Loads what follows when one comes near the end of the list. */
function More({ store, filter }: { store: TaskStore; filter: Filter }) {
  const button = useRef<HTMLButtonElement>(null);
  const more = (): void => void store.lists.more(filter);
  useEffect(() => {
    const target = button.current;
    if (!target) return;
    // Observed anew after each page: the end may still be in view then.
    // What came last counts: out of view and in again may be told in one go.
    const observer = new IntersectionObserver((seen) => seen.at(-1)?.isIntersecting && more(), {
      rootMargin: "600px",
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [store.entries.changed.value]);
  return (
    <button ref={button} type="button" class="quiet more" onClick={more}>
      Show more
    </button>
  );
}
