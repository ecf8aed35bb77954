// Writes on their way to the service: made one after the other, in the order in
// which the person made them, each until it is answered. A write carries its
// request id, so making it twice does it once.

import { effect, signal } from "@preact/signals";
import { Code, type Failure, failureOf } from "duet-client";
import { link, persist } from "../link.ts";

export interface Write {
  /** Makes the call; may be called again after nobody answered. */
  send(): Promise<void>;
  /** The service said no; what was shown beforehand is taken back. */
  refused(failure: Failure, error: unknown): void;
}

export class Outbox {
  /** How many writes are under way. */
  readonly waiting = signal(0);
  readonly #writes: Write[] = [];
  readonly #closed: AbortSignal;
  readonly #drained: () => void;
  #running = false;

  constructor(closed: AbortSignal, drained: () => void) {
    this.#closed = closed;
    this.#drained = drained;
  }

  add(write: Write): void {
    this.#writes.push(write);
    this.waiting.value = this.#writes.length;
    void this.resume();
  }

  /** Resolves once nothing is under way any more, or nothing gets through. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      const stop = effect(() => {
        if (this.waiting.value > 0 && link.value === "up") return;
        resolve();
        queueMicrotask(() => stop());
      });
    });
  }

  /** Goes on after a pause for want of a session. */
  async resume(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#writes[0] && (await this.#make(this.#writes[0]))) {
        this.#writes.shift();
        this.waiting.value = this.#writes.length;
      }
      if (this.#writes.length === 0) this.#drained();
    } finally {
      this.#running = false;
    }
  }

  /** Whether the write is over and done with. */
  async #make(write: Write): Promise<boolean> {
    try {
      await persist(() => write.send(), { signal: this.#closed });
    } catch (error) {
      if (this.#closed.aborted) return false;
      const failure = failureOf(error);
      // It waits for the person to sign in again.
      if (failure.code === Code.Unauthenticated) return false;
      write.refused(failure, error);
    }
    return true;
  }
}
