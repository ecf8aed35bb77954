// `/receipt`: how far a deletion has come.

import { Heading } from "../ui/heading.tsx";

export function Receipt() {
  return (
    <div class="screen narrow">
      <Heading text="Deleted account" />
    </div>
  );
}
