// The mails that `duet up` puts into a folder instead of sending them, read as
// somebody reads their mail: by recipient and subject, the oldest first.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";

export interface Mail {
  readonly to: string;
  readonly subject: string;
  /** The plain text, and the same for who looks at mails as at pages. */
  readonly text: string;
  readonly html: string;
}

export class Mails {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** All that somebody was sent so far. */
  to(email: string): Mail[] {
    const files = readdirSync(this.#folder).filter((name) => name.endsWith(".eml"));
    const paths = files.map((name) => join(this.#folder, name));
    const age = (path: string): number => statSync(path).mtimeMs;
    return paths
      .sort((a, b) => age(a) - age(b))
      .map((path) => read(readFileSync(path, "utf8")))
      .filter(({ to }) => to === email);
  }

  /** The first mail with this subject, as soon as it is there. */
  async wait(email: string, subject: string): Promise<Mail> {
    const find = (): Mail | undefined => this.to(email).find((mail) => mail.subject === subject);
    await expect.poll(find, { message: `${subject} to ${email}`, intervals: [50] }).toBeDefined();
    return find() as Mail;
  }

  /** The link in it. */
  async link(email: string, subject: string): Promise<string> {
    const { text } = await this.wait(email, subject);
    return /^https?:\/\/\S+$/m.exec(text)?.[0] ?? "";
  }
}

function read(message: string): Mail {
  const [head = "", ...rest] = message.split("\r\n\r\n");
  const header = (name: string): string =>
    new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? "";
  const parts = rest.join("\r\n\r\n").split(`--${boundary}`).slice(1);
  const [text = "", html = ""] = parts.map(content);
  return { to: header("To").replaceAll(/[<>]/g, ""), subject: header("Subject"), text, html };
}

function content(part: string): string {
  const [head = "", ...body] = part.split("\r\n\r\n");
  const encoding = /Content-Transfer-Encoding: (\S+)/i.exec(head)?.[1] ?? "7bit";
  return decode(encoding, body.join("\r\n\r\n")).replaceAll("\r\n", "\n");
}

/** RFC 2045, section 6. */
function decode(encoding: string, body: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  if (encoding !== "quoted-printable") return body;
  const whole = body.replaceAll(/=\r?\n/g, "");
  const byte = (_: string, hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));
  return Buffer.from(whole.replaceAll(/=([0-9A-F]{2})/g, byte), "latin1").toString();
}
