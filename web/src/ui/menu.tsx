// A button that opens a few more. They lie over everything, because a list cuts
// off what leaves it; the browser closes them when one goes elsewhere.

import type { TargetedToggleEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

export type Choice = readonly [text: string, run: () => void];

interface Props {
  label: string;
  /** Asked for when it opens. */
  choices: () => readonly (Choice | false)[];
}

export function Menu({ label, choices }: Props) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const place = (): void => {
    const { right, top, bottom } = button.current?.getBoundingClientRect() ?? new DOMRect();
    const above = bottom > innerHeight / 2;
    Object.assign(box.current?.style ?? {}, {
      left: `${right + scrollX}px`,
      top: `${(above ? top : bottom) + scrollY}px`,
      translate: above ? "-100% -100%" : "-100%",
    });
  };
  const onToggle = ({ newState }: TargetedToggleEvent<HTMLDivElement>): void => {
    setOpen(newState === "open");
    place();
  };
  useEffect(() => {
    if (!open) return;
    addEventListener("resize", place);
    return () => removeEventListener("resize", place);
  }, [open]);
  return (
    <div class="menu">
      <button ref={button} type="button" class="quiet" aria-label={label} popovertarget={id}>
        ⋯
      </button>
      <div ref={box} id={id} popover="auto" class="choices" onBeforeToggle={onToggle}>
        {open &&
          choices().map(
            (choice) =>
              choice && (
                <button
                  key={choice[0]}
                  type="button"
                  class="quiet"
                  onClick={() => {
                    box.current?.hidePopover();
                    choice[1]();
                  }}
                >
                  {choice[0]}
                </button>
              ),
          )}
      </div>
    </div>
  );
}
