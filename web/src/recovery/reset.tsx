// `/reset`: sets the password by the token of a mail.

import { Heading } from "../ui/heading.tsx";

export function Reset() {
  return (
    <div class="screen narrow">
      <Heading text="Set a new password" />
    </div>
  );
}
