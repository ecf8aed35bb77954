// `/settings/export`: what one takes along.

import { Frame } from "./frame.tsx";
import { ExportTasks } from "./transfer.tsx";

export function Export() {
  return (
    <Frame title="Export">
      <ExportTasks />
    </Frame>
  );
}
