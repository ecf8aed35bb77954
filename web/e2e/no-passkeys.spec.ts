// A service whose page has no name: passkeys belong to one, so it has none.

import { expect, test } from "./harness/test.ts";

test.use({ settings: { AUTH_PUBLIC_URL: "http://127.0.0.1:8080" } });

test("a service that offers no passkeys says so", async ({ person }) => {
  const ada = await person("ada");
  await ada.open("/settings/factors");
  await ada.button("Add a passkey").click();
  await expect(ada.alert("This service offers no passkeys.")).toBeFocused();
});
