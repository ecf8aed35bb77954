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
