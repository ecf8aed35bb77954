// The form in which a task is edited, in the list and on its own page.

import type { JSX, TargetedEvent } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Draft, Values } from "./draft.ts";
import type { TaskStore } from "./store.ts";

interface Props {
  store: TaskStore;
  id: string;
  draft: Draft;
  /** Where the task has a page of its own; absent on that page. */
  address?: string;
  /** Called when the editor was closed by saving or cancelling. */
  closed?: () => void;
}

export function Editor({ store, id, draft: { base, values, faults }, address, closed }: Props) {
  const title = useRef<HTMLInputElement>(null);
  const own = useId();
  // Before the next key is pressed: it is meant for the title.
  useLayoutEffect(() => {
    if (address !== undefined) title.current?.focus();
  }, []);

  const change =
    (field: keyof Values) =>
    (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement>): void => {
      const typed = { ...values, [field]: event.currentTarget.value };
      // A time without a date means nothing.
      if (typed.date === "") typed.time = "";
      store.draft(id, typed);
    };
  const save = (event?: Event): void => {
    event?.preventDefault();
    store.save(id);
    closed?.();
  };
  const cancel = (): void => {
    store.discard(id);
    closed?.();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") cancel();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const wrong = (path: string): string => {
    const found = faults.filter(({ field }) => field.startsWith(path));
    return found.map(({ message }) => message).join(" ");
  };
  const described = (path: string) => {
    return wrong(path) === ""
      ? {}
      : { "aria-invalid": true as const, "aria-describedby": own + path };
  };
  const fault = (path: string): JSX.Element | false =>
    wrong(path) !== "" && (
      <p id={own + path} class="fault">
        {wrong(path)}
      </p>
    );

  return (
    <form class="editor" aria-label="Edit task" noValidate onSubmit={save} onKeyDown={onKeyDown}>
      <label class="wide">
        Title
        <input
          ref={title}
          value={values.title}
          onInput={change("title")}
          autoComplete="off"
          {...described("task.title")}
        />
      </label>
      {fault("task.title")}
      <label class="wide">
        Notes
        <textarea
          rows={Math.min(8, values.notes.split("\n").length + 1)}
          value={values.notes}
          onInput={change("notes")}
          {...described("task.notes")}
        />
      </label>
      {fault("task.notes")}
      <div class="pair">
        <label>
          Due date
          <input
            type="date"
            max="9999-12-31"
            value={values.date}
            onInput={change("date")}
            {...described("task.due")}
          />
        </label>
        <label>
          Due time
          <input
            type="time"
            value={values.time}
            disabled={values.date === ""}
            onInput={change("time")}
          />
        </label>
        {base.due?.timeZone && <small>Time zone: {base.due.timeZone}</small>}
      </div>
      {fault("task.due")}
      <div class="actions">
        <button type="submit">Save</button>
        <button type="button" class="secondary" onClick={cancel}>
          Cancel
        </button>
        {address && <a href={address}>Open on its own page</a>}
      </div>
    </form>
  );
}
