// `duet up` on free ports and a data folder of its own.

import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Mails } from "./mails.ts";
import { installed, program } from "./paths.ts";
import { folder, type Place } from "./place.ts";
import { Program } from "./process.ts";

export class Pair implements Place {
  readonly cookie = { name: "duet-rt", secure: false };
  readonly origin: string;
  readonly auth: string;
  readonly task: string;
  readonly mails: Mails;
  readonly #program: Program;
  readonly #data: string;

  private constructor(program: Program, data: string, [origin, auth, task]: readonly string[]) {
    this.#program = program;
    this.#data = data;
    this.mails = new Mails(join(data, "mail"));
    this.origin = origin ?? "";
    this.auth = `http://${auth}`;
    this.task = `http://${task}`;
  }

  /** Starts it; `settings` are more variables, such as AUTH_ACCESS_TOKEN_TTL. */
  static async start(settings: Record<string, string>): Promise<Pair> {
    const data = folder();
    const free = "127.0.0.1:0";
    const duet = new Program(program("duet"), [], {
      DUET_DATA_DIR: data,
      DUET_LISTEN_ADDR: free,
      AUTH_LISTEN_ADDR: free,
      TASK_LISTEN_ADDR: free,
      DUET_LOG: "info",
      // Everybody in the tests is at the same address.
      AUTH_SIGN_UP_PER_ADDRESS: "1000",
      ...settings,
    });
    // The last line of the banner; the others are there then.
    await duet.line(/duet add/);
    const labels = ["browser", "auth-service", "task-service"];
    const lines = labels.map((label) => duet.line(new RegExp(`^ +${label} +(\\S+)`)));
    const addresses = (await Promise.all(lines)).map((found) => found[1] ?? "");
    return new Pair(duet, data, addresses);
  }

  /** Has all sessions of somebody be proved so much earlier than they were. */
  age({ email }: { email: string }, by: string): void {
    this.#tell(`update data.sessions s set auth_time = s.auth_time - interval '${by}'
      from data.users u where u.user_id = s.user_id and u.email = '${email}'`);
  }

  /** Has all sessions of somebody be over, as after days without a word. */
  expire({ email }: { email: string }): void {
    this.#tell(`update data.sessions s set expires_at = now()
      from data.users u where u.user_id = s.user_id and u.email = '${email}'`);
  }

  /** Has everybody who tried too often have waited long enough. */
  relent(): void {
    this.#tell(`update data.throttles set free_at = '-infinity'`);
  }

  /** Has somebody have used all recovery codes. */
  spendCodes({ email }: { email: string }): void {
    this.#tell(`delete from data.recovery_codes c
      using data.users u where u.user_id = c.user_id and u.email = '${email}'`);
  }

  /** Has there be a service more that had to erase everybody who left, and an operator
   * who waits for it no more. */
  giveUpService(name: string): void {
    this.#tell(`insert into data.erasures (user_id, service, closed_at)
      select user_id, '${name}', now() from data.deletions`);
  }

  /** Has an account be an operator's; a token of the next sign-in says so. */
  makeOperator({ email }: { email: string }): void {
    this.#tell(`update data.users set is_admin = true where email = '${email}'`);
  }

  #tell(statement: string): void {
    const socket = readdirSync(this.#data).find((name) => name.endsWith(".socket")) ?? "";
    const place = ["--host", join(this.#data, socket), "--username", "postgres", "auth"];
    execFileSync(installed("psql"), ["--no-psqlrc", "--quiet", "--command", statement, ...place]);
  }

  log(): string {
    return this.#program.log();
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}
