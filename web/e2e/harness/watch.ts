// What must never happen in any browser of any test: a breach of the content
// security policy, an error on the console, a call to another host. Collected
// from each context, judged when the test ends. And every call that the page
// made, by method, for the tests that count.

import { type BrowserContext, expect, type Page, type Request } from "@playwright/test";

export class Watch {
  readonly problems: string[] = [];
  readonly breaches: string[] = [];
  readonly #hosts = new Set<string>();
  readonly #allowed: RegExp[] = [];

  constructor(...origins: string[]) {
    for (const origin of origins) this.trust(origin);
  }

  /** Takes calls to another host as part of this test. */
  trust(origin: string): void {
    this.#hosts.add(new URL(origin).host);
  }

  /** Takes what happened so far as part of this test. */
  forgive(): void {
    this.problems.length = 0;
  }

  /** Takes one kind of console line as part of this test. */
  allow(...lines: RegExp[]): void {
    this.#allowed.push(...lines);
  }

  /** What a browser says on its console when nobody answers. */
  allowLostCalls(): void {
    this.allow(
      /^Failed to load resource: (net::ERR_|the server responded with a status of 50[234])/,
    );
  }

  async follow(context: BrowserContext): Promise<void> {
    await context.exposeBinding("__breach", (_source, text: string) => this.#note("breach", text));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        const { effectiveDirective, blockedURI, sourceFile, lineNumber } = event;
        const { __breach } = window as unknown as { __breach: (text: string) => void };
        __breach(`${effectiveDirective} ${blockedURI} ${sourceFile}:${lineNumber}`);
      });
    });
    context.on("console", (message) => {
      if (message.type() === "error") this.#note("console", message.text());
    });
    context.on("weberror", (error) => this.#note("uncaught", String(error.error().stack)));
    context.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      const goesOut = protocol !== "data:" && protocol !== "blob:";
      if (goesOut && !this.#hosts.has(host)) this.#note("call to another host", request.url());
    });
  }

  #note(kind: string, text: string): void {
    if (kind === "console" && this.#allowed.some((pattern) => pattern.test(text))) return;
    if (kind === "breach") this.breaches.push(text);
    this.problems.push(`${kind}: ${text}`);
  }
}

/** The calls of a context from now on. */
export class Calls {
  readonly #made: Request[] = [];
  readonly #open = new Set<Request>();

  constructor(context: BrowserContext) {
    context.on("request", (request) => {
      this.#made.push(request);
      this.#open.add(request);
    });
    const over = (request: Request): void => void this.#open.delete(request);
    context.on("requestfinished", over);
    context.on("requestfailed", over);
    // Nobody tells of the calls of a tab that was closed.
    const follow = (page: Page): void => void page.on("close", () => this.#leave(page));
    context.pages().forEach(follow);
    context.on("page", follow);
  }

  /** How many calls of a method have no end yet. */
  open(method: string): number {
    return [...this.#open].filter((request) => isCall(request, method)).length;
  }

  /** Those of one method, such as `RefreshSession`. */
  of(method: string): Request[] {
    return this.#made.filter((request) => isCall(request, method));
  }

  count(method: string): number {
    return this.of(method).length;
  }

  #leave(page: Page): void {
    for (const request of this.#open) {
      if (request.frame().page() === page) this.#open.delete(request);
    }
  }

  /** The access token of the newest call; a screen is there before its first one. */
  async token(): Promise<string> {
    let token: string | undefined;
    const look = async (): Promise<unknown> => (token = await this.#newest());
    await expect.poll(look, { message: "no call carried a token" }).toBeDefined();
    return token ?? "";
  }

  async #newest(): Promise<string | undefined> {
    for (const request of [...this.#made].reverse()) {
      const value = await request.headerValue("authorization");
      if (value) return value.replace("Bearer ", "");
    }
    return undefined;
  }
}

export function isCall(request: Request, method: string): boolean {
  // The question before a call to another origin is none.
  return request.method() === "POST" && request.url().endsWith(`Service/${method}`);
}
