// `/tasks/{id}`: one task, with everything about it.

import { type Failure, failureOf, type Task, TaskStatus, timestampDate } from "duet-client";
import { route } from "../address.ts";
import { useEffect, useState } from "preact/hooks";
import { Failed } from "../ui/failed.tsx";
import { Heading } from "../ui/heading.tsx";
import { Loading } from "../ui/loading.tsx";
import { NotFound } from "../ui/not-found.tsx";
import { visit } from "../visit.ts";
import { hear } from "./current.ts";
import { valuesOf } from "./draft.ts";
import { Editor } from "./editor.tsx";
import type { Row } from "./entries.ts";
import { isClosed, removeTask } from "./row.tsx";
import type { TaskStore } from "./store.ts";

export function TaskScreen({ store, id }: { store: TaskStore; id: string }) {
  const [failure, setFailure] = useState<Failure>();
  const [missing, setMissing] = useState(false);
  const read = async (): Promise<void> => {
    try {
      setFailure(undefined);
      setMissing((await store.read(id)) === undefined);
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  useEffect(() => void read(), [id, visit.value]);
  // Whoever came here first has read no list with which the feed would begin.
  useEffect(hear, [store]);

  const key = store.entries.keyOf(`users/${store.owner}/tasks/${id}`);
  const row = key === undefined ? undefined : store.entries.row(key);
  if (row) return <TaskView key={key} store={store} row={row} />;
  if (missing) {
    return (
      <NotFound text="There is no such task.">
        <a href="/tasks">Back to tasks</a>
      </NotFound>
    );
  }
  return (
    <div class="screen">
      <Heading text="Task" hidden />
      {failure ? (
        <Failed title="The task could not be loaded" failure={failure} again={() => void read()} />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function TaskView({ store, row }: { store: TaskStore; row: Row }) {
  const { key, task } = row;
  const done = task.status !== TaskStatus.OPEN;
  const draft = store.drafts.value.get(key) ?? { base: task, values: valuesOf(task), faults: [] };
  const remove = (): void => {
    removeTask(store, row);
    route("/tasks");
  };
  if (task.deleteTime) {
    return (
      <div class="screen narrow">
        <Heading text={task.title} />
        <p class="about">
          <When text="In the bin since" stamp={task.deleteTime} />
          <When text="Gone for good on" stamp={task.expireTime} />
        </p>
        <button type="button" onClick={() => store.undelete(key)}>
          Restore
        </button>
      </div>
    );
  }
  return (
    <div class="screen narrow" aria-busy={row.waiting ? true : undefined}>
      <a href="/tasks" class="back">
        Back to tasks
      </a>
      <Heading text={task.title} />
      <label class="check">
        <input
          type="checkbox"
          checked={done}
          onChange={(event) => {
            if (done) store.reopen(key);
            else store.complete(key);
            event.currentTarget.checked = isClosed(store, key);
          }}
        />
        {task.status === TaskStatus.CANCELLED ? "Won’t do" : "Done"}
      </label>
      <Editor store={store} id={key} draft={draft} />
      <p class="about">
        <When text="Created" stamp={task.createTime} />
        <When
          text={task.status === TaskStatus.CANCELLED ? "Cancelled" : "Completed"}
          stamp={done ? task.completeTime : undefined}
        />
      </p>
      <button type="button" class="quiet delete" onClick={remove}>
        Delete task
      </button>
    </div>
  );
}

function When({ text, stamp }: { text: string; stamp: Task["createTime"] }) {
  if (!stamp) return null;
  const date = timestampDate(stamp);
  const words = date.toLocaleString(undefined, { dateStyle: "long", timeStyle: "short" });
  return (
    <span>
      {text} <time dateTime={date.toISOString()}>{words}</time>
    </span>
  );
}
