// Seconds that are left until a moment, counted down on the screen.

import { useEffect, useState } from "preact/hooks";

/** Whole seconds until `moment` (by `Date.now()`); 0 when it is over. */
export function useSeconds(moment: number): number {
  const left = (): number => Math.max(0, Math.ceil((moment - Date.now()) / 1000));
  const [, tick] = useState(0);
  useEffect(() => {
    if (left() === 0) return;
    const timer = setInterval(() => {
      tick((n) => n + 1);
      if (left() === 0) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [moment]);
  return left();
}
