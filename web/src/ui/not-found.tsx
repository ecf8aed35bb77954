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
