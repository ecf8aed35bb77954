// Keys for whoever likes them, and the overview of them. They can be turned
// off, because a single letter is also what a voice or a slip may type.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Dialog } from "./dialog.tsx";

/** What a key does; false where it does nothing. */
export type Shortcuts = Readonly<Record<string, () => boolean>>;

const OVERVIEW: readonly (readonly [string, string])[] = [
  ["n", "New task"],
  ["j or ↓", "Next task"],
  ["k or ↑", "Previous task"],
  ["x", "Done and back"],
  ["e or Enter", "Edit"],
  ["# or Delete", "Delete"],
  ["u", "Undo the deletion"],
  ["Alt + arrows", "Move in my order: up, down, into the one above, out"],
  ["/", "Search"],
  ["1, 2, 3", "Open, done, all of this list"],
  ["?", "This overview"],
  ["Esc", "Close, or cancel editing"],
];

const SETTING = "duet.shortcuts";
const enabled = signal(read());
const open = signal(false);

function read(): boolean {
  try {
    return localStorage.getItem(SETTING) !== "off";
  } catch {
    // A browser may forbid storage; the keys work all the same.
    return true;
  }
}

function enable(on: boolean): void {
  enabled.value = on;
  try {
    if (on) localStorage.removeItem(SETTING);
    else localStorage.setItem(SETTING, "off");
  } catch {
    // Then it holds until the page is loaded again.
  }
}

/** Listens to the keyboard as long as the component is there. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
      if (!enabled.value) return;
      if (event.key === "?") open.value = true;
      else if (!latest.current[event.key]?.()) return;
      event.preventDefault();
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return target.type !== "checkbox";
  return target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName);
}

export function ShortcutsButton() {
  return (
    <button type="button" class="quiet" onClick={() => (open.value = true)}>
      Keyboard shortcuts
    </button>
  );
}

export function ShortcutsDialog() {
  return open.value ? <Overview /> : null;
}

function Overview() {
  const close = (): void => void (open.value = false);
  return (
    <Dialog titled="shortcuts" closed={close}>
      <h2 id="shortcuts">Keyboard shortcuts</h2>
      <dl class="keys">
        {OVERVIEW.map(([keys, text]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={enabled.value} onChange={() => enable(!enabled.value)} />
        Use keyboard shortcuts
      </label>
      <div class="actions">
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
