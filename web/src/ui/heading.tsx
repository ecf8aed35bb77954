// The heading of a screen: names the document, and takes the focus when one
// comes from another screen, so that a screen reader says where one is.

import { useEffect, useRef } from "preact/hooks";

let first = true;
let wentBack = false;
addEventListener("popstate", () => (wentBack = true));

export function Heading({ text, hidden = false }: { text: string; hidden?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${text} · Duet`;
  }, [text]);
  useEffect(() => {
    // The browser places the first screen, and whoever went back where they were.
    if (!first) heading.current?.focus({ preventScroll: true });
    if (!first && !wentBack) scrollTo(0, 0);
    first = wentBack = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} class={hidden ? "unseen" : undefined}>
      {text}
    </h1>
  );
}
