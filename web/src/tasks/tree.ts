// Tasks under the task that they are steps of. Who has no parent among those
// that are shown stands for itself, in the order of the view; steps always stand
// in the manual order. Pure.

import type { Row } from "./entries.ts";
import { inOrder } from "./view.ts";

/** A line of the list. */
export interface Node {
  readonly row: Row;
  readonly depth: number;
  /** How many steps are shown under it, or would be. */
  readonly steps: number;
  readonly folded: boolean;
  /** The line that it stands under. */
  readonly parent: Node | undefined;
}

/** For each that stands for itself the lines that stay together with it. */
export function treeOf(rows: readonly Row[], folded: ReadonlySet<string>): Node[][] {
  const shown = new Map<string, Row>();
  for (const row of rows) {
    shown.set(row.key, row);
    shown.set(row.task.name, row);
  }
  const steps = new Map<Row, Row[]>();
  const roots: Row[] = [];
  for (const row of rows) {
    const parent = row.task.parentTask === "" ? undefined : shown.get(row.task.parentTask);
    const beside = parent && steps.get(parent);
    if (beside) beside.push(row);
    else if (parent) steps.set(parent, [row]);
    else roots.push(row);
  }
  const lines = (row: Row, parent: Node | undefined): Node[] => {
    const below = steps.get(row)?.sort(inOrder) ?? [];
    const node: Node = {
      row,
      depth: parent ? parent.depth + 1 : 0,
      steps: below.length,
      folded: below.length > 0 && folded.has(row.key),
      parent,
    };
    return node.folded ? [node] : [node, ...below.flatMap((step) => lines(step, node))];
  };
  return roots.map((root) => lines(root, undefined));
}

/** Whether the list would show another line for it. */
export function differs(a: Node, b: Node): boolean {
  return a.row !== b.row || a.depth !== b.depth || a.steps !== b.steps || a.folded !== b.folded;
}
