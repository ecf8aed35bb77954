// How far a view is loaded. It is read in its order, page by page, each from
// where the page before ended; the last task read says how far down everything
// is known.

import type { ListTasksResponse, Task } from "duet-client";
import { orderOf, type Placed, questionOf, type View } from "./view.ts";

/** How many tasks a page has. */
export const PAGE = 50;
/** The most that the service gives at once. */
const MOST = 500;

const placed = (task: Task): Placed => ({ key: task.name, task });

export class Pages {
  readonly view: View;
  /** Whether anything was read yet. */
  begun = false;
  /** Whether everything was read. */
  complete = false;
  /** How many tasks were read. */
  loaded = 0;
  /** Where the view is divided into pieces of about a page: each ends with this task. */
  readonly ends: Placed[] = [];
  readonly #compare: (a: Placed, b: Placed) => number;
  /** Names of what was read. */
  readonly #listed = new Set<string>();
  #next = "";
  #last: Placed | undefined;

  constructor(view: View) {
    this.view = view;
    this.#compare = orderOf(view);
  }

  has({ task }: Placed): boolean {
    return this.#listed.has(task.name);
  }

  /** Whether a task is in the part that was read. A task without a name is new. */
  reach(row: Placed): boolean {
    if (this.complete || row.task.name === "") return true;
    return this.begun && (this.has(row) || !this.#below(row, this.#last));
  }

  /** Whether a task comes after the piece with this end. */
  isAfter(row: Placed, end: number): boolean {
    return end < this.ends.length && this.#below(row, this.ends[end]);
  }

  /** Asks for the following rows. */
  following(rows: number) {
    return { ...questionOf(this.view), pageSize: Math.min(rows, MOST), pageToken: this.#next };
  }

  /** Asks for what was read already and what may have come to it, as much as one answer holds. */
  again() {
    const pageSize = Math.min(this.loaded + PAGE, MOST);
    return { ...questionOf(this.view), pageSize, pageToken: "" };
  }

  append({ tasks, nextPageToken }: ListTasksResponse): void {
    this.begun = true;
    this.loaded += tasks.length;
    this.complete = nextPageToken === "";
    this.#next = nextPageToken;
    for (const { name } of tasks) this.#listed.add(name);
    const rows = tasks.map(placed);
    this.#last = rows.at(-1) ?? this.#last;
    // Ends stay where they are: a task that comes or goes moves no other to
    // another piece.
    const lowest = this.ends.at(-1);
    const below = rows.filter((row) => !lowest || this.#below(row, lowest));
    for (let n = PAGE; n <= below.length; n += PAGE) this.ends.push(below[n - 1] as Placed);
  }

  /**
   * Takes an answer to `again`, and tells which tasks it speaks of: those that
   * are not in it and should be are gone. What was read beyond it stays.
   */
  restart(answer: ListTasksResponse): (task: Task) => boolean {
    const whole = answer.nextPageToken === "";
    const last = answer.tasks.at(-1);
    if (whole || !this.begun || this.loaded <= answer.tasks.length) {
      this.loaded = 0;
      this.#last = undefined;
      this.#listed.clear();
      this.append(answer);
    }
    return (task) => whole || (last !== undefined && !this.#below(placed(task), placed(last)));
  }

  #below(row: Placed, end: Placed | undefined): boolean {
    return end === undefined || this.#compare(row, end) > 0;
  }
}
