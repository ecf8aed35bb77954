// The keys that work on tasks: where the focus is, there they act.

import { useLocation } from "preact-iso";
import { type Shortcuts, useShortcuts } from "../ui/shortcuts.tsx";
import { undoLast } from "../ui/toasts.tsx";
import { focusRow, neighbour } from "./row.tsx";

export function useTaskKeys(signedIn: boolean): void {
  const { route } = useLocation();
  const next = (): boolean => step(1);
  const previous = (): boolean => step(-1);
  // With the focus elsewhere the arrows scroll, as everywhere.
  const inList = (move: () => boolean) => () => row() !== null && move();
  const press = (selector: string) => () => {
    const target = row()?.querySelector<HTMLElement>(selector);
    target?.click();
    return target !== undefined && target !== null;
  };
  const go = (address: string) => () => {
    route(address);
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
    "1": go("/tasks"),
    "2": go("/tasks?status=done"),
    "3": go("/tasks?status=all"),
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
