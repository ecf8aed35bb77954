// `/verify`: takes the token of a mail as a proof.

import { Heading } from "../ui/heading.tsx";

export function Verify() {
  return (
    <div class="screen narrow">
      <Heading text="Verify your email" />
    </div>
  );
}
