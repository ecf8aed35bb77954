// `/settings/activity`: what happened to the account, newest first; and the
// device that did it, to sign it out if it still is signed in.

import {
  type Activity as Happened,
  Code,
  type Failure,
  failureOf,
  timestampDate,
} from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { duet, session } from "../duet.ts";
import { persist } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Loading } from "../ui/loading.tsx";
import { type Done, SaidDone } from "../ui/said.tsx";
import { sayFailure } from "../ui/toasts.tsx";
import { Frame } from "./frame.tsx";
import { inWords } from "./happened.ts";

interface Page {
  readonly all: readonly Happened[];
  readonly next: string;
}

export function Activity() {
  const [page, setPage] = useState<Page>();
  /** The names of the sessions that live. */
  const [living, setLiving] = useState<ReadonlySet<string>>(new Set());
  const [failure, setFailure] = useState<Failure>();
  const [done, setDone] = useState<Done>();
  const loadingMore = useRef(false);

  const load = async (pageToken: string): Promise<void> => {
    const lost = setFailure;
    try {
      const [{ activities, nextPageToken }, { sessions }] = await Promise.all([
        persist(() => duet.account.listActivity({ pageToken }), { lost }),
        persist(() => duet.account.listSessions({ pageSize: 500 }), { lost }),
      ]);
      setFailure(undefined);
      setLiving(new Set(sessions.map(({ name }) => name)));
      setPage((before) => ({
        all: pageToken === "" ? activities : [...(before?.all ?? []), ...activities],
        next: nextPageToken,
      }));
    } catch (error) {
      setFailure(failureOf(error));
    }
  };
  /** Once at a time: the same page is not wanted twice. */
  const more = async (pageToken: string): Promise<void> => {
    if (loadingMore.current) return;
    loadingMore.current = true;
    await load(pageToken);
    loadingMore.current = false;
  };
  useEffect(() => void load(""), []);

  const end = async ({ session: name, deviceLabel }: Happened): Promise<void> => {
    try {
      await duet.account.revokeSession({ name });
      setDone({ text: `Signed out ${deviceLabel || "the device"}.` });
    } catch (error) {
      if (failureOf(error).code !== Code.NotFound) sayFailure(failureOf(error));
    }
    await load("");
  };

  return (
    <Frame title="Activity">
      <p>
        What happened to your account. If it was not you,{" "}
        <a href="/settings/password">change your password</a>.
      </p>
      <SaidDone done={done} />
      {failure && (
        <Failed
          title="Your activity could not be loaded"
          failure={failure}
          again={() => void load("")}
        />
      )}
      {!page && !failure && <Loading />}
      {page && (
        <>
          <ul class="devices" aria-label="Activity">
            {page.all.map((happened, n) => (
              <Item
                key={`${n} ${happened.kind}`}
                happened={happened}
                living={living}
                end={() => void end(happened)}
              />
            ))}
          </ul>
          {page.next !== "" && (
            <button type="button" class="quiet" onClick={() => void more(page.next)}>
              Show more
            </button>
          )}
        </>
      )}
    </Frame>
  );
}

interface ItemProps {
  happened: Happened;
  living: ReadonlySet<string>;
  end: () => void;
}

function Item({ happened, living, end }: ItemProps) {
  const { kind, createTime, addressPrefix, deviceLabel, session: name } = happened;
  const { text, unusual } = inWords(kind);
  const state = session.value;
  const here = state.kind === "signed-in" && state.session === name;
  const time = createTime
    ? timestampDate(createTime).toLocaleString(undefined, {
        dateStyle: "medium",
        timeStyle: "short",
      })
    : "";
  const label = deviceLabel || "this device";
  return (
    <li class={unusual ? "unusual" : undefined}>
      <div>
        <strong>{text}</strong> {unusual && <span class="mark warn">Was this you?</span>}
        {here && <span class="mark">This device</span>}
        <small>{[time, deviceLabel, addressPrefix].filter(Boolean).join(" · ")}</small>
      </div>
      {!here && living.has(name) && (
        <button type="button" class="quiet" onClick={end}>
          Sign out
          <span class="unseen">
            {" "}
            {label}, {time}
          </span>
        </button>
      )}
    </li>
  );
}
