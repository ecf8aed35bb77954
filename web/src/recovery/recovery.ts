// The screens that few ever see, by their addresses: what the links of mails lead
// to, and what is left of a deleted account.

import type { Screens } from "../ui/part.tsx";
import { Forgot } from "./forgot.tsx";
import { Receipt } from "./receipt.tsx";
import { Reset } from "./reset.tsx";
import { Verify } from "./verify.tsx";

export const screens: Screens = {
  "/forgot": Forgot,
  "/reset": Reset,
  "/verify": Verify,
  "/receipt": Receipt,
};
