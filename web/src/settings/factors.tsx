// `/settings/factors`: what is asked for beside the password. What is changed here
// needs a recent proof.

import { Code, type Factor, FactorKind, type Failure, failureOf } from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { knowsPasskeys } from "../account/passkey.tsx";
import { duet } from "../duet.ts";
import { persist } from "../link.ts";
import { ask } from "../ui/ask.tsx";
import { Failed } from "../ui/failed.tsx";
import { Loading } from "../ui/loading.tsx";
import { sayFailure } from "../ui/toasts.tsx";
import { visit } from "../visit.ts";
import { AddAuthenticator, type AddProps } from "./authenticator.tsx";
import { calledIn, FactorList, question } from "./factor-list.tsx";
import { Frame } from "./frame.tsx";
import { AddPasskey } from "./passkey.tsx";
import { withRecentProof } from "./proof.tsx";
import { MAY_BE_ADDED, MAY_BE_DONE, RecoveryCodes } from "./recovery-codes.tsx";

/** So few recovery codes are left that one should make new ones. */
const FEW = 3;

/** What a change did. */
interface Changed {
  readonly text: string;
  /** The recovery codes to show from now on, if they are others. */
  readonly codes?: readonly string[];
}

export function Factors() {
  const [factors, setFactors] = useState<readonly Factor[]>();
  const [failure, setFailure] = useState<Failure>();
  const [said, say] = useState("");
  const [codes, setCodes] = useState<readonly string[]>([]);
  const shown = useRef(codes);
  const status = useRef<HTMLParagraphElement>(null);

  const load = async (): Promise<readonly Factor[] | undefined> => {
    try {
      const list = await persist(() => duet.account.listFactors({}), { lost: setFailure });
      setFailure(undefined);
      setFactors(list.factors);
      return list.factors;
    } catch (error) {
      setFailure(failureOf(error));
      return undefined;
    }
  };
  useEffect(() => void load(), [visit.value]);
  useEffect(() => {
    const areNew = codes.length > 0 && codes !== shown.current;
    shown.current = codes;
    // What was pressed may be gone; new codes take the focus themselves.
    if (said !== "" && !areNew) status.current?.focus();
  }, [said, codes]);

  const tell = ({ text, codes: others }: Changed): void => {
    say(text);
    if (others) setCodes(others);
  };
  /** `lost` is said where nobody answered. Tells what there is then, if that is known. */
  const change = async (
    call: () => Promise<Changed>,
    lost = "",
  ): Promise<readonly Factor[] | undefined> => {
    say("");
    try {
      tell(await withRecentProof(call));
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === Code.Canceled) return undefined;
      if (failure.code !== Code.NotFound) sayFailure(failure);
      if (failure.unreachable) say(lost);
    }
    return load();
  };
  const remove = async (factor: Factor): Promise<void> => {
    const left = await change(async () => {
      await duet.account.deleteFactor({ name: factor.name });
      return { text: `Removed ${calledIn(factor)}.` };
    });
    // The recovery codes go with the last one, whoever removed it, and stay good before.
    if (left?.every(({ kind }) => kind === FactorKind.RECOVERY_CODES)) setCodes([]);
  };
  const renew = async (): Promise<void> => {
    await change(async () => {
      const { recoveryCodes } = await duet.account.regenerateRecoveryCodes({});
      return { text: "The recovery codes from before are good no more.", codes: recoveryCodes };
    }, MAY_BE_DONE);
  };

  const of = (wanted: FactorKind): Factor[] => factors?.filter(({ kind }) => kind === wanted) ?? [];
  const [apps, passkeys] = [of(FactorKind.TOTP), of(FactorKind.PASSKEY)];
  const count = apps.length + passkeys.length;
  const askToRemove = (factor: Factor): void =>
    ask(question(factor, count === 1), "Remove", () => void remove(factor));
  const adding = (kind: FactorKind): AddProps => ({
    first: count === 0,
    added: (displayName, made) => {
      const text = `Added ${calledIn({ kind, displayName })}.`;
      // Only the first one brings codes; those of before stay until they are kept.
      tell(made.length > 0 ? { text, codes: made } : { text });
      void load();
    },
    lost: () => void load(),
    found: (brings) => {
      say(brings ? MAY_BE_DONE : MAY_BE_ADDED);
      void load();
    },
  });
  const recovery = factors?.find(({ kind }) => kind === FactorKind.RECOVERY_CODES);
  return (
    <Frame title="Second factor">
      <p>
        With a second factor your password alone opens nothing: signing in also takes a passkey, or
        a code from an app on your phone.
      </p>
      <p role="status" class="said" tabIndex={-1} ref={status}>
        {said}
      </p>
      {failure && (
        <Failed
          title="Your second factors could not be loaded"
          failure={failure}
          again={() => void load()}
        />
      )}
      {!factors && !failure && <Loading />}
      {codes.length > 0 && <RecoveryCodes codes={codes} kept={() => setCodes([])} />}
      <FactorList label="Passkeys" factors={passkeys} remove={askToRemove} />
      <FactorList label="Authenticators" factors={apps} remove={askToRemove} />
      {recovery && codes.length === 0 && (
        <Remaining
          count={recovery.remainingCount}
          renew={() => ask(...RENEW, () => void renew())}
        />
      )}
      {factors && knowsPasskeys() && (
        <AddPasskey none={passkeys.length === 0} {...adding(FactorKind.PASSKEY)} />
      )}
      {factors && <AddAuthenticator none={apps.length === 0} {...adding(FactorKind.TOTP)} />}
    </Frame>
  );
}

const RENEW = [
  "Make ten new recovery codes? The old ones will be good no more.",
  "Make new codes",
] as const;

function Remaining({ count, renew }: { count: number; renew: () => void }) {
  return (
    <section aria-labelledby="recovery">
      <h2 id="recovery">Recovery codes</h2>
      <p class={count <= FEW ? "notice" : undefined}>
        {count === 1 ? "1 recovery code is left." : `${count} recovery codes are left.`}{" "}
        {count <= FEW && "Make new ones before they run out."}
      </p>
      <button type="button" class="secondary" onClick={renew}>
        Make new recovery codes
      </button>
    </section>
  );
}
