// The place in the list that one looks at: kept in the address while one
// scrolls, found again when the address is opened. A piece of the list is a page.

import { useEffect, useRef } from "preact/hooks";

/** Browsers allow few changes of the address, and each costs: one when the scrolling rests. */
const REST = 150;

/** For how many frames a place that was found is held. */
const FRAMES = 6;

/** `list` is the element whose children are the pieces. */
export function usePlace(list: { readonly current: Element | null }) {
  const place = useRef<{ page: number; restored: boolean }>(undefined);
  place.current ??= { page: asked(), restored: asked() === 1 };
  const { current } = place;

  useEffect(() => {
    // The browser would go by height, which it cannot know before all is loaded.
    if (!current.restored) history.scrollRestoration = "manual";
    return () => {
      history.scrollRestoration = "auto";
    };
  }, []);

  useEffect(() => {
    let planned: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      if (!current.restored || !list.current) return;
      const page = pageInView(list.current.children);
      if (page === current.page) return;
      current.page = page;
      history.replaceState(history.state, "", addressAt(page));
    };
    const onScroll = (): void => {
      clearTimeout(planned);
      planned = setTimeout(look, REST);
    };
    addEventListener("scroll", onScroll, { passive: true });
    return () => {
      clearTimeout(planned);
      removeEventListener("scroll", onScroll);
    };
  }, []);

  /** Goes to the place, once it is there. */
  const restore = (): void => {
    const piece = list.current?.children[current.page - 1];
    if (current.restored || !piece) return;
    current.restored = true;
    align(piece, FRAMES);
  };
  return { page: current.page, restore };
}

/** Pieces above get their true height only when they come into view, which moves this one. */
function align(piece: Element, frames: number): void {
  piece.scrollIntoView();
  if (frames > 0) requestAnimationFrame(() => align(piece, frames - 1));
}

function asked(): number {
  const page = Number(new URLSearchParams(location.search).get("page"));
  return Number.isInteger(page) && page > 0 ? page : 1;
}

function pageInView(pieces: HTMLCollection): number {
  const above = [...pieces].filter((piece) => piece.getBoundingClientRect().bottom < 1);
  return Math.min(above.length + 1, Math.max(pieces.length, 1));
}

function addressAt(page: number): string {
  const query = new URLSearchParams(location.search);
  if (page > 1) query.set("page", String(page));
  else query.delete("page");
  return location.pathname + (query.size > 0 ? `?${query}` : "") + location.hash;
}
