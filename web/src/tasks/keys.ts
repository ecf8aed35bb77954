// The keys that work on tasks: where the focus is, there they act.

import { route, useAddress } from "../address.ts";
import { type Shortcuts, useShortcuts } from "../ui/shortcuts.tsx";
import { undoLast } from "../ui/toasts.tsx";
import { focusRow, neighbour } from "./row.tsx";
import { addressOf, ALL, viewOf } from "./view.ts";

export function useTaskKeys(signedIn: boolean): void {
  const { path, url } = useAddress();
  const query = url.split("?")[1] ?? "";
  const next = (): boolean => step(1);
  const previous = (): boolean => step(-1);
  // With the focus elsewhere the arrows scroll, as everywhere.
  const inList = (move: () => boolean) => () => row() !== null && move();
  const press = (selector: string) => () => {
    const target = row()?.querySelector<HTMLElement>(selector);
    target?.click();
    return target !== undefined && target !== null;
  };
  const show = (status: string) => () => {
    route(addressOf({ ...(path === "/tasks" ? viewOf(query) : ALL), status }));
    return true;
  };
  const keys: Shortcuts = {
    n: () => {
      const field = document.getElementById("new-task");
      if (field) field.focus();
      else route("/tasks");
      return true;
    },
    j: next,
    k: previous,
    ArrowDown: inList(next),
    ArrowUp: inList(previous),
    x: press("input[type=checkbox]"),
    e: press(".title"),
    "#": press(".delete"),
    Delete: press(".delete"),
    u: () => {
      undoLast();
      return true;
    },
    "/": () => {
      document.getElementById("search")?.focus();
      return true;
    },
    "1": show("open"),
    "2": show("done"),
    "3": show("all"),
  };
  useShortcuts(signedIn ? keys : {});
}

/** The row with the focus in it. */
function row(): Element | null {
  return document.activeElement?.closest(".task") ?? null;
}

function step(by: 1 | -1): boolean {
  const target = neighbour(row(), by);
  if (target) focusRow(target);
  return true;
}
