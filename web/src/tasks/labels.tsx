// A field for labels: a comma or Enter makes one of what was typed, Backspace in
// an empty field takes the last away, and each has a button of its own for that.

import { type TargetedEvent } from "preact";
import { useRef, useState } from "preact/hooks";

interface Props {
  /** What the field is called. */
  name: string;
  labels: readonly string[];
  change: (labels: readonly string[]) => void;
}

export function Labels({ name, labels, change }: Props) {
  const [typed, type] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const add = (text: string): void => {
    const more = text.split(",").map((label) => label.trim());
    change([...new Set([...labels, ...more.filter(Boolean)])].sort());
    type("");
  };
  const remove = (label: string): void => {
    change(labels.filter((other) => other !== label));
    // The button that was pressed is gone.
    field.current?.focus();
  };
  const onInput = ({ currentTarget: { value } }: TargetedEvent<HTMLInputElement>): void =>
    value.includes(",") ? add(value) : type(value);
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = labels.at(-1);
    if (event.key === "Enter" && typed.trim() !== "") {
      add(typed);
      // With Ctrl it saves as well.
      if (event.ctrlKey || event.metaKey) return;
    } else if (event.key === "Backspace" && typed === "" && last !== undefined) remove(last);
    else return;
    event.preventDefault();
  };
  return (
    <div class="labels">
      <span aria-hidden="true">{name}</span>
      <span>
        {labels.map((label) => (
          <button
            key={label}
            type="button"
            class="label"
            aria-label={`Remove ${label}`}
            onClick={() => remove(label)}
          >
            {label} ×
          </button>
        ))}
        <input
          ref={field}
          aria-label={name}
          value={typed}
          autoComplete="off"
          onInput={onInput}
          onKeyDown={onKeyDown}
          onBlur={() => typed.trim() !== "" && add(typed)}
        />
      </span>
    </div>
  );
}
