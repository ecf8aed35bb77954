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
  const gone = useRef(false);
  useLayoutEffect(() => {
    const [shown, before] = [dialog.current, document.activeElement];
    shown?.showModal();
    return () => {
      gone.current = true;
      // While it is open nothing else can have the focus.
      shown?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={titled} onClose={() => gone.current || closed()}>
      <article>{children}</article>
    </dialog>
  );
}
