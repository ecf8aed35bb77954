// What a thief would look for, and what another page would try.

import { type Elsewhere, elsewhere } from "./harness/elsewhere.ts";
import { call } from "./harness/call.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test as base } from "./harness/test.ts";

const test = base.extend<{ evil: Elsewhere }>({
  /** Another site's page, open in the same browser. */
  evil: async ({ watch }, use) => {
    const icon = `<link rel="icon" href="data:,">`;
    const evil = await elsewhere({ "/": `<!doctype html>${icon}<title>Evil</title>` });
    watch.trust(evil.origin);
    watch.trust(evil.localhost);
    await use(evil);
    await evil.close();
  },
});

const REFRESH = "auth.v1.AuthService/RefreshSession";

/** Everything a script, a neighbour or a backup could find of a page. */
function traces(someone: Someone): Promise<string> {
  return someone.page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    const caches = await window.caches.keys();
    const entries = performance.getEntries().map(({ name }) => name);
    return JSON.stringify({
      local: { ...localStorage },
      session: { ...sessionStorage },
      databases,
      caches,
      cookie: document.cookie,
      address: location.href,
      state: history.state as unknown,
      name: window.name,
      entries,
      globals: Object.keys(window).filter((key) => typeof Reflect.get(window, key) === "string"),
      document: document.documentElement.outerHTML,
    });
  });
}

test("FR-014: no token is in storage, document, address or history", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  const token = await ada.calls.token();
  const [cookie] = await ada.context.cookies();
  for (const path of ["/tasks", "/settings/sessions", "/settings/password"]) {
    await ada.open(path);
    await expect(ada.button("Sign out")).toBeVisible();
    const found = await traces(ada);
    for (const secret of [token, cookie?.value ?? "", "eyJ", "rt1."]) {
      expect(secret).not.toBe("");
      expect(found).not.toContain(secret);
    }
    expect(JSON.parse(found)).toMatchObject({ local: {}, session: {}, databases: [], cookie: "" });
  }
});

test("after a sign-out nothing of the session is left", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.signOut();
  await expect(ada.heading("Sign in")).toBeVisible();
  expect(await ada.context.cookies()).toEqual([]);
  const found = await traces(ada);
  expect(found).not.toContain("Tune the piano");
  expect(found).not.toContain(ada.who.email);
  await ada.page.goBack();
  await expect(ada.page.getByText("Tune the piano")).toHaveCount(0);
});

test("the cookies are out of reach for scripts and other sites", async ({ visitor, place }) => {
  const ada = await visitor("ada");
  await ada.signUp();
  await ada.seesTasks();
  const cookies = await ada.context.cookies();
  const names = [place.cookie.name, place.cookie.name.replace("duet-rt", "duet-device")];
  expect(cookies.map(({ name }) => name).sort()).toEqual(names.sort());
  for (const cookie of cookies) {
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/" });
  }
});

test("a page of another origin can neither refresh the session nor read anything", async ({
  person,
  evil,
  watch,
  place,
}) => {
  watch.allow(/CORS policy/, /net::ERR_FAILED/);
  const ada = await person("ada");
  const token = await ada.calls.token();
  const page = await ada.context.newPage();
  await page.goto(evil.origin);
  const methods = [REFRESH, "auth.v1.AuthService/SignOut", "task.v1.TaskService/ListTasks"];
  const authorization = `Bearer ${token}`;
  for (const method of methods) {
    for (const headers of [undefined, { authorization }]) {
      const outcome = await call(page, method, headers, place.origin);
      expect(outcome).toEqual({ status: undefined, message: "TypeError: Failed to fetch" });
    }
  }
  await ada.page.reload();
  await ada.seesTasks();
});

test("the cookie with any other origin is refused: ORIGIN_REJECTED", async ({
  person,
  evil,
  place,
}) => {
  const ada = await person("ada");
  const [cookie] = await ada.context.cookies();
  for (const origin of [evil.origin, "null", undefined]) {
    const response = await fetch(`${place.origin}/${REFRESH}`, {
      method: "POST",
      headers: {
        "content-type": "application/grpc-web+proto",
        cookie: `${cookie?.name}=${cookie?.value}`,
        ...(origin !== undefined && { origin }),
      },
      body: new Uint8Array(5),
    });
    expect(response.headers.get("grpc-status")).toBe("7");
    const details = response.headers.get("grpc-status-details-bin") ?? "";
    expect(Buffer.from(details, "base64").toString()).toContain("ORIGIN_REJECTED");
    expect(response.headers.get("set-cookie")).toBeNull();
  }
});

test("a form on another page that posts a frame as text is refused: 415", async ({
  person,
  evil,
  watch,
  place,
}) => {
  watch.allow(/status of 4(15|04)/);
  const ada = await person("ada");
  // Another port is the same site, so its calls carry the cookie; another name is not.
  for (const origin of [evil.origin, evil.localhost]) {
    const page = await ada.context.newPage();
    await page.goto(origin);
    const answer = page.waitForResponse((response) => response.url().startsWith(place.origin));
    await page.evaluate((action) => {
      const form = document.createElement("form");
      form.method = "POST";
      form.enctype = "text/plain";
      form.action = action;
      const field = document.createElement("input");
      field.name = "\0\0\0\0\0";
      form.append(field);
      document.body.append(form);
      form.submit();
    }, `${place.origin}/auth.v1.AuthService/SignOut`);
    expect((await answer).status()).toBe(415);
  }
  await ada.page.reload();
  await ada.seesTasks();
});

test("no other page can frame Duet", async ({ person, evil, watch, place }) => {
  watch.allow(/frame-ancestors|Framing|refused to connect/);
  const ada = await person("ada");
  const page = await ada.context.newPage();
  await page.goto(evil.origin);
  await page.evaluate((src) => {
    const frame = document.createElement("iframe");
    frame.src = src;
    document.body.append(frame);
  }, `${place.origin}/tasks`);
  await expect
    .poll(() => page.frames().some((frame) => frame.url().startsWith("chrome-error")))
    .toBe(true);
});

test("code from outside the page's own files does not run", async ({ person, watch }) => {
  const ada = await person("ada");
  await ada.page.evaluate(() => {
    const script = document.createElement("script");
    const run = (text: string): void => {
      try {
        script.textContent = text;
        document.head.append(script);
      } catch {
        // Trusted types have refused it already.
      }
    };
    run("window.ran = true");
  });
  expect(await ada.page.evaluate(() => "ran" in window)).toBe(false);
  await expect.poll(() => watch.breaches.length).toBeGreaterThan(0);
  watch.forgive();
});
