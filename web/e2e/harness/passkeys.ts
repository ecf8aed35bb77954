// A device that keeps passkeys, as Chromium plays it for its developers (WebAuthn
// virtual authenticators). Who sits before it always agrees, unless told otherwise.

import type { CDPSession } from "@playwright/test";
import type { Someone } from "./someone.ts";

export class PasskeyDevice {
  readonly #cdp: CDPSession;
  readonly #id: string;

  private constructor(cdp: CDPSession, id: string) {
    this.#cdp = cdp;
    this.#id = id;
  }

  /** The device of this page, also after it is loaded again. */
  static async of({ page, context }: Someone): Promise<PasskeyDevice> {
    const cdp = await context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new PasskeyDevice(cdp, authenticatorId);
  }

  /** Whether whoever is asked agrees, or turns away. */
  async agree(agrees: boolean): Promise<void> {
    const authenticatorId = this.#id;
    await this.#cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: agrees });
  }

  /** How often each of its passkeys has answered. */
  async answers(): Promise<number[]> {
    const { credentials } = await this.#cdp.send("WebAuthn.getCredentials", {
      authenticatorId: this.#id,
    });
    return credentials.map(({ signCount }) => signCount);
  }
}
