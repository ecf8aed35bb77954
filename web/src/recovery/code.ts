// The receipt of a deletion that was asked for in this tab. In memory only: who
// wants to keep it copies or saves it.

import { signal } from "@preact/signals";

export const receiptCode = signal("");
