// A list service in memory, beside the tasks of service.ts.

import { Code, type ServiceImpl } from "@connectrpc/connect";
import { create, type List, ListSchema, ListService } from "duet-client";
import { refusal } from "../../client/test/support/refusal.ts";

export function listsOf(
  owner: string,
  arrive: (call: string) => Promise<void>,
  cleared: (list: string) => (force: boolean) => boolean,
): ServiceImpl<typeof ListService> {
  const lists = new Map<string, List>();
  const answered = new Set<string>();
  let revision = 0n;
  const nameOf = (id: string): string => `users/${owner}/lists/${id}`;
  const put = (list: List): List => {
    revision += 1n;
    const stored = { ...list, revision, etag: `"${revision}"` };
    lists.set(list.name, stored);
    return stored;
  };
  const get = (name: string): List => {
    const list = lists.get(name);
    if (!list) throw refusal(Code.NotFound, "LIST_NOT_FOUND", "There is no such list.");
    return list;
  };
  /** Whether this request was answered before. */
  const again = (requestId: string): boolean => {
    const known = answered.has(requestId);
    answered.add(requestId);
    return known;
  };
  return {
    createList: async ({ list, listId, requestId }) => {
      await arrive(`create list ${list?.title}`);
      const name = nameOf(listId);
      if (again(requestId)) return { list: get(name) };
      if (list?.title.trim() === "") {
        throw refusal(Code.InvalidArgument, "FIELD_INVALID", "A list needs a title.");
      }
      const position = String(5e6 - lists.size);
      return { list: put(create(ListSchema, { title: list?.title ?? "", name, position })) };
    },
    getList: async ({ name }) => ({ list: get(name) }),
    listLists: async () => {
      const inbox = create(ListSchema, { name: nameOf("inbox"), title: "Inbox" });
      // Read when it is asked for: what is held is old when it comes.
      const all = [inbox, ...lists.values()];
      await arrive("lists");
      return { lists: all };
    },
    updateList: async ({ list, updateMask, place, requestId }) => {
      const what = updateMask?.paths.join() ?? `after ${place.value?.split("/").at(-1)}`;
      await arrive(`update list ${what}`);
      const now = get(list?.name ?? "");
      if (again(requestId)) return { list: now };
      if (place.value === undefined) {
        const { title, archived } = { ...now, ...list };
        const wanted = updateMask?.paths.includes("title") ? { title } : { archived };
        return { list: put({ ...now, ...wanted }) };
      }
      const after = lists.get(place.value)?.position ?? "0";
      return { list: put({ ...now, position: `${after}5` }) };
    },
    deleteList: async ({ name, force, requestId }) => {
      await arrive(`delete list${force ? " all" : ""}`);
      if (again(requestId)) return {};
      get(name);
      if (!cleared(name)(force)) {
        throw refusal(Code.FailedPrecondition, "LIST_NOT_EMPTY", "The list has tasks.");
      }
      lists.delete(name);
      return {};
    },
  };
}
