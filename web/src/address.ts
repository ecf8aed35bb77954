// The address as a signal: links of the page change it without loading
// anything, back and forward bring it back. Nothing else listens to clicks on
// links or writes to the history, but for the place in a list (place.ts).

import { signal } from "@preact/signals";

export interface Address {
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

const address = signal(read());

function read(): Address {
  const { pathname, search } = location;
  return {
    url: pathname + search,
    path: pathname.replace(/\/+$/, "") || "/",
    query: Object.fromEntries(new URLSearchParams(search)),
  };
}

/** Goes to an address of the page. */
export function route(url: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  address.value = read();
}

/** Where one is; whoever reads it hears of the next. */
export function useAddress(): Address {
  return address.value;
}

function onClick(event: MouseEvent): void {
  const { ctrlKey, metaKey, altKey, shiftKey, button, target } = event;
  if (ctrlKey || metaKey || altKey || shiftKey || button !== 0 || event.defaultPrevented) return;
  const link = target instanceof Element && target.closest("a");
  if (!link || !link.href || link.origin !== location.origin || link.target || link.download)
    return;
  if (link.getAttribute("href")?.startsWith("#")) return;
  event.preventDefault();
  route(link.pathname + link.search);
}

addEventListener("click", onClick);
addEventListener("popstate", () => (address.value = read()));
