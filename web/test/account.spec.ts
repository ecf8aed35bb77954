// What the account's screens decide without a service.

import { expect, test } from "@playwright/test";
import { strengthOf } from "../src/account/strength.ts";
import { deviceName } from "../src/settings/device.ts";

test("the strength of a password grows with what one would have to guess", () => {
  const strength = (password: string): string => strengthOf(password, ["ada@example.org", "Ada"]);
  expect(strength("short")).toBe("too short");
  for (const weak of ["aaaaaaaa", "12345678", "password1", "abcdefghij", "ada.example"]) {
    expect(strength(weak), weak).toBe("weak");
  }
  expect(strength("walnut-Trombone-91")).toBe("strong");
  expect(["fair", "good"]).toContain(strength("kirsche7"));
});

test("a device is called what people call it", () => {
  const linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)";
  expect(deviceName(`${linux} Chrome/156.0.0.0 Safari/537.36`)).toBe("Chrome on Linux");
  expect(deviceName(`${linux} Chrome/156.0.0.0 Safari/537.36 Edg/156.0`)).toBe("Edge on Linux");
  const iphone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1";
  expect(deviceName(iphone)).toBe("Safari on iOS");
  expect(deviceName("duet/0.1.0 tonic/0.14")).toBe("Duet command line");
  expect(deviceName("curl/8.0")).toBe("curl");
  expect(deviceName("")).toBe("Unknown device");
});
