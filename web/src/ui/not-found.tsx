// An address with nothing behind it.

import type { ComponentChildren } from "preact";
import { Heading } from "./heading.tsx";

export function NotFound({ text, children }: { text: string; children: ComponentChildren }) {
  return (
    <div class="screen narrow">
      <Heading text="Nothing found" />
      <p>{text}</p>
      <p>{children}</p>
    </div>
  );
}

export function NoSuchPage() {
  return (
    <NotFound text="There is no such page.">
      <a href="/tasks">Back to tasks</a>
    </NotFound>
  );
}
