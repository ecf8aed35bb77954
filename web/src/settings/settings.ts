// The screens behind `/settings`, by their addresses.

import type { Screens } from "../ui/part.tsx";
import { Activity } from "./activity.tsx";
import { Delete } from "./delete.tsx";
import { Export } from "./export.tsx";
import { Factors } from "./factors.tsx";
import { Password } from "./password.tsx";
import { Profile } from "./profile.tsx";
import { Sessions } from "./sessions.tsx";
import { Import } from "./transfer.tsx";

export const screens: Screens = {
  "/settings/profile": Profile,
  "/settings/password": Password,
  "/settings/factors": Factors,
  "/settings/sessions": Sessions,
  "/settings/activity": Activity,
  "/settings/import": Import,
  "/settings/export": Export,
  "/settings/delete": Delete,
};
