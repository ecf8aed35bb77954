// What is said of a link that leads to nothing: it was used, is too old, or did
// not come along whole.

import type { ComponentChildren } from "preact";
import { Heading } from "../ui/heading.tsx";

interface Props {
  /** Whether there was a token at all. */
  token: string;
  /** How long such links are good. */
  lasts: string;
  children: ComponentChildren;
}

export function DeadLink({ token, lasts, children }: Props) {
  return (
    <div class="screen narrow">
      <Heading text="This link leads nowhere" />
      {token === "" ? (
        <p>A part of it is missing. Open it once more from the mail, or copy all of it.</p>
      ) : (
        <p>It was used already, or it is older than {lasts}.</p>
      )}
      {children}
    </div>
  );
}
