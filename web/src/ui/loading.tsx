// "Loading…", but only after a moment: most waits are over before one notices.

import { useEffect, useState } from "preact/hooks";

const MOMENT = 200;

export function Loading() {
  const [shown, show] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => show(true), MOMENT);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" class="loading">
      {shown && (
        <>
          <span class="dots" aria-hidden="true" />
          Loading…
        </>
      )}
    </div>
  );
}
