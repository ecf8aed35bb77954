// How far a list is loaded. Lists are read newest first, page by page, each
// from where the page before ended; ids grow with time, so the last name read
// says how far down everything is known.

import { type ListTasksResponse, type Task, TaskStatus } from "duet-client";

export type Filter = "open" | "done" | "all";

/** How many tasks a page has. */
export const PAGE = 50;
/** The most that the service gives at once. */
const MOST = 500;

const STATUS: Record<Filter, TaskStatus> = {
  open: TaskStatus.OPEN,
  done: TaskStatus.DONE,
  all: TaskStatus.UNSPECIFIED,
};

interface Question {
  status: TaskStatus;
  pageSize: number;
  pageToken: string;
}

export function matches(filter: Filter, task: Task): boolean {
  return filter === "all" || task.status === STATUS[filter];
}

export class Pages {
  /** Whether anything was read yet. */
  begun = false;
  /** Whether everything was read. */
  complete = false;
  /** How many tasks were read. */
  loaded = 0;
  /** Where the list is divided into pieces of about a page: each ends with this name. */
  readonly ends: string[] = [];
  readonly #status: TaskStatus;
  #next = "";
  #last = "";

  constructor(filter: Filter) {
    this.#status = STATUS[filter];
  }

  /** Whether a task with this name is in the part that was read. A task without a name is new. */
  reach(name: string): boolean {
    return this.complete || name === "" || (this.begun && name >= this.#last);
  }

  /** Asks for the following rows. */
  following(rows: number): Question {
    return { status: this.#status, pageSize: Math.min(rows, MOST), pageToken: this.#next };
  }

  /** Asks for what was read already and what may have come to it, as much as one answer holds. */
  again(): Question {
    const pageSize = Math.min(this.loaded + PAGE, MOST);
    return { status: this.#status, pageSize, pageToken: "" };
  }

  append({ tasks, nextPageToken }: ListTasksResponse): void {
    this.begun = true;
    this.loaded += tasks.length;
    this.complete = nextPageToken === "";
    this.#next = nextPageToken;
    this.#last = tasks.at(-1)?.name ?? this.#last;
    // Ends stay where they are: a task that comes or goes moves no other to
    // another piece.
    const lowest = this.ends.at(-1);
    const below = tasks.filter(({ name }) => lowest === undefined || name < lowest);
    for (let n = PAGE; n <= below.length; n += PAGE) this.ends.push(below[n - 1]?.name ?? "");
  }

  /**
   * Takes an answer to `again`, and tells which names it speaks of: those that
   * are not in it and should be are gone. What was read beyond it stays.
   */
  restart(answer: ListTasksResponse): (name: string) => boolean {
    const whole = answer.nextPageToken === "";
    const last = answer.tasks.at(-1)?.name ?? "";
    if (whole || !this.begun || this.loaded <= answer.tasks.length) {
      this.loaded = 0;
      this.#last = "";
      this.append(answer);
    }
    return (name) => whole || name >= last;
  }
}
