// `/forgot`: has a mail sent with which the password can be set anew.

import { Heading } from "../ui/heading.tsx";

export function Forgot() {
  return (
    <div class="screen narrow">
      <Heading text="Forgot your password?" />
    </div>
  );
}
