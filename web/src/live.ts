// What the page says about its live feed: that it is being connected anew, once
// that takes long enough to matter, and what others changed, in one sentence for
// as many changes as come together.

import { signal } from "@preact/signals";

/** How long a stream may be away before one is told. */
const PATIENCE_MS = 2_000;
/** How long changes are gathered for one sentence, and how long it stands. */
const GATHER_MS = 1_000;
const STANDS_MS = 5_000;

/** Whether changes made elsewhere do not arrive, and have not for a while. */
export const reconnecting = signal(false);

/** What others changed last, for those who do not see it happen. */
export const news = signal("");

const gathered = new Set<string>();
let patience: ReturnType<typeof setTimeout> | undefined;
let gathering: ReturnType<typeof setTimeout> | undefined;

/** The stream broke off. */
export function lose(): void {
  patience ??= setTimeout(() => (reconnecting.value = true), PATIENCE_MS);
}

/** There is a stream again, or none is wanted any more. */
export function find(): void {
  clearTimeout(patience);
  patience = undefined;
  reconnecting.value = false;
}

/** Somebody else is here: nothing of this is theirs. */
export function hush(): void {
  find();
  clearTimeout(gathering);
  gathering = undefined;
  gathered.clear();
  news.value = "";
}

/** Says that others changed these tasks. */
export function announce(names: readonly string[]): void {
  for (const name of names) gathered.add(name);
  if (gathered.size > 0) gathering ??= setTimeout(say, GATHER_MS);
}

function say(): void {
  const count = gathered.size;
  gathered.clear();
  news.value = count === 1 ? "1 task changed elsewhere." : `${count} tasks changed elsewhere.`;
  // The same sentence again would be no change, and so not be read out.
  gathering = setTimeout(() => {
    news.value = "";
    gathering = undefined;
    announce([]);
  }, STANDS_MS);
}
