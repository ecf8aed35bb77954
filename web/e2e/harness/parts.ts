// Every part a process of its own, as in docker-compose.yml but without
// containers: Postgres, both services, and Caddy with deploy/Caddyfile in front
// of them. Each can be stopped, killed and started again at its old address.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { builtPage, installed, program, project } from "./paths.ts";
import { folder, type Place } from "./place.ts";
import { descendants, Program } from "./process.ts";

type Variables = Record<string, string>;
export type Service = "auth" | "task";

const PATIENCE = { timeout: 30_000, intervals: [50] };
const PROGRAMS = { auth: "auth-service", task: "task-service" } as const;

export class Parts implements Place {
  readonly cookie = { name: "__Host-duet-rt", secure: true };
  readonly origin: string;
  readonly auth: string;
  readonly task: string;
  readonly #folder = folder();
  readonly #ports: Ports;
  readonly #running = new Map<string, Program>();
  /** The variables of both services; those of the database come with it. */
  readonly #settings: Record<Service, Variables>;
  #postmaster = 0;

  private constructor(ports: Ports) {
    this.#ports = ports;
    this.origin = `https://localhost:${ports.web}`;
    this.auth = `http://127.0.0.1:${ports.auth}`;
    this.task = `http://127.0.0.1:${ports.task}`;
    const key = (): string => randomBytes(32).toString("base64");
    this.#settings = {
      auth: {
        AUTH_LISTEN_ADDR: `127.0.0.1:${ports.auth}`,
        AUTH_ADMIN_ADDR: `127.0.0.1:${ports.authAdmin}`,
        AUTH_ALLOWED_ORIGINS: this.origin,
        AUTH_TRUSTED_PROXIES: "127.0.0.0/8,::1",
        AUTH_SIGN_UP_PER_ADDRESS: "1000",
        AUTH_KEY_ENCRYPTION_KEY: key(),
      },
      task: {
        TASK_LISTEN_ADDR: `127.0.0.1:${ports.task}`,
        TASK_ADMIN_ADDR: `127.0.0.1:${ports.taskAdmin}`,
        TASK_AUTH_URL: this.auth,
        TASK_KEY_CACHE_FILE: join(this.#folder, "trusted-keys.json"),
        TASK_PAGE_TOKEN_KEY: key(),
      },
    };
  }

