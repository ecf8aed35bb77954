// Every screen of the page in every state that it can be in, each as somebody
// gets there. screens.spec.ts looks at them all.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { somebody } from "./account.ts";
import { answerWith, FAULT, hold } from "./answer.ts";
import { factorScenes } from "./factor-scenes.ts";
import { project } from "./paths.ts";
import { ownersScenes } from "./owner-scenes.ts";
import type { Someone } from "./someone.ts";
import type { People } from "./test.ts";

type Scene = (people: People) => Promise<Someone>;

const LONG =
  "Write to the tuner about the grand piano in the small hall, its pedals, its lid and everything else that creaks";

/** A person with some of everything. */
async function busy({ person }: People, path = "/tasks"): Promise<Someone> {
  const ada = await person("ada");
  const { account } = ada;
  const today = new Date();
  const daysAway = (days: number): Date => new Date(today.getTime() + days * 86_400_000);
  await account.complete(await account.add("Book the hall"));
  await account.add("Return the metronome", { due: daysAway(-9) });
  await account.add(LONG, { notes: "440 Hz", due: daysAway(30) });
  await account.add("Rehearse", { due: today });
  await account.add("Buy strings");
  await account.add("Tune the piano", { notes: "440 Hz, and the pedals" });
  await ada.open(path);
  await expect(ada.box("Tune the piano")).toBeVisible();
  return ada;
}

async function editing(people: People): Promise<Someone> {
  const ada = await busy(people);
  await ada.edit("Tune the piano");
  return ada;
}

/** At the sign-in page, refused in this way. */
async function refusedAtSignIn(people: People, retryAfterSeconds?: number): Promise<Someone> {
  const ada = await people.visitor("ada", "/signin");
  await answerWith(ada.page, "SignIn", {
    code: "RESOURCE_EXHAUSTED",
    domain: "duet.auth",
    reason: "HASH_CAPACITY",
    message: "Too many people are signing in. Please try again in a moment.",
    ...(retryAfterSeconds && { retryAfterSeconds }),
  });
  await ada.signIn();
  await expect(ada.alert("There is a problem")).toBeVisible();
  return ada;
}

async function empty({ person }: People, path: string, text: string): Promise<Someone> {
  const ada = await person("ada");
  await ada.open(path);
  await expect(ada.page.getByText(text)).toBeVisible();
  return ada;
}

async function at({ person }: People, path: string, heading: string): Promise<Someone> {
  const ada = await person("ada");
  await ada.open(path);
  await expect(ada.heading(heading)).toBeVisible();
  return ada;
}

const accounts: Record<string, Scene> = {
  "sign-up": ({ visitor }) => visitor("ada"),
  "sign-up, everything wrong": async ({ sit }) => {
    const ada = await sit({ email: "ada", password: "short", displayName: "A".repeat(500) });
    await ada.open("/signup");
    await ada.signUp();
    await expect(ada.alert("There is a problem")).toBeFocused();
    return ada;
  },
  "sign-up, e-mail taken": async ({ person, sit }) => {
    const again = await sit((await person("ada")).who);
    await again.open("/signup");
    await again.signUp();
    await expect(again.link("Sign in instead")).toBeVisible();
    return again;
  },
  "sign-in": ({ visitor }) => visitor("ada", "/signin"),
  "sign-in, wrong": async ({ visitor }) => {
    const ada = await visitor("ada", "/signin");
    await ada.signIn();
    await expect(ada.alert("Invalid credentials")).toBeFocused();
    return ada;
  },
  "sign-in, try again later": (people) => refusedAtSignIn(people, 3_000),
  "sign-in, session expired": async ({ person }) => {
    const ada = await person("ada");
    await ada.account.account.revokeSession({ name: await currentSession(ada) });
    await ada.page.reload();
    await expect(ada.status("Session expired.")).toBeVisible();
    return ada;
  },
};

