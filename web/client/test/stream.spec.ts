// Server streams with an access token, over the wire as it is: with a method of
// its own that counts, so that every end of a stream can be told apart.

import { expect } from "@playwright/test";
import { create, createFileRegistry, type DescMethodStreaming } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  Int32ValueSchema,
  file_google_protobuf_wrappers,
} from "@bufbuild/protobuf/wkt";
import { type ConnectError, createConnectRouter, createRouterTransport } from "@connectrpc/connect";
import { createFetchHandler } from "@connectrpc/connect/protocol";
import { bearer } from "../src/bearer.ts";
import { failureOf, type Interceptor, type Transport } from "../src/index.ts";
import type { BrowserSession } from "../src/session.ts";
import { grpcWeb } from "../src/transport.ts";
import { type Device, test as base } from "./support/device.ts";
import { unauthenticated } from "./support/refusal.ts";

const ada = { email: "ada@example.com", password: "walnut-Trombone-91" };
const count = countMethod();

/** A service that counts up from the number it is sent. */
class Counter {
  /** The `authorization` of every call. */
  readonly calls: (string | null)[] = [];
  /** How long each was given. */
  readonly deadlines: (number | undefined)[] = [];
  /** How the calls to come end, each before its n-th message. */
  readonly ends: { before: number; error: ConnectError }[] = [];

  wire(interceptors: Interceptor[]): Transport {
    const router = createConnectRouter({ grpcWeb: true, connect: false, grpc: false });
    this.#routes(router);
    const [handler] = router.handlers;
    if (!handler) throw new Error("the router has a handler");
    const answer = createFetchHandler(handler);
    const fetch: typeof globalThis.fetch = (input, init) => answer(new Request(input, init));
    const baseUrl = "https://task.test";
    return grpcWeb({ baseUrl, cookies: false, timeoutMs: 10_000, fetch }, interceptors);
  }

  inMemory(interceptors: Interceptor[]): Transport {
    return createRouterTransport((router) => this.#routes(router), { transport: { interceptors } });
  }

  readonly #routes = (router: ReturnType<typeof createConnectRouter>) => {
    const { calls, deadlines, ends } = this;
    router.rpc(count, async function* (from, context) {
      calls.push(context.requestHeader.get("authorization"));
      deadlines.push(context.timeoutMs());
      context.responseTrailer.set("call", String(calls.length));
      const end = ends.shift();
      for (let i = 0; i < 3; i++) {
        if (end?.before === i) throw end.error;
        yield { value: from.value + i };
      }
    });
  };
}

const test = base.extend<{ counter: Counter }>({
  counter: async ({}, use) => use(new Counter()),
});

for (const wire of ["wire", "inMemory"] as const) {
  test(`a stream carries the token and has no deadline (${wire})`, async ({ device, counter }) => {
    const { session, token } = await signedIn(device);
    expect(await read(counter[wire]([bearer(session)]))).toEqual({ values: [7, 8, 9], call: "1" });
    expect(counter.calls).toEqual([`Bearer ${token}`]);
    expect(counter.deadlines).toEqual([undefined]);
  });

  test(`E1: a stream refused at its start begins again (${wire})`, async ({ device, counter }) => {
    const { session, token } = await signedIn(device);
    counter.ends.push({ before: 0, error: unauthenticated("TOKEN_EXPIRED") });
    expect(await read(counter[wire]([bearer(session)]))).toEqual({ values: [7, 8, 9], call: "2" });
    expect(counter.calls).toEqual([`Bearer ${token}`, `Bearer ${await session.token()}`]);
    expect(await session.token()).not.toBe(token);
  });

  test(`a stream begins again once, not twice (${wire})`, async ({ device, counter }) => {
    const { session } = await signedIn(device);
    const error = unauthenticated("TOKEN_INVALID");
    counter.ends.push({ before: 0, error }, { before: 0, error });
    const failure = await read(counter[wire]([bearer(session)])).catch(failureOf);
    expect(failure).toMatchObject({ reason: "TOKEN_INVALID" });
    expect(counter.calls).toHaveLength(2);
  });

  test(`a stream that has begun is not repeated (${wire})`, async ({ device, counter }) => {
    const { session } = await signedIn(device);
    counter.ends.push({ before: 1, error: unauthenticated("TOKEN_EXPIRED") });
    const values: number[] = [];
    const failure = await read(counter[wire]([bearer(session)]), values).catch(failureOf);
    expect(failure).toMatchObject({ reason: "TOKEN_EXPIRED" });
    expect(values).toEqual([7]);
    expect(counter.calls).toHaveLength(1);
  });

  test(`the call after a stream tells whether its session is over (${wire})`, async ({
    device,
    counter,
    pair,
  }) => {
    const { session } = await signedIn(device);
    const error = unauthenticated("SESSION_REVOKED");
    counter.ends.push({ before: 1, error });
    const ended = await read(counter[wire]([bearer(session)])).catch(failureOf);
    expect(ended).toMatchObject({ reason: "SESSION_REVOKED" });
    expect(session.state).toMatchObject({ kind: "signed-in" });
    // Only the key was withdrawn: it goes on with another token.
    await read(counter[wire]([bearer(session)]));
    expect(new Set(counter.calls).size).toBe(2);

    counter.ends.push({ before: 1, error });
    await read(counter[wire]([bearer(session)])).catch(failureOf);
    pair.endSessionsOf(ada.email);
    const over = await read(counter[wire]([bearer(session)])).catch(failureOf);
    expect(over).toMatchObject({ reason: "REFRESH_TOKEN_INVALID" });
    expect(counter.calls).toHaveLength(3);
    expect(session.state).toEqual({ kind: "signed-out", why: "expired" });
  });
}

async function signedIn(device: Device) {
  const { session } = device.open();
  await session.signUp(ada);
  return { session: session as BrowserSession, token: await session.token() };
}

async function read(transport: Transport, values: number[] = []) {
  async function* from() {
    yield { value: 7 };
  }
  const { message, trailer } = await transport.stream(
    count,
    undefined,
    undefined,
    undefined,
    from(),
  );
  for await (const { value } of message) values.push(value);
  return { values, call: trailer.get("call") };
}

type CountMethod = DescMethodStreaming<typeof Int32ValueSchema, typeof Int32ValueSchema> & {
  methodKind: "server_streaming";
};

/** `rpc Count(Int32Value) returns (stream Int32Value)`, without a generated file. */
function countMethod(): CountMethod {
  const type = ".google.protobuf.Int32Value";
  const name = "Count";
  const method = { name, inputType: type, outputType: type, serverStreaming: true };
  const file = {
    name: "test/counter.proto",
    package: "test",
    syntax: "proto3",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [{ name: "Counter", method: [method] }],
  };
  const files = create(FileDescriptorSetSchema, {
    file: [file_google_protobuf_wrappers.proto, file],
  });
  const found = createFileRegistry(files).getService("test.Counter")?.methods[0];
  // The registry made types of its own; the generated ones are the same messages.
  return { ...found, input: Int32ValueSchema, output: Int32ValueSchema } as CountMethod;
}
