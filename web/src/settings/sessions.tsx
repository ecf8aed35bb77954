// `/settings/sessions`: the devices one is signed in on, to end any of them.

import { Code, type Device, type Failure, failureOf, timestampDate } from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { duet } from "../duet.ts";
import { persist } from "../link.ts";
import { Failed } from "../ui/failed.tsx";
import { Loading } from "../ui/loading.tsx";
import { sayFailure } from "../ui/toasts.tsx";
import { visit } from "../visit.ts";
import { deviceName } from "./device.ts";
import { Frame } from "./frame.tsx";

interface Listed {
  readonly devices: readonly Device[];
  readonly next: string;
}

export function Sessions() {
  const [listed, setListed] = useState<Listed>();
  const [failure, setFailure] = useState<Failure>();
  const [done, setDone] = useState("");
  const loadingMore = useRef(false);
  const status = useRef<HTMLParagraphElement>(null);

  const load = async (pageToken: string): Promise<void> => {
    try {
      const list = (): ReturnType<typeof duet.account.listSessions> =>
        duet.account.listSessions({ pageToken });
      const { sessions, nextPageToken } = await persist(list, { lost: setFailure });
      setFailure(undefined);
      setListed((before) => ({
        devices: pageToken === "" ? sessions : [...(before?.devices ?? []), ...sessions],
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
  useEffect(() => void load(""), [visit.value]);
  useEffect(() => {
    // The button that was pressed is gone.
    if (done !== "") status.current?.focus();
  }, [done]);

  const end = async (call: () => Promise<string>): Promise<void> => {
    try {
      setDone(await call());
    } catch (error) {
      if (failureOf(error).code !== Code.NotFound) sayFailure(failureOf(error));
    }
    await load("");
  };
  const endOne = (device: Device): Promise<void> =>
    end(async () => {
      await duet.account.revokeSession({ name: device.name });
      return `Signed out ${deviceName(device.userAgent)}.`;
    });
  const endOthers = (): Promise<void> =>
    end(async () => {
      const { revokedCount } = await duet.account.revokeOtherSessions({});
      return `Signed out ${revokedCount} other ${revokedCount === 1n ? "device" : "devices"}.`;
    });

  return (
    <Frame title="Devices">
      <p>
        You are signed in on these devices. If you do not know one, sign it out and change your
        password.
      </p>
      <p role="status" class="said" tabIndex={-1} ref={status}>
        {done}
      </p>
      {failure && (
        <Failed
          title="Your devices could not be loaded"
          failure={failure}
          again={() => void load("")}
        />
      )}
      {!listed && !failure && <Loading />}
      {listed && (
        <>
          <ul class="devices" aria-label="Devices">
            {listed.devices.map((device) => (
              <Item key={device.name} device={device} end={() => void endOne(device)} />
            ))}
          </ul>
          {listed.next !== "" && (
            <button type="button" class="quiet" onClick={() => void more(listed.next)}>
              Show more
            </button>
          )}
          {listed.devices.some(({ current }) => !current) && (
            <button type="button" class="secondary" onClick={() => void endOthers()}>
              Sign out all other devices
            </button>
          )}
        </>
      )}
    </Frame>
  );
}

function Item({ device, end }: { device: Device; end: () => void }) {
  const name = deviceName(device.userAgent);
  const time = (stamp: Device["createTime"]): string =>
    stamp
      ? timestampDate(stamp).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" })
      : "";
  return (
    <li>
      <div>
        <strong>{name}</strong> {device.current && <span class="mark">This device</span>}
        <small>
          Signed in {time(device.createTime)}, last active {time(device.lastActiveTime)}
        </small>
      </div>
      {!device.current && (
        <button type="button" class="quiet" onClick={end}>
          Sign out<span class="unseen"> {name}</span>
        </button>
      )}
    </li>
  );
}
