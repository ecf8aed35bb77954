// Tasks in and out as files.

import { readFile } from "node:fs/promises";
import { expect, test } from "./harness/test.ts";

const CSV = ["TYPE,CONTENT,PRIORITY,INDENT,DATE", "task,Tune the piano,1,1,", "task,,4,1,"].join(
  "\n",
);

test("what is exported can be imported by somebody else", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.open("/settings/export");
  await expect(ada.heading("Export")).toBeVisible();
  const download = ada.page.waitForEvent("download");
  await ada.button("Download").click();
  const file = await download;
  expect(file.suggestedFilename()).toBe("duet.json");
  await expect(ada.status("The file was downloaded.")).toBeVisible();

  const eve = await person("eve");
  await eve.open("/settings/import");
  await eve.field("File").setInputFiles(await file.path());
  await eve.answered("ImportTasks", () => eve.button("Check the file").click());
  await expect(eve.status("This file would become 1 task and 0 lists.")).toBeVisible();
  expect(await eve.account.titles()).toEqual([]);
  await eve.answered("ImportTasks", () => eve.button("Import").click());
  await expect(eve.status("Imported 1 task and 0 lists.")).toBeVisible();
  await eve.link("Tasks").click();
  await eve.seesTasks("Tune the piano");
});

test("the format is guessed, and what cannot be carried over is told", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/settings/import");
  const file = { name: "project.csv", mimeType: "text/csv", buffer: Buffer.from(CSV) };
  await ada.field("File").setInputFiles(file);
  await expect(ada.picker("Format")).toHaveValue("4");
  await ada.button("Check the file").click();
  await expect(ada.page.getByRole("region", { name: "What was not carried over" })).toContainText(
    /Line \d/,
  );
});

test("without a file, or with one that is none, it says so at the field", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/settings/import");
  await ada.button("Check the file").click();
  await expect(ada.alert("Choose a file.")).toBeFocused();
  const file = { name: "tasks.json", mimeType: "application/json", buffer: Buffer.from("[[") };
  await ada.field("File").setInputFiles(file);
  await ada.button("Check the file").click();
  await expect(ada.alert("There is a problem")).toBeVisible();
  expect(await ada.account.titles()).toEqual([]);
});

test("the other formats have their names", async ({ person }) => {
  const ada = await person("ada");
  await ada.add("Tune the piano");
  await ada.open("/settings/export");
  for (const [format, name, begin] of [
    ["iCalendar", "duet.ics", "BEGIN:VCALENDAR"],
    ["Table (CSV)", "duet.csv", ""],
  ] as const) {
    await ada.picker("Format").selectOption(format);
    const download = ada.page.waitForEvent("download");
    await ada.button("Download").click();
    const file = await download;
    expect(file.suggestedFilename()).toBe(name);
    expect(await readFile(await file.path(), "utf8")).toContain(begin || "Tune the piano");
  }
});
