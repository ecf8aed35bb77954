// The part of the page that is loaded when one goes there, and what is said when
// it does not come: after a deploy, or without a network.

import { expect, test } from "./harness/test.ts";

const PART = "**/assets/rare-*.js";

test("a part that is gone after a deploy says so, and is there after a reload", async ({
  person,
  watch,
}) => {
  watch.allow(/status of 404/);
  const ada = await person("ada");
  await ada.page.route(PART, (route) => route.fulfill({ status: 404, body: "" }));
  await ada.link("Settings").click();
  await expect(ada.heading("Not loaded")).toBeFocused();
  await expect(ada.page.getByText("There may be a newer version of it")).toBeVisible();
  await ada.page.unroute(PART);
  await ada.button("Reload").click();
  await expect(ada.heading("Profile")).toBeVisible();
  await ada.isAt("/settings/profile");
});

test("offline the page stays, with what waits; back online the part comes by itself", async ({
  person,
  watch,
}) => {
  watch.allowLostCalls();
  const ada = await person("ada");
  await ada.context.setOffline(true);
  await ada.type("Tune the piano");
  await ada.link("Settings").click();
  await expect(ada.heading("Not loaded")).toBeVisible();
  await ada.button("Reload").click();
  await expect(ada.status("Duet cannot be reached. Nothing is lost")).toBeVisible();
  await ada.answered("CreateTask", () => ada.context.setOffline(false));
  await expect(ada.heading("Profile")).toBeVisible();
  await ada.link("Tasks").click();
  await ada.seesTasks("Tune the piano");
});

test("each screen of the settings and each rare one is there at its own address", async ({
  person,
}) => {
  const ada = await person("ada");
  const screens = {
    "/settings/factors": "Second factor",
    "/settings/activity": "Activity",
    "/settings/export": "Export",
    "/settings/delete": "Delete account",
    "/forgot": "Forgot your password?",
  };
  for (const [path, heading] of Object.entries(screens)) {
    await ada.open(path);
    await expect(ada.heading(heading)).toBeVisible();
  }
});
