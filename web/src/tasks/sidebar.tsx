// One's lists and the views beside them: a bar on wide screens, behind a button
// on narrow ones. And the head of a list, where it is renamed, moved, put aside
// and deleted.

import type { List } from "duet-client";
import type { JSX, TargetedEvent } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { route } from "../address.ts";
import { announce } from "../ui/ask.tsx";
import { drag } from "../ui/drag.ts";
import { Heading } from "../ui/heading.tsx";
import { type Choice, Menu } from "../ui/menu.tsx";
import { visit } from "../visit.ts";
import type { TaskStore } from "./store.ts";
import type { View } from "./view.ts";

interface Props {
  store: TaskStore;
  view: View;
}

const idOf = ({ name }: List): string => name.split("/").at(-1) ?? "";
const addressOf = (id: string): string => (id === "" ? "/tasks" : `/tasks?list=${id}`);

export function Sidebar({ store: { catalogue }, view }: Props) {
  const [open, setOpen] = useState(false);
  useEffect(() => void catalogue.load(), [visit.value]);
  useEffect(() => setOpen(false), [view.list]);
  const lists = catalogue.lists.value;
  const shown = lists.filter(({ archived }) => !archived);
  const aside = lists.filter(({ archived }) => archived);
  const item = (id: string, text: string): JSX.Element => (
    <a key={id} href={addressOf(id)} aria-current={id === view.list ? "page" : undefined}>
      {text}
    </a>
  );
  const grab = (event: PointerEvent, list: List): void => {
    const others = shown.filter((other) => other !== list);
    const lines = [...document.querySelectorAll(".side .own")];
    const line = lines[shown.indexOf(list)] ?? null;
    drag(
      event,
      line,
      lines.filter((other) => other !== line),
      (at) => catalogue.move(list, others[at - 1]),
    );
  };
  return (
    <div class={open ? "side open" : "side"}>
      <button
        type="button"
        class="secondary"
        aria-expanded={open}
        aria-controls="lists"
        onClick={() => setOpen(!open)}
      >
        Lists
      </button>
      <div id="lists">
        <nav aria-label="Lists">
          {item("inbox", "Inbox")}
          {item("today", "Today")}
          {item("", "All tasks")}
          {shown.map((list) => (
            <div key={list.name} class="own">
              <span class="handle" aria-hidden="true" onPointerDown={(event) => grab(event, list)}>
                ⠿
              </span>
              {item(idOf(list), list.title)}
            </div>
          ))}
          {item("bin", "Bin")}
          {aside.length > 0 && (
            <details>
              <summary>Archived</summary>
              {aside.map((list) => item(idOf(list), list.title))}
            </details>
          )}
        </nav>
        <TitleForm
          label="New list"
          button="Add list"
          done={(title) => title && route(addressOf(catalogue.add(title)))}
        />
      </div>
    </div>
  );
}

interface TitleProps {
  label: string;
  button: string;
  value?: string;
  /** Called with what was typed; with nothing if it was given up. */
  done: (title: string) => void;
}

function TitleForm({ label, button, value = "", done }: TitleProps) {
  const [title, setTitle] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (value) field.current?.select();
  }, []);
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    done(title.trim());
    setTitle("");
  };
  return (
    <form class="new" onSubmit={onSubmit}>
      <input
        ref={field}
        aria-label={label}
        placeholder={label}
        maxLength={200}
        autoComplete="off"
        value={title}
        onInput={(event: TargetedEvent<HTMLInputElement>) => setTitle(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && done("")}
      />
      <button type="submit" class="secondary">
        {button}
      </button>
    </form>
  );
}

const TITLES: Record<string, string> = {
  "": "Tasks",
  inbox: "Inbox",
  today: "Today",
  bin: "Bin",
};

export function ListHead({ store: { catalogue, lists }, view }: Props) {
  const [renaming, rename] = useState(false);
  const list = catalogue.get(view.list);
  const title = TITLES[view.list] ?? list?.title ?? "List";
  if (list && renaming) {
    const done = (wanted: string): void => {
      rename(false);
      if (wanted && wanted !== list.title) catalogue.change(list, { title: wanted });
    };
    return (
      <>
        {/* Not the heading that takes the focus: the field has it. */}
        <h1 class="unseen">{title}</h1>
        <TitleForm label="Name of the list" button="Rename" value={list.title} done={done} />
      </>
    );
  }
  const choices = (list: List): (Choice | false)[] => {
    const others = catalogue.lists.value.filter(({ archived }) => archived === list.archived);
    const at = others.indexOf(list);
    const move = (after: number, way: string): void => {
      catalogue.move(list, others[after]);
      announce(`${list.title} moved ${way}.`);
    };
    return [
      ["Rename", () => rename(true)],
      at > 0 && ["Move up", () => move(at - 2, "up")],
      at < others.length - 1 && ["Move down", () => move(at + 1, "down")],
      [
        list.archived ? "Bring back" : "Archive",
        () => catalogue.change(list, { archived: !list.archived }),
      ],
      [
        "Delete",
        () => {
          catalogue.remove(list, () => void lists.refresh());
          route("/tasks");
        },
      ],
    ];
  };
  return (
    <div class="head">
      <Heading text={title} />
      {list && <Menu label="List options" choices={() => choices(list)} />}
    </div>
  );
}
