// The frame of the page: header, the screen that the address asks for, and
// what lies over every screen. Who may see what is decided here, once.

import { failureOf } from "duet-client";
import { useEffect, useRef, useState } from "preact/hooks";
import { route, useAddress } from "./address.ts";
import { destination, isEntrance, isPrivate, parting, signInFor } from "./account/next.ts";
import { SignIn } from "./account/signin.tsx";
import { SignUp } from "./account/signup.tsx";
import { begin, displayName, duet, session, startFailure } from "./duet.ts";
import { link } from "./link.ts";
import { ConflictDialog } from "./tasks/conflict.tsx";
import { store } from "./tasks/current.ts";
import { useTaskKeys } from "./tasks/keys.ts";
import { Tasks } from "./tasks/list.tsx";
import { TaskScreen } from "./tasks/task.tsx";
import { Announcer, Ask } from "./ui/ask.tsx";
import { Banner } from "./ui/banner.tsx";
import { Failed } from "./ui/failed.tsx";
import { Loading } from "./ui/loading.tsx";
import { NoSuchPage } from "./ui/not-found.tsx";
import { part } from "./ui/part.tsx";
import { ShortcutsButton, ShortcutsDialog } from "./ui/shortcuts.tsx";
import { endAll, sayFailure, Toasts } from "./ui/toasts.tsx";

const Rare = part(() => import("./rare.ts"));
/** Its screens beside those of the settings. */
const RARE = ["/forgot", "/reset", "/verify", "/receipt"];

export function App() {
  const tasks = store.value;
  // Whose session is over may come back; until then nobody reads what is theirs.
  const signedIn = session.value.kind === "signed-in";
  useTaskKeys(tasks !== undefined && signedIn);
  return (
    <>
      <a href="#main" class="skip">
        Skip to content
      </a>
      <Header />
      <Banner waiting={tasks?.outbox.waiting} />
      <main id="main" tabIndex={-1}>
        <Screen />
      </main>
      <footer>
        <ShortcutsButton />
      </footer>
      {signedIn && <Toasts />}
      {signedIn && tasks && <ConflictDialog store={tasks} />}
      <ShortcutsDialog />
      {signedIn && <Ask />}
      {signedIn && <Announcer />}
    </>
  );
}

function Header() {
  const { path } = useAddress();
  const signedIn = session.value.kind === "signed-in";
  const here = (start: string): "page" | undefined => (path.startsWith(start) ? "page" : undefined);
  return (
    <header>
      <a href="/tasks" class="brand">
        Duet
      </a>
      {signedIn && (
        <>
          <nav aria-label="Main">
            <a href="/tasks" aria-current={here("/tasks")}>
              Tasks
            </a>
            <a href="/settings/profile" aria-current={here("/settings")}>
              Settings
            </a>
          </nav>
          <span class="who">{displayName}</span>
          <SignOut />
        </>
      )}
    </header>
  );
}

function SignOut() {
  const [busy, setBusy] = useState(false);
  const signOut = async (): Promise<void> => {
    setBusy(true);
    endAll();
    try {
      await store.peek()?.outbox.settled();
      await duet.session.signOut();
    } catch (error) {
      sayFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class="quiet" disabled={busy} onClick={() => void signOut()}>
      Sign out
    </button>
  );
}

function Screen() {
  const { url, path, query } = useAddress();
  const state = session.value;
  /** Whose settings are shown, also while their account is being deleted. */
  const owner = useRef("");
  if (state.kind === "signed-in") owner.current = state.userId;
  const target = elsewhere(url, path, query["next"]);
  useEffect(() => {
    if (target !== undefined) route(target, true);
  }, [target]);
  if (target !== undefined) return null;
  if (state.kind === "unknown" && (isPrivate(path) || isEntrance(path))) return <Starting />;
  const tasks = store.value;
  const [, first, second, third] = path.split("/");
  if (path === "/signin") return <SignIn />;
  if (path === "/signup") return <SignUp />;
  if (first === "settings") return <Rare key={owner.current} path={path} />;
  if (RARE.includes(path)) return <Rare path={path} />;
  if (path === "/tasks" && tasks) return <Tasks key={tasks.owner} store={tasks} />;
  if (first === "tasks" && second && third === undefined && tasks) {
    return <TaskScreen key={`${tasks.owner} ${second}`} store={tasks} id={second} />;
  }
  return <NoSuchPage />;
}

/** Where whoever is here must go instead, if anywhere. */
function elsewhere(url: string, path: string, next: string | undefined): string | undefined {
  const state = session.value;
  if (state.kind === "signed-in" && isEntrance(path)) return destination(next);
  if (state.kind !== "signed-out" || parting.value) return undefined;
  if (path === "/") return "/signin";
  if (!isPrivate(path)) return undefined;
  // Who signed out did not ask to come back.
  return state.why === "signed-out" ? "/signin" : signInFor(url);
}

/** Asking whether there is a session; says so if it takes long. */
function Starting() {
  const failure = startFailure.value;
  return (
    <div class="screen">
      <h1 class="unseen">Duet</h1>
      {failure && (
        <Failed title="Duet could not look who you are" failure={failure} again={begin} />
      )}
      {!failure && link.value === "up" && <Loading />}
      {!failure && link.value !== "up" && <p class="empty">Waiting for Duet to answer.</p>}
    </div>
  );
}
