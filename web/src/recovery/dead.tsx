// What is said of a link that leads to nothing: it was used, is too old, or did
// not come along whole.

import type { ComponentChildren } from "preact";
import { Heading } from "../ui/heading.tsx";

interface Props {
  /** Whether there was a token at all. */
  token: string;
  /** Why else it may be good no more than that it was used: how old it is, and so on. */
  causes: readonly string[];
  children: ComponentChildren;
}

export function DeadLink({ token, causes, children }: Props) {
  return (
    <div class="screen narrow">
      <Heading text="This link leads nowhere" />
      {token === "" ? (
        <p>A part of it is missing. Open it once more from the mail, or copy all of it.</p>
      ) : (
        <p>{["It was used already", ...causes].join(", or ")}.</p>
      )}
      {children}
    </div>
  );
}
