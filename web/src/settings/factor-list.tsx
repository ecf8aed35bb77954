// The second factors of one kind, and what each is called.

import { type Factor, FactorKind, timestampDate } from "duet-client";
import { quoted } from "../ui/toasts.tsx";

type Named = Pick<Factor, "kind" | "displayName">;

/** What it is called, at the beginning of something and in a sentence. */
const called = ({ kind, displayName }: Named): string =>
  displayName || (kind === FactorKind.PASSKEY ? "Passkey" : "Authenticator app");
export const calledIn = (factor: Named): string =>
  factor.displayName ? quoted(factor.displayName) : `the ${lower(called(factor))}`;

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What is asked before it is removed. */
export function question(factor: Factor, isLast: boolean): string {
  const last = " Your password alone will open the account then, and the recovery codes go too.";
  return `Remove ${calledIn(factor)}?${isLast ? last : ""}`;
}

interface Props {
  label: string;
  factors: readonly Factor[];
  remove: (factor: Factor) => void;
}

export function FactorList({ label, factors, remove }: Props) {
  if (factors.length === 0) return null;
  return (
    <ul class="devices" aria-label={label}>
      {factors.map((factor) => (
        <Row key={factor.name} factor={factor} remove={() => remove(factor)} />
      ))}
    </ul>
  );
}

function Row({ factor, remove }: { factor: Factor; remove: () => void }) {
  const name = called(factor);
  const { createTime, lastUseTime } = factor;
  return (
    <li>
      <div>
        <strong>{name}</strong>
        <small>
          Added {when(createTime)},{" "}
          {lastUseTime ? `last used ${when(lastUseTime)}` : "not used since"}
        </small>
      </div>
      <button type="button" class="quiet" onClick={remove}>
        Remove<span class="unseen"> {name}</span>
      </button>
    </li>
  );
}

function when(stamp: Factor["createTime"]): string {
  if (!stamp) return "";
  const style = { dateStyle: "medium", timeStyle: "short" } as const;
  return timestampDate(stamp).toLocaleString(undefined, style);
}
