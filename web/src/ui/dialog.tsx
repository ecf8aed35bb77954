// A dialog over the page. The focus goes into it and back to where it was.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  /** Id of its heading. */
  titled: string;
  closed: () => void;
  children: ComponentChildren;
}

export function Dialog({ titled, closed, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={titled} onClose={closed}>
      <article>{children}</article>
    </dialog>
  );
}
