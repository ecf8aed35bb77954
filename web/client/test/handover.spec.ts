// What a tab makes of the answers of the others. Nobody's patience ends here,
// so whatever resolves has not waited for it.

import { expect } from "@playwright/test";
import { answer, askOthers } from "../src/handover.ts";
import { type Device, test } from "./support/device.ts";

const FOREVER = 2 ** 31 - 1;

/** Opens a tab that asks, and one for each answer: what it holds, nothing, or silence. */
async function ask(device: Device, answers: (number | "nothing" | "silence")[], goodFrom: number) {
  const asking = device.join();
  for (const given of answers) {
    const tab = device.join();
    tab.listen((message) => {
      if (message.kind !== "ask" || given === "silence") return;
      answer(tab, message.from, given === "nothing" ? undefined : credentials(given));
    });
  }
  await expect.poll(async () => (await asking.others()).length).toBe(answers.length);
  const isGood = ({ receivedAt }: { receivedAt: number }) => receivedAt >= goodFrom;
  return askOthers(asking, 10, isGood, FOREVER);
}

function credentials(receivedAt: number) {
  return { accessToken: `token of ${receivedAt}`, refreshToken: "", receivedAt };
}

test("tabs that have nothing say so, and are not waited for", async ({ device }) => {
  expect(await ask(device, ["nothing", "nothing"], 0)).toBeUndefined();
});

test("the first good answer is enough", async ({ device }) => {
  expect(await ask(device, ["nothing", 20, "silence"], 20)).toEqual(credentials(20));
});

test("of answers that are not good, the newest counts", async ({ device }) => {
  for (const answers of [
    [20, 30],
    [30, 20],
  ]) {
    expect(await ask(device, answers, 99)).toEqual(credentials(30));
    device.close();
  }
});

test("what the asking tab knows already is no answer", async ({ device }) => {
  expect(await ask(device, [5, 10], 0)).toBeUndefined();
});
