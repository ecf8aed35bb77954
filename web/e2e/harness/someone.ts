// Somebody in front of a browser, with the few things people do here. Whatever
// is touched is found as people find it, by role and by label; what one sees is
// looked up anew each time.

import { type BrowserContext, expect, type Locator, type Page } from "@playwright/test";
import type { Account, Who } from "./account.ts";
import type { Place } from "./place.ts";
import { Calls, isCall } from "./watch.ts";

export class Someone {
  readonly place: Place;
  readonly page: Page;
  readonly who: Who;
  /** What the page called since this person sat down, in all tabs of the browser. */
  readonly calls: Calls;
  readonly #account: Account | undefined;

  constructor(place: Place, page: Page, who: Who, account?: Account) {
    this.place = place;
    this.page = page;
    this.who = who;
    this.calls = new Calls(page.context());
    this.#account = account;
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  /** The same account from outside of the page. */
  get account(): Account {
    if (!this.#account) throw new Error(`${this.who.email} has no account yet`);
    return this.#account;
  }

  /** Another tab of the same browser. */
  async tab(path = "/tasks"): Promise<Someone> {
    const tab = new Someone(this.place, await this.context.newPage(), this.who, this.#account);
    await tab.open(path);
    return tab;
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.place.origin + path);
  }

  // What there is to see and to touch.

  heading(name: string): Locator {
    return this.page.getByRole("heading", { level: 1, name, exact: true });
  }

  field(label: string): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  /** A field in which one chooses. */
  picker(label: string): Locator {
    return this.page.getByRole("combobox", { name: label, exact: true });
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  link(name: string): Locator {
    return this.page.getByRole("link", { name, exact: true });
  }

  alert(text: string | RegExp): Locator {
    return this.page.getByRole("alert").filter({ hasText: text });
  }

  status(text: string | RegExp): Locator {
    return this.page.getByRole("status").filter({ hasText: text });
  }

  /** The tasks on the screen, from the top. */
  get tasks(): Locator {
    return this.page.getByRole("list", { name: "Tasks" }).getByRole("listitem");
  }

  task(title: string): Locator {
    return this.tasks.filter({ has: this.box(title) });
  }

  box(title: string): Locator {
    return this.page.getByRole("checkbox", { name: title, exact: true });
  }

  get editor(): Locator {
    return this.page.getByRole("form", { name: "Edit task" });
  }

  get toasts(): Locator {
    return this.page.getByRole("region", { name: "Notifications" });
  }

  /** A link over the list, such as "Open 3". */
  count(text: string): Locator {
    return this.page.getByRole("navigation", { name: "Show" }).getByRole("link", { name: text });
  }

  // What people do.

  async signUp(): Promise<void> {
    await this.field("Email").fill(this.who.email);
    await this.field("Name (optional)").fill(this.who.displayName);
    await this.field("Password").fill(this.who.password);
    await this.button("Create account").click();
  }

  async signIn(password = this.who.password): Promise<void> {
    await this.field("Email").fill(this.who.email);
    await this.field("Password").fill(password);
    await this.button("Sign in").click();
  }

  async signOut(): Promise<void> {
    await this.button("Sign out").click();
  }

  /** Types a task and sees it in the list; the service has it afterwards. */
  async add(title: string): Promise<void> {
    await this.answered("CreateTask", () => this.type(title));
    await expect(this.task(title)).toBeVisible();
  }

  /** Types a task, whoever may hear of it. */
  async type(title: string): Promise<void> {
    await this.field("New task").fill(title);
    await this.field("New task").press("Enter");
  }

  async check(title: string): Promise<void> {
    await this.answered("CompleteTask", () => this.box(title).click());
  }

  async uncheck(title: string): Promise<void> {
    await this.answered("ReopenTask", () => this.box(title).click());
  }

  async edit(title: string): Promise<void> {
    await this.button(`Edit ${title}`).click();
    await expect(this.editor).toBeVisible();
  }

  async save(): Promise<void> {
    await this.answered("UpdateTask", () =>
      this.editor.getByRole("button", { name: "Save" }).click(),
    );
  }

  async delete(title: string): Promise<void> {
    await this.button(`Delete ${title}`).click();
  }

  /** Does something, and waits until a call of this method was answered. */
  async answered(method: string, act: () => Promise<unknown>): Promise<void> {
    const answer = this.page.waitForResponse((response) => isCall(response.request(), method));
    const [response] = await Promise.all([answer, act()]);
    await response.finished();
  }

  /** Time stands still in all tabs of the browser, until `page.clock` moves it. */
  async stopTheClock(): Promise<void> {
    await this.page.clock.install();
    // A time that the page has passed is refused; streams bear 45 s of silence.
    await this.page.clock.pauseAt(Date.now() + 30_000);
  }

  // What they expect to see.

  async seesTasks(...titles: string[]): Promise<void> {
    await expect(this.heading("Tasks")).toBeVisible();
    await expect(this.tasks.getByRole("checkbox")).toHaveCount(titles.length);
    for (const title of titles) await expect(this.box(title)).toBeVisible();
  }

  /** Everything one did was answered. */
  async settled(): Promise<void> {
    await expect(this.page.locator("[aria-busy=true]")).toHaveCount(0);
  }

  async isAt(path: string): Promise<void> {
    await expect(this.page).toHaveURL(this.place.origin + path);
  }
}
