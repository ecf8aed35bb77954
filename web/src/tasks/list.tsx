// `/tasks`: one's tasks, newest first, and the field for a new one. The address
// says which of them and how far down.

import { useComputed } from "@preact/signals";
import type { TargetedEvent } from "preact";
import { useLocation } from "preact-iso";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { link } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loading } from "../ui/loading.tsx";
import { visit } from "../visit.ts";
import { type Filter, PAGE } from "./pages.ts";
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
  const list = useRef<HTMLUListElement>(null);
  const place = usePlace(list, filter);
  useEffect(() => void lists.show(filter, place.page), []);
  useEffect(() => {
    // While nobody answers, coming back once more would only queue up.
    if (visit.value > 0 && link.peek() === "up") void lists.refresh(filter);
  }, [visit.value]);

  const rows = lists.rows(filter);
  const begun = lists.begun(filter);
  const failure = lists.failure.value;
  useLayoutEffect(() => place.restore(rows.length), [rows.length]);
  return (
    <>
      {rows.length > 0 && (
        <ul ref={list} class="tasks" role="list" aria-label="Tasks">
          {rows.map((row) => (
            <TaskRow key={row.key} store={store} row={row} draft={store.drafts.value.get(row.key)} />
          ))}
        </ul>
      )}
      {begun && !failure && rows.length === 0 && <p class="empty">{EMPTY[filter]}</p>}
      {failure && !(begun && link.value !== "up") && (
        <Failed
          title="Your tasks could not be loaded"
          failure={failure}
          again={() => void lists.refresh(filter)}
        />
      )}
      {lists.loading.value && !failure && !begun && <Loading />}
      {begun && !lists.complete(filter) && <More store={store} filter={filter} />}
    </>
  );
}

/** Loads what follows when one comes near the end of the list. */
function More({ store, filter }: { store: TaskStore; filter: Filter }) {
  const button = useRef<HTMLButtonElement>(null);
  const more = (): void => void store.lists.more(filter);
  useEffect(() => {
    const target = button.current;
    if (!target) return;
    // Observed anew after each page: the end may still be in view then.
    const observer = new IntersectionObserver(([seen]) => seen?.isIntersecting && more(), {
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

/** Keeps the page of the list that one looks at in the address, and goes back to it. */
function usePlace(list: { current: HTMLUListElement | null }, filter: Filter) {
  const state = useRef<{ page: number; restored: boolean }>(undefined);
  if (!state.current) {
    const asked = Number(new URLSearchParams(location.search).get("page"));
    const page = Number.isInteger(asked) && asked > 0 ? asked : 1;
    state.current = { page, restored: page === 1 };
  }
  const { page } = state.current;
  useEffect(() => {
    let asked = 0;
    const look = (): void => {
      asked = 0;
      if (!state.current?.restored || !list.current) return;
      history.replaceState(history.state, "", addressAt(filter, pageInView(list.current)));
    };
    const onScroll = (): void => {
      asked ||= requestAnimationFrame(look);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => {
      cancelAnimationFrame(asked);
      removeEventListener("scroll", onScroll);
    };
  }, []);
  const restore = (rows: number): void => {
    if (!state.current || state.current.restored || rows <= (page - 1) * PAGE) return;
    state.current.restored = true;
    list.current?.children[(page - 1) * PAGE]?.scrollIntoView();
  };
  return { page, restore };
}

function pageInView({ children }: HTMLUListElement): number {
  let [low, high] = [0, children.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const bottom = children[middle]?.getBoundingClientRect().bottom ?? 0;
    if (bottom <= 0) low = middle + 1;
    else high = middle;
  }
  return Math.floor(low / PAGE) + 1;
}

function addressAt(filter: Filter, page: number): string {
  const query = new URLSearchParams(location.search);
  if (filter !== "open") query.set("status", filter);
  if (page > 1) query.set("page", String(page));
  else query.delete("page");
  return location.pathname + (query.size > 0 ? `?${query}` : "") + location.hash;
}
