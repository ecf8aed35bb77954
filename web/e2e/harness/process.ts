// A program of ours while it runs: its output read all the time, because a full
// pipe would stop it, and its end waited for.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** The longest a test waits for a program. */
const PATIENCE_MS = 60_000;

type Variables = Record<string, string>;

/** None of them outlives the tests. */
const children = new Set<ChildProcess>();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));

export class Program {
  readonly name: string;
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #looking = new Set<() => void>();

  constructor(path: string, args: readonly string[], variables: Variables = {}) {
    this.name = path.split("/").at(-1) ?? path;
    const env = { ...untold(), ...variables };
    this.#child = spawn(path, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    this.#ended = once(this.#child, "close");
    this.#ended.then(
      () => this.#look(),
      (error: unknown) => this.#heard(String(error)),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", (line) => this.#heard(line));
    }
    children.add(this.#child);
    this.#child.once("exit", () => children.delete(this.#child));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Waits for a line of output; tells what the pattern found in it. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = setTimeout(() => this.kill(), PATIENCE_MS);
    try {
      for (;;) {
        const found = this.lines.map((line) => pattern.exec(line)).find(Boolean);
        if (found) return found;
        if (!this.running) throw new Error(`${this.name} ended: ${this.log()}`);
        await new Promise<void>((look) => this.#looking.add(look));
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) process.kill(this.pid, signal);
  }

  /** Ends it as it likes to end, and waits for that. */
  async stop(): Promise<void> {
    this.signal("SIGINT");
    const deadline = setTimeout(() => this.signal("SIGKILL"), PATIENCE_MS);
    await this.#ended;
    clearTimeout(deadline);
    if (this.#child.exitCode !== 0) {
      throw new Error(`${this.name} ended with ${this.#child.exitCode}: ${this.log()}`);
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }

  /** The last it said. */
  log(): string {
    return this.lines.slice(-200).join("\n");
  }

  #heard(line: string): void {
    this.lines.push(line);
    this.#look();
  }

  #look(): void {
    const looking = [...this.#looking];
    this.#looking.clear();
    for (const look of looking) look();
  }
}

/** The environment without what would tell the programs something. */
function untold(): NodeJS.ProcessEnv {
  const told = /^(DUET|AUTH|TASK|WEB)_|^PG/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !told.test(name)));
}

/** The processes whose ancestor is `pid`, from /proc. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(entry);
    if (parent) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found = [pid];
  for (const parent of found) found.push(...(children.get(parent) ?? []));
  return found.slice(1);
}

function parentOf(pid: string): number {
  try {
    // pid (name) state parent …; the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0; // It has ended meanwhile.
  }
}
