// `/settings/factors`: what is asked for beside the password. What is changed here
// needs a recent proof.

import { Code, type Factor, FactorKind, type Failure, failureOf, timestampDate } from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { duet } from "../duet.ts";
import { persist } from "../link.ts";
import { ask } from "../ui/ask.tsx";
import { Failed } from "../ui/failed.tsx";
import { Loading } from "../ui/loading.tsx";
import { quoted, sayFailure } from "../ui/toasts.tsx";
import { visit } from "../visit.ts";
import { AddAuthenticator } from "./authenticator.tsx";
import { Frame } from "./frame.tsx";
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
  const remove = async ({ name, displayName }: Factor): Promise<void> => {
    const left = await change(async () => {
      await duet.account.deleteFactor({ name });
      return { text: `Removed ${calledIn(displayName)}.` };
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

  const apps = factors?.filter(({ kind }) => kind === FactorKind.TOTP) ?? [];
  const recovery = factors?.find(({ kind }) => kind === FactorKind.RECOVERY_CODES);
  return (
    <Frame title="Second factor">
      <p>
        With a second factor your password alone opens nothing: signing in also takes a code from an
        app on your phone.
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
      {apps.length > 0 && (
        <ul class="devices" aria-label="Authenticators">
          {apps.map((app) => (
            <App
              key={app.name}
              app={app}
              remove={() => ask(question(app, apps.length), "Remove", () => void remove(app))}
            />
          ))}
        </ul>
      )}
      {recovery && codes.length === 0 && (
        <Remaining
          count={recovery.remainingCount}
          renew={() => ask(...RENEW, () => void renew())}
        />
      )}
      {factors && (
        <AddAuthenticator
          first={apps.length === 0}
          added={(displayName, made) => {
            const text = `Added ${calledIn(displayName)}.`;
            // Only the first one brings codes; those of before stay until they are kept.
            tell(made.length > 0 ? { text, codes: made } : { text });
            void load();
          }}
          lost={() => void load()}
          found={(brings) => {
            say(brings ? MAY_BE_DONE : MAY_BE_ADDED);
            void load();
          }}
        />
      )}
    </Frame>
  );
}

const RENEW = [
  "Make ten new recovery codes? The old ones will be good no more.",
  "Make new codes",
] as const;

/** What it is called, at the beginning of something and in a sentence. */
const called = (displayName: string): string => displayName || "Authenticator app";
const calledIn = (displayName: string): string =>
  displayName ? quoted(displayName) : "the authenticator app";

function question({ displayName }: Factor, count: number): string {
  const last = " Your password alone will open the account then, and the recovery codes go too.";
  return `Remove ${calledIn(displayName)}?${count === 1 ? last : ""}`;
}

function App({ app, remove }: { app: Factor; remove: () => void }) {
  const name = called(app.displayName);
  return (
    <li>
      <div>
        <strong>{name}</strong>
        <small>
          Added {when(app.createTime)},{" "}
          {app.lastUseTime ? `last used ${when(app.lastUseTime)}` : "not used since"}
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
