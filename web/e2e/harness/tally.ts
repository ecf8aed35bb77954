// The last line of a run, for whoever reads only that: `N passed, N failed`.
// What was interrupted or could not run has failed, and so has a file that could
// not be read.

import type { FullConfig, Reporter, Suite } from "@playwright/test/reporter";

export default class Tally implements Reporter {
  #suite: Suite | undefined;
  #errors = 0;

  onBegin(_config: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  onError(): void {
    this.#errors += 1;
  }

  printsToStdio(): boolean {
    return false;
  }

  async onExit(): Promise<void> {
    const tests = this.#suite?.allTests() ?? [];
    const passed = tests.filter((test) => test.results.length > 0 && test.ok()).length;
    console.log(`${passed} passed, ${tests.length - passed + this.#errors} failed`);
  }
}
