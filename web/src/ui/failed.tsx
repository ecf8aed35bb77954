// Something could not be loaded: what, why, under which reference, and the
// button to try again.

import type { Failure } from "duet-client";
import { tryNow } from "../link.ts";

interface Props {
  title: string;
  failure: Failure;
  /** Loads again; by itself nothing does, unless nobody answered. */
  again?: () => void;
}

export function Failed({ title, failure, again }: Props) {
  const retry = (): void => {
    tryNow();
    if (!failure.unreachable) again?.();
  };
  return (
    <div role="alert" class="failed-screen">
      <h2>{title}</h2>
      <p>{failure.message}</p>
      {failure.requestId && <p class="reference">Reference: {failure.requestId}</p>}
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
