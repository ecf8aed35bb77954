// What is said in the place of a form that has done its part. The button that
// was pressed is gone, so it takes the focus.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function Said({ children }: { children: ComponentChildren }) {
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => said.current?.focus(), []);
  return (
    <p class="said" role="status" tabIndex={-1} ref={said}>
      {children}
    </p>
  );
}

/** What was done last; a new object each time, also where it says the same. */
export interface Done {
  readonly text: string;
}

/** Says what was done by a button that is gone now. */
export function SaidDone({ done }: { done: Done | undefined }) {
  const said = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (done) said.current?.focus();
  }, [done]);
  return (
    <p class="said" role="status" tabIndex={-1} ref={said}>
      {done?.text}
    </p>
  );
}
