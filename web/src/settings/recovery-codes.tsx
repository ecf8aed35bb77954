// Recovery codes, shown this once: to copy, to download, to write down. They are
// in this component and nowhere else, and gone with it.

import { useEffect, useRef, useState } from "preact/hooks";
import { session } from "../duet.ts";
import { save } from "../ui/save.ts";

/** What is said where an answer that may have brought codes was lost. */
export const MAY_BE_DONE = "It may be done already; make new recovery codes to be sure.";

/** The same where there are recovery codes already, which are good. */
export const MAY_BE_ADDED = "It may be added already.";

interface Props {
  codes: readonly string[];
  /** They are on paper, or wherever one keeps such things. */
  kept: () => void;
}

export function RecoveryCodes({ codes, kept }: Props) {
  const [said, say] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    say("");
  }, [codes]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(codes.join("\n"));
      say("Copied.");
    } catch {
      say("This browser did not let them be copied. Select them, or download them.");
    }
  };
  const download = (): void => {
    save(new Blob([fileOf(codes)], { type: "text/plain" }), "duet-recovery-codes.txt");
    say("Downloaded.");
  };
  return (
    <section class="codes" aria-labelledby="codes">
      <h2 id="codes" tabIndex={-1} ref={heading}>
        Keep these recovery codes
      </h2>
      <p>
        Each lets you in once when your app or passkey is not at hand. They are shown this once.
        Keep them where you would keep a spare key, and not beside your password.
      </p>
      <ol aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div class="actions">
        <button type="button" class="secondary" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" class="secondary" onClick={download}>
          Download
        </button>
        <button type="button" onClick={kept}>
          I have kept them
        </button>
      </div>
      <p role="status" class="said">
        {said}
      </p>
    </section>
  );
}

function fileOf(codes: readonly string[]): string {
  const state = session.peek();
  const whose = state.kind === "signed-in" ? ` of ${state.email}` : "";
  return `Recovery codes${whose} for ${location.host}\nEach is good once.\n\n${codes.join("\n")}\n`;
}
