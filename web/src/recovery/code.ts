// The receipt of a deletion that was asked for in this tab. In memory only: who
// wants to keep it copies or saves it, and whoever signs in next does not see it.

import { effect, signal } from "@preact/signals";
import { session } from "../duet.ts";

export const receiptCode = signal("");

effect(() => {
  if (session.value.kind === "signed-in") receiptCode.value = "";
});