const lists: Record<string, Scene> = {
  tasks: (people) => busy(people),
  "tasks, all": (people) => busy(people, "/tasks?status=all"),
  "tasks, none open": (people) => empty(people, "/tasks", "Nothing to do."),
  "tasks, none done": (people) => empty(people, "/tasks?status=done", "Nothing is done yet."),
  "tasks, none at all": (people) => empty(people, "/tasks?status=all", "No tasks yet."),
  "tasks, editing": editing,
  "tasks, editing what was refused": async (people) => {
    const ada = await editing(people);
    await ada.editor.getByLabel("Title").fill("la ".repeat(200));
    await ada.save();
    await expect(ada.editor.getByLabel("Title")).toHaveAttribute("aria-invalid", "true");
    return ada;
  },
  "tasks, one deleted": async (people) => {
    const ada = await busy(people);
    await ada.delete("Buy strings");
    await ada.toasts.getByRole("button", { name: "Undo" }).focus();
    return ada;
  },
  "tasks, one refused": async (people) => {
    const ada = await busy(people);
    await answerWith(ada.page, "CompleteTask", FAULT);
    await ada.box("Buy strings").click();
    await expect(ada.alert(FAULT.message)).toBeVisible();
    return ada;
  },
  "tasks, changed elsewhere": async ({ person }) => {
    const ada = await person("ada");
    const id = await ada.account.add("Tune the piano");
    await ada.open("/tasks");
    await ada.edit("Tune the piano");
    await ada.editor.getByLabel("Title").fill(LONG);
    await ada.account.rename(id, "Tune the old piano");
    await ada.editor.getByRole("button", { name: "Save" }).click();
    await expect(ada.page.getByRole("alertdialog")).toBeVisible();
    return ada;
  },
  "tasks, loading": async ({ person }) => {
    const ada = await person("ada");
    await hold(ada.page, "ListTasks");
    await ada.open("/tasks");
    await expect(ada.status("Loading…")).toBeVisible();
    return ada;
  },
  "tasks, not loaded": async ({ person }) => {
    const ada = await person("ada");
    await answerWith(ada.page, "ListTasks", FAULT);
    await ada.open("/tasks");
    await expect(ada.alert("Your tasks could not be loaded")).toBeVisible();
    return ada;
  },
  "tasks, offline": async (people) => {
    people.watch.allowLostCalls();
    const ada = await busy(people);
    await ada.context.setOffline(true);
    await ada.type("Practise");
    await expect(ada.status("1 change is waiting.")).toBeVisible();
    return ada;
  },
  "tasks, Duet not reached": async (people) => {
    people.watch.allowLostCalls();
    const ada = await busy(people);
    await ada.page.route("**/*Service/*", (route) => route.abort("connectionrefused"));
    await ada.type("Practise");
    await expect(ada.button("Try now")).toBeVisible();
    return ada;
  },
  "keyboard shortcuts": async (people) => {
    const ada = await busy(people);
    await ada.page.keyboard.press("?");
    await expect(ada.page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
    return ada;
  },
};

/** A list of her own, with a task that has everything and steps below it. */
async function concert({ person }: People): Promise<Someone> {
  const ada = await person("ada");
  const { account, page } = ada;
  await ada.field("New list").fill("Concert in the small hall");
  await ada.answered("CreateList", () => ada.button("Add list").click());
  await expect(ada.heading("Concert in the small hall")).toBeVisible();
  const list = `${account.user}/lists/${new URL(page.url()).searchParams.get("list")}`;
  const make = async (title: string, parentTask = ""): Promise<string> => {
    const { task } = await account.tasks.createTask({ task: { title, parentTask, list } });
    return task?.name ?? "";
  };
  await make("Rehearse");
  const { task } = await account.tasks.createTask({
    task: {
      title: LONG,
      list,
      notes: "440 Hz",
      priority: 3,
      labels: ["home", "music", "a label that is rather long for a narrow screen"],
      due: { date: { year: 2020, month: 1, day: 2 }, minuteOfDay: 600, timeZone: "Europe/Paris" },
      recurrence: { rrule: "FREQ=MONTHLY;BYDAY=MO,TH;BYSETPOS=-1" },
    },
  });
  const step = await make("Call the tuner", task?.name);
  await make("Look for the number", step);
  await make("Move the chairs", task?.name);
  await page.reload();
  await expect(ada.tasks).toHaveCount(5);
  return ada;
}

const full: Record<string, Scene> = {
  "list, with everything": concert,
  "list, narrow, lists open": async (people) => {
    const ada = await concert(people);
    await ada.page.setViewportSize({ width: 320, height: 800 });
    await ada.button("Lists").click();
    return ada;
  },
  "list, menu of a task": async (people) => {
    const ada = await concert(people);
    await ada.button("More for Rehearse").click();
    await expect(ada.button("Won’t do")).toBeVisible();
    return ada;
  },
  "list, new subtask": async (people) => {
    const ada = await concert(people);
    await ada.button("More for Rehearse").click();
    await ada.button("Add subtask").click();
    return ada;
  },
  "list, editing everything": async (people) => {
    const ada = await concert(people);
    await ada.edit(LONG);
    return ada;
  },
  "list, renaming": async (people) => {
    const ada = await concert(people);
    await ada.button("List options").click();
    await ada.button("Rename").click();
    return ada;
  },
  "list, a question": async (people) => {
    const ada = await concert(people);
    await ada.box(LONG).click();
    await expect(ada.page.getByRole("dialog", { name: /open subtasks/ })).toBeVisible();
    return ada;
  },
  "tasks, filtered by nonsense": async (people) => {
    const ada = await busy(people);
    await ada.button("Filter and sort").click();
    await ada.field("Advanced").fill("due > hello");
    await ada.field("Advanced").press("Enter");
    await expect(ada.field("Advanced")).toHaveAttribute("aria-invalid", "true");
    return ada;
  },
  bin: async ({ person }) => {
    const ada = await person("ada");
    const id = await ada.account.add(LONG);
    await ada.account.tasks.deleteTask({ name: ada.account.nameOf(id) });
    await ada.open("/tasks?list=bin");
    await expect(ada.button(`Restore ${LONG}`)).toBeVisible();
    return ada;
  },
  import: async (people) => {
    const ada = await at(people, "/settings/import", "Import");
    const lines = ["TYPE,CONTENT,PRIORITY,INDENT,DATE", "task,Rehearse,1,1,some day or other"];
    const buffer = Buffer.from(lines.join("\n"));
    await ada.field("File").setInputFiles({ name: "project.csv", mimeType: "text/csv", buffer });
    await ada.button("Check the file").click();
    await expect(ada.page.getByText("What was not carried over")).toBeVisible();
    return ada;
  },
  export: (people) => at(people, "/settings/export", "Export"),
};

const others: Record<string, Scene> = {
  "starting, Duet not reached": async ({ person, watch }) => {
    watch.allowLostCalls();
    const ada = await person("ada");
    await ada.page.route("**/*Service/*", (route) => route.abort("connectionrefused"));
    await ada.open("/tasks");
    await expect(ada.button("Try now")).toBeVisible();
    return ada;
  },
  "one task": async ({ person }) => {
    const ada = await person("ada");
    const id = await ada.account.add(LONG, { notes: "440 Hz", due: new Date() });
    await ada.account.complete(id);
    await ada.open(`/tasks/${id}`);
    await expect(ada.heading(LONG)).toBeVisible();
    return ada;
  },
  "no such task": (people) => at(people, `/tasks/${crypto.randomUUID()}`, "Nothing found"),
  "no such page": (people) => {
    people.watch.allow(/status of 404/);
    return at(people, "/nowhere", "Nothing found");
  },
  profile: async (people) => {
    const ada = await at(people, "/settings/profile", "Profile");
    await ada.field("Name").fill("Ada Lovelace");
    await ada.button("Save").click();
    await expect(ada.status("Saved.")).toBeVisible();
    return ada;
  },
  password: async (people) => {
    const ada = await at(people, "/settings/password", "Password");
    await ada.field("New password").fill("walnut");
    await ada.button("Change password").click();
    await expect(ada.alert("There is a problem")).toBeVisible();
    return ada;
  },
  devices: async (people) => {
    const ada = await people.person("ada");
    await people.device(ada);
    await ada.open("/settings/sessions");
    await expect(ada.button("Sign out all other devices")).toBeVisible();
    return ada;
  },
  "no JavaScript": async ({ sit }) => {
    const ada = await sit(somebody("ada"), undefined, { javaScriptEnabled: false });
    await ada.open("/");
    await expect(ada.heading("Duet needs JavaScript")).toBeVisible();
    return ada;
  },
  // axe is a script itself: the same words and styles, where scripts run.
  "no JavaScript, read by axe": async ({ sit }) => {
    const ada = await sit(somebody("ada"));
    await ada.page.route(ada.place.origin + "/", async (route) => {
      const response = await route.fetch();
      const page = (await response.text()).replace(/<script[^]*?<\/script>|<\/?noscript>/g, "");
      await route.fulfill({ response, body: page });
    });
    await ada.open("/");
    await expect(ada.heading("Duet needs JavaScript")).toBeVisible();
    return ada;
  },
  // What a program says that was built without npm; that it does is a test in Rust.
  "page not built": async ({ sit }) => {
    const ada = await sit(somebody("ada"));
    const folder = join(project, "duet", "src", "up", "page");
    const files = { "/": "not_built.html", "/assets/not-built.css": "not_built.css" };
    for (const [path, file] of Object.entries(files)) {
      const text = (await readFile(join(folder, file), "utf8"))
        .replace("{why}", "needs npm to be built, which was not found")
        .replaceAll(/\{(web|auth|task)\}/g, "127.0.0.1:50051");
      const contentType = file.endsWith(".css") ? "text/css" : "text/html";
      await ada.page.route(ada.place.origin + path, (route) =>
        route.fulfill({ body: text, contentType }),
      );
    }
    await ada.open("/");
    await expect(ada.heading("Duet runs, without its page")).toBeVisible();
    return ada;
  },
};

export const scenes: Record<string, Scene> = {
  ...accounts,
  ...factorScenes,
  ...lists,
  ...full,
  ...others,
  ...ownersScenes,
};

async function currentSession({ account }: Someone): Promise<string> {
  const { sessions } = await account.account.listSessions({});
  return sessions.find(({ current }) => current)?.name ?? "";
}
