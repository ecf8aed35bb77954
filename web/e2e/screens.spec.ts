// Every screen in every state, light and dark, narrow and wide: axe finds
// nothing, nothing is cut off, and a picture of it lies in test-results/screens.

import { looksRight } from "./harness/looks.ts";
import { scenes } from "./harness/scenes.ts";
import { expect, test } from "./harness/test.ts";

for (const [name, scene] of Object.entries(scenes)) {
  test(`axe finds nothing wrong, and all of it can be seen: ${name}`, async ({
    person,
    visitor,
    sit,
    device,
    watch,
    mails,
    place,
    calm,
  }) => {
    const { page } = await scene({ person, visitor, sit, device, watch, mails, place, calm });
    await looksRight(page, name, name !== "no JavaScript");
  });
}

test("with reduced motion nothing moves", async ({ person }) => {
  const ada = await person("ada");
  await ada.page.emulateMedia({ reducedMotion: "reduce" });
  await ada.add("Tune the piano");
  await ada.delete("Tune the piano");
  await expect(ada.toasts).toContainText("Deleted");
  const moving = await ada.page.evaluate(() => {
    const seconds = (list: string): number => Math.max(...list.split(",").map(Number.parseFloat));
    return [...document.querySelectorAll("*")]
      .filter((element) => {
        const { transitionDuration, animationDuration } = getComputedStyle(element);
        return Math.max(seconds(transitionDuration), seconds(animationDuration)) > 0.01;
      })
      .map(({ tagName, className }) => `${tagName}.${className}`);
  });
  expect(moving).toEqual([]);
});
