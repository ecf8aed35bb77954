// What the sign-in page says to somebody who was sent there: what became of what
// they did.

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** One sentence; gone when the page is left. */
export const welcome = signal("");

export function Welcome() {
  useEffect(() => () => void (welcome.value = ""), []);
  if (welcome.value === "") return null;
  return (
    <p role="status" class="said">
      {welcome}
    </p>
  );
}
