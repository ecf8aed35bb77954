// An authenticator app (RFC 6238) with nothing of Duet in it: SHA-1, six digits,
// thirty seconds. It shows a code once, because Duet takes none twice.

import { createHmac } from "node:crypto";
import { expect } from "@playwright/test";
import type { Account } from "./account.ts";

const STEP_MS = 30_000;
/** How long a code that was shown must stay good. */
const HASTE_MS = 10_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export class Authenticator {
  readonly #secret: Buffer;
  #last = 0;

  /** With a secret in base32, blanks and all. */
  constructor(secret: string) {
    const letters = [...secret.replaceAll(" ", "")];
    const bits = letters.map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0"));
    const bytes = bits.join("").match(/.{8}/g) ?? [];
    this.#secret = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  }

  /** A code that was not shown before; Duet takes one that is a step early or late. */
  async code(): Promise<string> {
    const now = (): number => Math.floor(Date.now() / STEP_MS);
    const step = Math.max(this.#last + 1, Math.floor((Date.now() + HASTE_MS) / STEP_MS) - 1);
    // The fourth within half a minute has to be waited for, as people do.
    await expect.poll(() => now() + 1, { timeout: 2 * STEP_MS }).toBeGreaterThanOrEqual(step);
    this.#last = step;
    return this.#at(step);
  }

  /** Six digits that are none of its codes about now. */
  wrong(): string {
    const near = [-3, -2, -1, 0, 1, 2, 3].map((d) =>
      this.#at(Math.floor(Date.now() / STEP_MS) + d),
    );
    const codes = ["000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777"];
    return codes.find((code) => !near.includes(code)) ?? "";
  }

  #at(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac("sha1", this.#secret).update(counter).digest();
    const offset = (mac.at(-1) ?? 0) & 0xf;
    const number = (mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000;
    return String(number).padStart(6, "0");
  }
}

export interface SecondFactor {
  readonly app: Authenticator;
  readonly recoveryCodes: readonly string[];
}

/** Adds an authenticator to an account, from outside of the page. */
export async function addFactor({ account }: Account, displayName = ""): Promise<SecondFactor> {
  const { name, secret } = await account.beginTotpEnrollment({ displayName });
  const app = new Authenticator(secret);
  const totpCode = await app.code();
  const { recoveryCodes } = await account.confirmTotpEnrollment({ name, totpCode });
  return { app, recoveryCodes };
}
