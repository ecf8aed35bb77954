// A person's own lists: what the service said last, and what was written since
// and is not answered yet. The inbox is always there and is not among them.

import { computed, signal } from "@preact/signals";
import {
  type Change,
  type Client,
  create,
  type Failure,
  failureOf,
  type List,
  ListSchema,
  type ListService,
} from "duet-client";
import { persist } from "../link.ts";
import type { Outbox } from "./outbox.ts";

/** The most that the service gives at once. */
const MOST = 500;

type Lists = readonly List[];
type Edit = (lists: Lists) => Lists;

interface Told {
  refused(failure: Failure, title: string): void;
  ask(question: string, answer: string, yes: () => void): void;
}

export class Catalogue {
  readonly #truth = signal<Lists>([]);
  readonly #edits = signal<readonly Edit[]>([]);
  /** In their order, archived ones too. */
  readonly lists = computed(() => {
    const lists = this.#edits.value.reduce((shown, edit) => edit(shown), this.#truth.value);
    return [...lists].sort((a, b) => (a.position < b.position ? -1 : 1));
  });
  readonly #owner: string;
  readonly #api: Client<typeof ListService>;
  readonly #outbox: Outbox;
  readonly #told: Told;
  readonly #closed: AbortSignal;
  /** What was heard of while all were read, which the answer may be older than. */
  readonly #heard = new Set<string>();
  #reading = 0;
  #edited = 0;

  constructor(
    owner: string,
    api: Client<typeof ListService>,
    outbox: Outbox,
    told: Told,
    closed: AbortSignal,
  ) {
    this.#owner = owner;
    this.#api = api;
    this.#outbox = outbox;
    this.#told = told;
    this.#closed = closed;
  }

  /** `inbox` or an id → the name of the list. */
  nameOf(id: string): string {
    return `users/${this.#owner}/lists/${id}`;
  }

  /** The list with this id or name. */
  get(id: string): List | undefined {
    return this.lists.value.find(({ name }) => name.endsWith(`/${id.split("/").at(-1)}`));
  }

  /** Reads them all. What cannot be read now is read at the next look. */
  async load(): Promise<void> {
    if (this.#reading === 0) this.#heard.clear();
    this.#reading += 1;
    try {
      await this.#read();
    } catch (error) {
      if (!this.#closed.aborted) {
        console.info(`The lists were not read: ${failureOf(error).message}`);
      }
    } finally {
      this.#reading -= 1;
    }
  }

  async #read(): Promise<void> {
    const lists: List[] = [];
    let pageToken = "";
    do {
      const ask = { pageSize: MOST, pageToken };
      const answer = await persist(() => this.#api.listLists(ask), { signal: this.#closed });
      lists.push(...answer.lists);
      pageToken = answer.nextPageToken;
    } while (pageToken);
    const known = this.#truth.value;
    const isOld = ({ name }: List): boolean => this.#heard.has(name);
    const told = lists.filter((list) => list.name !== this.nameOf("inbox") && !isOld(list));
    this.#truth.value = [...known.filter(isOld), ...told];
  }

  /** Takes what a live feed tells about lists; tasks are none of its business. */
  take({ resource }: Change): void {
    if (resource.case === "list") this.#merge(resource.value);
    if (resource.case === "removedList") this.#forget(resource.value);
  }

  /** Makes a list, the first of all; tells its id. */
  add(title: string): string {
    const listId = crypto.randomUUID();
    const list = create(ListSchema, { name: this.nameOf(listId), title, position: "!" });
    this.#write(
      title,
      (lists) => [{ ...list, position: this.#first() }, ...lists],
      async (requestId) => (await this.#api.createList({ list, listId, requestId })).list,
    );
    return listId;
  }

  /** Renames a list, or puts it aside or back. */
  change(list: List, wanted: { title?: string; archived?: boolean }): void {
    const paths = Object.keys(wanted);
    const { name } = list;
    this.#write(list.title, each(name, wanted), async (requestId) => {
      const changed = { name, ...wanted };
      return (await this.#api.updateList({ list: changed, updateMask: { paths }, requestId })).list;
    });
  }

  /** Puts a list right after another one, or first. */
  move(list: List, after: List | undefined): void {
    const { name } = list;
    const position = after ? after.position + this.#first() : this.#first();
    const value = after?.name ?? this.nameOf("inbox");
    this.#write(list.title, each(name, { position }), async (requestId) => {
      // An empty mask means what is populated, and that is nothing.
      const request = { list: { name }, place: { case: "after" as const, value }, requestId };
      return (await this.#api.updateList(request)).list;
    });
  }

  /** Deletes a list; if it has tasks, only after the person said so. */
  remove({ name, title }: List, gone: () => void, force = false): void {
    this.#write(
      title,
      (lists) => lists.filter((list) => list.name !== name),
      async (requestId) => {
        await this.#api.deleteList({ name, requestId, force });
        this.#forget(name);
        gone();
      },
      ({ reason }) => {
        if (reason !== "LIST_NOT_EMPTY") return false;
        this.#told.ask(`“${title}” still has tasks. Delete them as well?`, "Delete all", () =>
          this.remove({ name, title } as List, gone, true),
        );
        return true;
      },
    );
  }

  #write(
    title: string,
    edit: Edit,
    send: (requestId: string) => Promise<List | undefined | void>,
    refused?: (failure: Failure) => boolean,
  ): void {
    const requestId = crypto.randomUUID();
    this.#edits.value = [...this.#edits.value, edit];
    const end = (): void => {
      this.#edits.value = this.#edits.value.filter((other) => other !== edit);
    };
    this.#outbox.add({
      send: async () => {
        const list = await send(requestId);
        if (list) this.#merge(list);
        end();
      },
      refused: (failure) => {
        end();
        if (!refused?.(failure)) this.#told.refused(failure, title);
      },
    });
  }

  #merge(list: List): void {
    this.#heard.add(list.name);
    const others = this.#truth.value.filter(({ name }) => name !== list.name);
    const known = this.#truth.value.find(({ name }) => name === list.name);
    this.#truth.value = [...others, newer(known, list)];
  }

  #forget(gone: string): void {
    this.#heard.add(gone);
    this.#truth.value = this.#truth.value.filter(({ name }) => name !== gone);
  }

  /** A place before everything, and before whatever was put there earlier. */
  #first(): string {
    this.#edited += 1;
    return `!${1e9 - this.#edited}`;
  }
}

function newer(known: List | undefined, told: List): List {
  return known && known.revision > told.revision ? known : told;
}

function each(name: string, wanted: Partial<List>): Edit {
  return (lists) => lists.map((list) => (list.name === name ? { ...list, ...wanted } : list));
}
