// Dragging by a handle, with a mouse, a pen or a finger. The keyboard has its
// own ways to the same places.

/** How near to an edge of the window it scrolls, and how far. */
const EDGE = 48;
const STEP = 12;

/**
 * Follows the pointer that pressed a handle of `item`, and tells before which
 * of the others it was let go; their number for after the last.
 */
export function drag(
  event: PointerEvent,
  item: Element | null,
  others: readonly Element[],
  drop: (at: number) => void,
): void {
  const handle = event.currentTarget;
  if (event.button !== 0 || !(handle instanceof Element) || !item) return;
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  item.classList.add("dragged");
  let at = -1;
  const mark = (on: boolean): void => {
    others[at]?.classList.toggle("drop-before", on);
    if (at === others.length) others.at(-1)?.classList.toggle("drop-after", on);
  };
  const move = ({ clientY }: PointerEvent): void => {
    mark(false);
    const found = others.findIndex((other) => {
      const { top, height } = other.getBoundingClientRect();
      return clientY < top + height / 2;
    });
    at = found < 0 ? others.length : found;
    mark(true);
    if (clientY < EDGE) scrollBy(0, -STEP);
    if (clientY > innerHeight - EDGE) scrollBy(0, STEP);
  };
  const listening = new AbortController();
  const end = ({ type }: Event): void => {
    listening.abort();
    mark(false);
    item.classList.remove("dragged");
    if (type === "pointerup" && at >= 0) drop(at);
  };
  const { signal } = listening;
  handle.addEventListener("pointermove", move as EventListener, { signal });
  handle.addEventListener("pointerup", end, { signal });
  handle.addEventListener("pointercancel", end, { signal });
}
