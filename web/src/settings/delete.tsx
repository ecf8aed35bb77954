// `/settings/delete`: the end of the account.

import { Frame } from "./frame.tsx";

export function Delete() {
  return <Frame title="Delete account">{null}</Frame>;
}
