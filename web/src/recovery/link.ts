// The secret of a link in a mail. It stands after the `#`, which no server gets
// to see; here it is taken out of the address too, before anything is shown, so
// that neither the history nor somebody who looks on keeps it.

import { useLayoutEffect, useState } from "preact/hooks";
import { useAddress } from "../address.ts";

const NAMED = /^#token=(.+)$/;

/** The token that the address brought; empty if there is none. */
export function useLinkToken(): string {
  const address = useAddress();
  const [token, setToken] = useState(() => NAMED.exec(location.hash)?.[1] ?? "");
  // A second link may be opened in the same tab, which loads nothing anew.
  useLayoutEffect(() => {
    const brought = NAMED.exec(location.hash)?.[1];
    if (brought === undefined) return;
    history.replaceState(null, "", location.pathname);
    setToken(brought);
  }, [address]);
  return token;
}
