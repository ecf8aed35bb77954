// `/settings/factors`: what is asked for beside the password.

import { Frame } from "./frame.tsx";

export function Factors() {
  return <Frame title="Second factor">{null}</Frame>;
}
