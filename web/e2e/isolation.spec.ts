// Two people, two browsers, one Duet: neither ever meets what is the other's.

import { Code, ConnectError } from "@connectrpc/connect";
import { call } from "./harness/call.ts";
import { expect, test } from "./harness/test.ts";

test("S3.1 FR-022 SC-005: each sees their own tasks and nobody else's", async ({ person }) => {
  const [ada, eve] = [await person("ada"), await person("eve")];
  await ada.add("Ada's task");
  await eve.add("Eve's task");
  for (const someone of [ada, eve]) await someone.page.reload();
  await ada.seesTasks("Ada's task");
  await eve.seesTasks("Eve's task");
  await expect(eve.count("All 1")).toBeVisible();
});

test("S5.3 S5.4: the address of another's task leads nowhere", async ({ person }) => {
  const [ada, eve] = [await person("ada"), await person("eve")];
  const id = await ada.account.add("Ada's task");
  await eve.open(`/tasks/${id}`);
  await expect(eve.heading("Nothing found")).toBeVisible();
  await expect(eve.page.getByText("Ada's task")).toHaveCount(0);
});

test("S3.4 S5.3 S5.4 FR-020 FR-023 SC-004: by its full name it is refused, and stays as it is", async ({
  person,
}) => {
  const [ada, eve] = [await person("ada"), await person("eve")];
  const name = ada.account.nameOf(await ada.account.add("Ada's task"));
  const { tasks } = eve.account;
  const attempts = [
    tasks.listTasks({ parent: ada.account.user }),
    tasks.createTask({ parent: ada.account.user, task: { title: "Eve was here" } }),
    tasks.getTask({ name }),
    tasks.updateTask({ task: { name, title: "Eve was here" } }),
    tasks.completeTask({ name }),
    tasks.deleteTask({ name }),
  ];
  for (const outcome of await Promise.allSettled(attempts)) {
    const refusal = outcome.status === "rejected" && ConnectError.from(outcome.reason);
    expect(refusal && refusal.code).toBe(Code.PermissionDenied);
  }
  await ada.page.reload();
  await ada.seesTasks("Ada's task");
});

test("S3.2 S3.3 E5 FR-016 FR-019: without a good token nothing is answered, nor said why", async ({
  person,
}) => {
  const ada = await person("ada");
  const token = await ada.calls.token();
  const [head, claims, signature] = token.split(".");
  const bad = ["junk", `${head}.${claims}.`, `${head}.${claims}.${signature?.slice(4)}AAAA`, ""];
  const method = "task.v1.TaskService/ListTasks";

  const missing = await call(ada.page, method);
  expect(missing.status).toBe("16");
  const answers = await Promise.all(
    bad.map((value) => call(ada.page, method, { authorization: `Bearer ${value}` })),
  );
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]?.status).toBe("16");
  const good = await call(ada.page, method, { authorization: `Bearer ${token}` });
  expect(good.status).toBe("0");
});
