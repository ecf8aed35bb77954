// `/settings/activity`: what happened to the account.

import { Frame } from "./frame.tsx";

export function Activity() {
  return <Frame title="Activity">{null}</Frame>;
}
