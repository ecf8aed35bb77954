// `/tasks`: one's tasks, a list of them or what one searches for, and the field
// for a new one. The address says which, in which order, and how far down.

import { useComputed } from "@preact/signals";
import { Component, type TargetedEvent } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useAddress } from "../address.ts";
import { link } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Loading } from "../ui/loading.tsx";
import { visit } from "../visit.ts";
import { type Draft, BLANK } from "./draft.ts";
import { dayOf } from "./due.ts";
import { Finder } from "./finder.tsx";
import { usePlace } from "./place.ts";
import { BinRow, TaskRow } from "./row.tsx";
import { ListHead, Sidebar } from "./sidebar.tsx";
import type { TaskStore } from "./store.ts";
import { differs, type Node } from "./tree.ts";
import { addressOf, isOwn, isPlain, type View, viewOf } from "./view.ts";

const STATES = [
  ["open", "Open"],
  ["done", "Done"],
  ["all", "All"],
] as const;
const EMPTY: Record<string, string> = {
  open: "Nothing to do. Enjoy, or add a task above.",
  done: "Nothing is done yet.",
  all: "No tasks yet. Add your first above.",
  bin: "The bin is empty. What is deleted stays here for 30 days.",
};

export function Tasks({ store }: { store: TaskStore }) {
  const view = viewOf(useAddress().url.split("?")[1] ?? "");
  const bin = view.list === "bin";
  return (
    <div class="screen desk">
      <Sidebar store={store} view={view} />
      <div>
        <ListHead key={view.list} store={store} view={view} />
        {!bin && <NewTask store={store} view={view} />}
        {!bin && <Finder store={store} view={view} />}
        {!bin && (
          <nav aria-label="Show" class="tabs">
            {STATES.map(([status, text]) => (
              <a
                key={status}
                href={addressOf({ ...view, status })}
                aria-current={status === view.status ? "page" : undefined}
              >
                {text} <Count key={addressOf(view)} store={store} view={{ ...view, status }} />
              </a>
            ))}
          </nav>
        )}
        <List key={addressOf(view)} store={store} view={view} />
      </div>
    </div>
  );
}

function NewTask({ store, view }: { store: TaskStore; view: View }) {
  const add = (event: Event): void => {
    event.preventDefault();
    const title = store.newTitle.value;
    if (title.trim() === "") return;
    store.newTitle.value = "";
    const { labels, list } = view;
    // It belongs where one sees it being typed.
    store.add({
      ...BLANK,
      title,
      labels,
      priority: view.priority || "0",
      list: store.catalogue.nameOf(isOwn(view) ? list : "inbox"),
      date: list === "today" || view.due === "today" ? dayOf(0) : "",
    });
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

function Count({ store, view }: { store: TaskStore; view: View }) {
  const count = useComputed(() => {
    const { known, more } = store.lists.count(view) ?? {};
    return known === undefined ? "" : `${known}${more ? "+" : ""}`;
  });
  return <span class="count">{count}</span>;
}

function List({ store, view }: { store: TaskStore; view: View }) {
  const { lists } = store;
  const list = useRef<HTMLDivElement>(null);
  const place = usePlace(list);
  useEffect(() => void lists.show(view, place.page), []);
  useEffect(() => {
    // While nobody answers, coming back once more would only queue up.
    if (visit.value > 0 && link.peek() === "up") void lists.refresh(view);
  }, [visit.value]);

  const pieces = lists.pieces(view);
  const begun = lists.begun(view);
  const failure = lists.failure.value;
  useLayoutEffect(place.restore, [pieces.length]);
  // What is wrong with a filter is said at its field.
  const filtered = failure?.reason === "FILTER_INVALID";
  const empty = isPlain(view) ? EMPTY[view.list === "bin" ? "bin" : view.status] : "Nothing found.";
  return (
    <>
      {pieces.length > 0 && (
        <div ref={list} class="tasks" role="list" aria-label="Tasks">
          {pieces.map(({ key, nodes }) => (
            <Rows key={key} store={store} view={view} nodes={nodes} drafts={store.drafts.value} />
          ))}
        </div>
      )}
      {begun && !failure && pieces.length === 0 && <p class="empty">{empty}</p>}
      {failure && !filtered && !(begun && link.value !== "up") && (
        <Failed
          title="Your tasks could not be loaded"
          failure={failure}
          again={() => void lists.refresh(view)}
        />
      )}
      {!begun && !failure && lists.loading.value && <Loading />}
      {begun && !lists.complete(view) && <More store={store} view={view} />}
    </>
  );
}

interface RowsProps {
  store: TaskStore;
  view: View;
  nodes: readonly Node[];
  drafts: ReadonlyMap<string, Draft>;
}

/** A piece of the list: most changes leave it alone, and out of sight it costs nothing. */
class Rows extends Component<RowsProps> {
  override shouldComponentUpdate({ nodes, drafts }: RowsProps): boolean {
    const { nodes: before, drafts: open } = this.props;
    const moved =
      nodes.length !== before.length || nodes.some((node, at) => differs(node, before[at] as Node));
    return moved || nodes.some(({ row: { key } }) => drafts.get(key) !== open.get(key));
  }

  override render({ store, view, nodes, drafts }: RowsProps) {
    return (
      <div class="piece">
        {nodes.map((node) => {
          const { row } = node;
          return view.list === "bin" ? (
            <BinRow key={row.key} store={store} row={row} />
          ) : (
            <TaskRow
              key={row.key}
              store={store}
              view={view}
              node={node}
              draft={drafts.get(row.key)}
            />
          );
        })}
      </div>
    );
  }
}

/** Loads what follows when one comes near the end of the list. */
function More({ store, view }: { store: TaskStore; view: View }) {
  const button = useRef<HTMLButtonElement>(null);
  const more = (): void => void store.lists.more(view);
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
