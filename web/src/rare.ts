// The screens that are not on the way to the tasks, as one part that is loaded
// when somebody goes there. One and not several: what parts share with the first
// load would fall into more files, and the first load would pay for that.

import { screens as recovery } from "./recovery/recovery.ts";
import { screens as settings } from "./settings/settings.ts";
import type { Screens } from "./ui/part.tsx";

export const screens: Screens = { ...settings, ...recovery };
