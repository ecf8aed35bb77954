// What the screens of the settings share: their heading, the way between them,
// and the question for a recent proof.

import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useAddress } from "../address.ts";
import { hear, store } from "../tasks/current.ts";
import { Heading } from "../ui/heading.tsx";
import { Proof } from "./proof.tsx";

const SCREENS = [
  ["/settings/profile", "Profile"],
  ["/settings/password", "Password"],
  ["/settings/factors", "Second factor"],
  ["/settings/sessions", "Devices"],
  ["/settings/activity", "Activity"],
  ["/settings/import", "Import"],
  ["/settings/export", "Export"],
  ["/settings/delete", "Delete account"],
] as const;

export function Frame({ title, children }: { title: string; children: ComponentChildren }) {
  const { path } = useAddress();
  useEffect(hear, [store.value]);
  return (
    <div class="screen">
      <Heading text={title} />
      <nav aria-label="Settings" class="tabs">
        {SCREENS.map(([address, text]) => (
          <a key={address} href={address} aria-current={path === address ? "page" : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <div class="narrow">{children}</div>
      <Proof />
    </div>
  );
}
