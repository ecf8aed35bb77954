// A page that is not served by Duet: the client package's example, on another
// origin of the same site (with the cookie) and on another site (without).

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { Page } from "@playwright/test";
import { type Elsewhere, elsewhere } from "./harness/elsewhere.ts";
import { web } from "./harness/paths.ts";
import type { Place } from "./harness/place.ts";
import type { Someone } from "./harness/someone.ts";
import { expect, test as base } from "./harness/test.ts";

interface Pages {
  /** Its two origins are on the services' lists. */
  listed: Elsewhere;
  unlisted: Elsewhere;
}

const test = base.extend<object, Pages>({
  listed: [async ({}, use) => serve(use), { scope: "worker" }],
  unlisted: [async ({}, use) => serve(use), { scope: "worker" }],
  settings: [
    async ({ listed }, use) => {
      const origins = `${listed.origin},${listed.localhost}`;
      await use({ AUTH_ALLOWED_ORIGINS: origins, TASK_ALLOWED_ORIGINS: origins });
    },
    { scope: "worker" },
  ],
});

async function serve(use: (page: Elsewhere) => Promise<void>): Promise<void> {
  const example = join(web, "client", "examples");
  const { outputFiles } = await build({
    entryPoints: [join(example, "main.ts")],
    bundle: true,
    format: "esm",
    write: false,
  });
  const html = await readFile(join(example, "index.html"), "utf8");
  const icon = `<link rel="icon" href="data:,">`;
  const page = await elsewhere({
    "/": html.replace("</head>", `${icon}</head>`),
    "/main.js": outputFiles[0]?.text ?? "",
  });
  await use(page);
  await page.close();
}

test.beforeEach(({ watch, place, listed, unlisted }) => {
  const pages = [listed, unlisted].flatMap(({ origin, localhost }) => [origin, localhost]);
  for (const origin of [...pages, byName(place.auth), byName(place.task)]) watch.trust(origin);
});

/** The services under the name `localhost`, to which 127.0.0.1 is another site. */
function byName(address: string): string {
  return address.replace("127.0.0.1", "localhost");
}

async function open(page: Page, place: Place, origin: string, refresh: string): Promise<void> {
  const query = new URLSearchParams({
    auth: byName(place.auth),
    task: byName(place.task),
    refresh,
  });
  await page.goto(`${origin}/?${query}`);
}

async function add(someone: Someone, title: string): Promise<void> {
  await someone.field("New task").fill(title);
  await someone.button("Add").click();
  await expect(someone.tasks).toHaveText([title]);
}

test("same site, other origin: the cookie carries the session over a reload", async ({
  person,
  sit,
  place,
  listed,
}) => {
  const ada = await sit((await person("ada")).who);
  await open(ada.page, place, listed.localhost, "cookie");
  await ada.signIn();
  await add(ada, "From elsewhere");
  expect(await ada.context.cookies()).toMatchObject([
    { name: "duet-rt", httpOnly: true },
    { name: "duet-device", httpOnly: true },
  ]);
  await ada.page.reload();
  await expect(ada.tasks).toHaveText(["From elsewhere"]);
  await ada.button("Sign out").click();
  await expect(ada.button("Sign in")).toBeVisible();
  // By what is left the service knows the device again, and nobody is signed in.
  expect(await ada.context.cookies()).toMatchObject([{ name: "duet-device", httpOnly: true }]);
});

test("another site: the refresh token stays in memory, and the session ends with the page", async ({
  person,
  sit,
  place,
  listed,
}) => {
  const ada = await sit((await person("ada")).who);
  await ada.page.clock.install();
  await open(ada.page, place, listed.origin, "memory");
  await ada.signIn();
  await add(ada, "From another site");
  await ada.page.clock.fastForward("06:00");
  await ada.button("Add").focus();
  await ada.field("New task").fill("Later");
  await ada.button("Add").click();
  await expect(ada.tasks).toHaveText(["Later", "From another site"]);
  expect(ada.calls.count("RefreshSession")).toBe(1);
  expect(await ada.context.cookies()).toEqual([]);
  const stored = await ada.page.evaluate(() => ({ ...localStorage, ...sessionStorage }));
  expect(stored).toEqual({});
  await ada.page.reload();
  await expect(ada.button("Sign in")).toBeVisible();
});

test("an origin that is on no list is refused", async ({ person, sit, place, unlisted, watch }) => {
  watch.allow(/CORS policy/, /net::ERR_FAILED/);
  const ada = await sit((await person("ada")).who);
  for (const [origin, refresh] of [
    [unlisted.origin, "memory"],
    [unlisted.localhost, "cookie"],
  ] as const) {
    await open(ada.page, place, origin, refresh);
    await expect(ada.page.getByRole("heading", { name: "Duet from elsewhere" })).toBeVisible();
    const answer = ada.page.waitForEvent("requestfailed");
    await ada.page.evaluate(
      async (url) => {
        await fetch(url, { method: "POST", headers: { "x-grpc-web": "1" } }).catch(() => undefined);
      },
      `${byName(place.auth)}/auth.v1.AuthService/SignIn`,
    );
    await answer;
    expect(await ada.context.cookies()).toEqual([]);
  }
});