  /** Starts everything; `seat` keeps the ports of workers apart. */
  static async start(seat: number): Promise<Parts> {
    const parts = new Parts(await freePorts(20_000 + seat * 500));
    try {
      await parts.startPostgres();
      parts.#makeDatabases();
      await Promise.all([parts.startService("auth"), parts.startService("task")]);
      await parts.#startProxy();
      return parts;
    } catch (error) {
      await Promise.all([...parts.#running.values()].map((running) => running.kill()));
      throw new Error(`The parts did not start: ${String(error)}\n${parts.log()}`);
    }
  }

  async startPostgres(): Promise<void> {
    const data = join(this.#folder, "postgres");
    const postgres = new Program(program("embedded-postgres"), [data]);
    this.#running.set("postgres", postgres);
    const [, pid, url] = await postgres.line(/^(\d+) (postgres:\S+)$/);
    this.#postmaster = Number(pid);
    const as = (role: string, database: string): string => {
      const address = new URL(url ?? "");
      address.username = role;
      address.pathname = database;
      return address.href;
    };
    this.#settings.auth["AUTH_DATABASE_URL"] = as("auth_app", "auth");
    this.#settings.auth["AUTH_OWNER_DATABASE_URL"] = as("auth_owner", "auth");
    this.#settings.task["TASK_DATABASE_URL"] = as("tasks_app", "tasks");
    this.#settings.task["TASK_OWNER_DATABASE_URL"] = as("tasks_owner", "tasks");
  }

  /** Starts a service, and waits until it says itself that it is ready. */
  async startService(service: Service): Promise<void> {
    const running = new Program(program(PROGRAMS[service]), [], this.#settings[service]);
    this.#running.set(service, running);
    const readyz = `http://127.0.0.1:${this.#ports[`${service}Admin`]}/readyz`;
    const isReady = (): Promise<boolean> =>
      fetch(readyz).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isReady, { message: `${service}: ${running.log()}`, ...PATIENCE }).toBe(true);
  }

  /** Ends a part without a last word. */
  async kill(part: Service | "postgres"): Promise<void> {
    // The server itself; the program around it ends when it does.
    if (part === "postgres") process.kill(this.#postmaster, "SIGKILL");
    await this.#part(part).kill();
  }

  /** Has Postgres hang; `carryOn` lets it go on. */
  hang(): { carryOn: () => void } {
    const stopped: number[] = [];
    const stop = (pid: number): void => {
      process.kill(pid, "SIGSTOP");
      stopped.push(pid);
    };
    // It first: then it forks no more, and those that end keep their numbers.
    stop(this.#postmaster);
    descendants(this.#postmaster).forEach(stop);
    return { carryOn: () => stopped.forEach((pid) => process.kill(pid, "SIGCONT")) };
  }

  /** Starts whatever a test left dead. */
  async mend(): Promise<void> {
    if (!this.#part("postgres").running) await this.startPostgres();
    for (const service of ["auth", "task"] as const) {
      if (!this.#part(service).running) await this.startService(service);
    }
  }

  async stop(): Promise<void> {
    for (const part of ["proxy", "task", "auth", "postgres"]) await this.#running.get(part)?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  log(): string {
    const logs = [...this.#running].map(([part, running]) => `== ${part}\n${running.log()}`);
    return logs.join("\n");
  }

  #part(part: string): Program {
    const running = this.#running.get(part);
    if (!running) throw new Error(`${part} was never started`);
    return running;
  }

  /** The same as deploy/postgres/init.sh, without passwords, and the migrations. */
  #makeDatabases(): void {
    const { auth, task } = this.#settings;
    const superuser = new URL(auth["AUTH_DATABASE_URL"] ?? "");
    superuser.username = "postgres";
    superuser.pathname = "postgres";
    for (const schema of ["auth", "tasks"]) {
      const statements = [
        `create role ${schema}_owner login nosuperuser nobypassrls`,
        `create role ${schema}_app login nosuperuser nobypassrls`,
        `create database ${schema} owner ${schema}_owner`,
        `revoke all on database ${schema} from public`,
        `grant connect on database ${schema} to ${schema}_app`,
      ];
      const commands = statements.flatMap((statement) => ["--command", statement]);
      const args = ["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", ...commands];
      execFileSync(installed("psql"), [...args, superuser.href]);
    }
    for (const [service, settings] of [
      ["auth", auth],
      ["task", task],
    ] as const) {
      execFileSync(program(PROGRAMS[service]), ["migrate"], { env: settings });
    }
  }

  async #startProxy(): Promise<void> {
    const home = join(this.#folder, "caddy");
    mkdirSync(home);
    const config = join(project, "deploy", "Caddyfile");
    const args = ["run", "--config", config, "--adapter", "caddyfile"];
    const proxy = new Program(installed("caddy"), args, {
      HOME: home,
      XDG_DATA_HOME: home,
      XDG_CONFIG_HOME: home,
      WEB_ADDRESS: this.origin,
      WEB_ROOT: builtPage,
      WEB_HTTP_PORT: String(this.#ports.webPlain),
      AUTH_UPSTREAM: new URL(this.auth).host,
      TASK_UPSTREAM: new URL(this.task).host,
    });
    this.#running.set("proxy", proxy);
    await proxy.line(/serving initial configuration/);
  }
}

type Ports = Record<"auth" | "task" | "authAdmin" | "taskAdmin" | "web" | "webPlain", number>;

/**
 * Ports that are free now and stay so: outside of the range from which the
 * system picks ports for outgoing connections.
 */
async function freePorts(from: number): Promise<Ports> {
  let port = from;
  const next = async (): Promise<number> => {
    do port += 1;
    while (!(await isFree(port)));
    return port;
  };
  return {
    auth: await next(),
    task: await next(),
    authAdmin: await next(),
    taskAdmin: await next(),
    web: await next(),
    webPlain: await next(),
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
