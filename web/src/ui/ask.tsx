// One question with two answers, over everything else; and what is said to
// screen readers only.

import { signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Dialog } from "./dialog.tsx";

interface Question {
  readonly text: string;
  readonly answer: string;
  readonly yes: () => void;
}

const question = signal<Question | undefined>(undefined);

/** Asks before something is done that goes further than one may think. */
export function ask(text: string, answer: string, yes: () => void): void {
  question.value = { text, answer, yes };
}

export function Ask() {
  const id = useId();
  const asked = question.value;
  if (!asked) return null;
  const close = (): void => void (question.value = undefined);
  return (
    <Dialog titled={id} closed={close}>
      <h2 id={id}>{asked.text}</h2>
      <div class="actions">
        <button
          type="button"
          onClick={() => {
            close();
            asked.yes();
          }}
        >
          {asked.answer}
        </button>
        <button type="button" class="secondary" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

/** Forgets what was asked and said: somebody else is here. */
export function forget(): void {
  question.value = undefined;
  said.value = "";
}

const said = signal("");

/** Tells screen readers what has moved. */
export function announce(text: string): void {
  said.value = text;
}

export function Announcer() {
  return (
    <div role="status" class="unseen">
      {said}
    </div>
  );
}
