// A part of the page that is loaded when somebody first goes there: screens by
// their addresses. One that could not be loaded says so and loses nothing: the
// page is loaded again only when asked for, and only if somebody answers.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { visit } from "../visit.ts";
import { Heading } from "./heading.tsx";
import { Loading } from "./loading.tsx";
import { NoSuchPage } from "./not-found.tsx";

/** Screens by their addresses. */
export type Screens = Readonly<Record<string, ComponentType>>;

/** The part that `load` brings, as a component; loaded once, when it is first shown. */
export function part(load: () => Promise<{ screens: Screens }>) {
  let loaded: Screens | undefined;
  return function Part({ path }: { path: string }) {
    const [, look] = useState(0);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded) return;
      const arrived = ({ screens }: { screens: Screens }): void => {
        loaded = screens;
        look((n) => n + 1);
      };
      // Whoever comes back to the page, or to the network, need not ask again.
      load().then(arrived, () => setFailed(true));
    }, [visit.value]);
    if (!loaded) return failed ? <NotLoaded /> : <Waiting />;
    const Screen = loaded[path];
    return Screen ? <Screen /> : <NoSuchPage />;
  };
}

function Waiting() {
  return (
    <div class="screen">
      <Loading />
    </div>
  );
}

function NotLoaded() {
  const [said, say] = useState("");
  const reload = async (): Promise<void> => {
    say("");
    try {
      // Without an answer there would be no page any more, and what waits would be gone.
      await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
      location.reload();
    } catch {
      say("Duet cannot be reached. Nothing is lost; please try again in a moment.");
    }
  };
  return (
    <div class="screen narrow">
      <Heading text="Not loaded" />
      <p>
        This part of the page could not be loaded. There may be a newer version of it, or no
        connection.
      </p>
      <button type="button" onClick={() => void reload()}>
        Reload
      </button>
      <p role="status" class="said">
        {said}
      </p>
    </div>
  );
}
