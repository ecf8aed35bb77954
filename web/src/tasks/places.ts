// Where a line of the list can go, from where it stands: by key, or to where it
// was dropped. Pure.

import type { Node } from "./tree.ts";
import type { Place } from "./writes.ts";

export type Way = "up" | "down" | "in" | "out";

/** The way that an arrow key stands for, pressed with Alt. */
export function wayOf({ altKey, key }: KeyboardEvent): Way | undefined {
  const ways: Record<string, Way> = {
    ArrowUp: "up",
    ArrowDown: "down",
    ArrowRight: "in",
    ArrowLeft: "out",
  };
  return altKey ? ways[key] : undefined;
}

/** The place one step on that way; nothing where there is none. */
export function placeOn(way: Way, key: string, nodes: readonly Node[]): Place | undefined {
  const node = nodes.find(({ row }) => row.key === key);
  if (!node) return undefined;
  const siblings = stepsOf(node.row.task.parentTask, nodes);
  const at = siblings.indexOf(node);
  const before = siblings[at - 1];
  if (way === "up") return before && { after: siblings[at - 2]?.row.key };
  const next = siblings[at + 1];
  if (way === "down") return next && { after: next.row.key };
  if (way === "in") {
    if (!before) return undefined;
    const last = stepsOf(nameOf(before), nodes).at(-1);
    return { parent: before.row.key, after: last?.row.key };
  }
  return node.parent && beside(node.parent);
}

/** The place between the lines, before the one at `at`. */
export function placeAt(at: number, others: readonly Node[]): Place | undefined {
  const above = others[at - 1];
  if (!above) return { parent: "" };
  // Into an open task one drops as its first step.
  if (others[at]?.parent === above) return { parent: above.row.key };
  return beside(above);
}

function beside({ row, parent }: Node): Place | undefined {
  // A step whose parent is not shown: nobody can see where beside it is.
  if (!parent && row.task.parentTask !== "") return undefined;
  return { parent: parent?.row.key ?? "", after: row.key };
}

function stepsOf(parent: string, nodes: readonly Node[]): Node[] {
  return nodes.filter(({ row }) => row.task.parentTask === parent);
}

/** What a step says of its parent; without a name that is its key. */
function nameOf({ row }: Node): string {
  return row.task.name || row.key;
}
