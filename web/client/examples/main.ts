// Signs in, lists and adds tasks, from another origin. The address says where the services are:
// ?auth=<url>&task=<url>&refresh=cookie|memory
import { createDuet, failureOf, type SessionState } from "duet-client";

const asked = new URLSearchParams(location.search);
const duet = createDuet({
  authUrl: asked.get("auth") ?? location.origin,
  taskUrl: asked.get("task") ?? asked.get("auth") ?? location.origin,
  refreshToken: asked.get("refresh") === "memory" ? "memory" : "cookie",
});
const find = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;
const [signIn, add] = [find<HTMLFormElement>("sign-in"), find<HTMLFormElement>("add")];
const [signedIn, list, failure] = [find("signed-in"), find("tasks"), find("failure")];

function show(state: SessionState) {
  signIn.hidden = state.kind !== "signed-out";
  signedIn.hidden = state.kind !== "signed-in";
  list.replaceChildren();
  if (state.kind === "signed-in") attempt(showTasks);
}

async function showTasks() {
  const { tasks } = await duet.tasks.listTasks({});
  list.replaceChildren(
    ...tasks.map(({ title }) => {
      const item = document.createElement("li");
      item.textContent = title;
      return item;
    }),
  );
}

function attempt(work: () => Promise<unknown>) {
  failure.textContent = "";
  work().catch((error: unknown) => (failure.textContent = failureOf(error).message));
}

function onSubmit(form: HTMLFormElement, work: (field: (name: string) => string) => Promise<void>) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    attempt(() => work((name) => String(data.get(name))).then(() => form.reset()));
  });
}

onSubmit(signIn, async (field) => {
  const account = { email: field("email"), password: field("password") };
  const challenge = await duet.session.signIn(account);
  if (!challenge) return;
  const value = prompt("The code of your authenticator app?") ?? "";
  await duet.session.completeSignIn(challenge, { case: "totpCode", value });
});
onSubmit(add, async (field) => {
  await duet.tasks.createTask({ task: { title: field("title") }, requestId: crypto.randomUUID() });
  await showTasks();
});
find("sign-out").addEventListener("click", () => attempt(() => duet.session.signOut()));
duet.session.subscribe(show);
attempt(() => duet.session.start());
