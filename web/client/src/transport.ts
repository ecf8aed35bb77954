// The wire: grpc-web, binary, over fetch. Whether the cookie goes along and
// how long a call may take is decided here; who calls is the interceptor's.

import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

export interface WireOptions {
  baseUrl: string;
  /** Whether cookies of the service's site are sent and stored. */
  cookies: boolean;
  /** For a unary call; streams last until somebody ends them. */
  timeoutMs: number;
  fetch: typeof globalThis.fetch;
}

export function grpcWeb(
  { baseUrl, cookies, timeoutMs, fetch }: WireOptions,
  interceptors: Interceptor[],
): Transport {
  const credentials = cookies ? "include" : "omit";
  const transport = createGrpcWebTransport({
    baseUrl,
    interceptors,
    defaultTimeoutMs: timeoutMs,
    fetch: (input, init) => fetch(input, { ...init, credentials }),
  });
  return {
    unary: transport.unary,
    // 0 stands for no deadline; the default would end a stream in its middle.
    stream: (method, signal, deadlineMs, header, input, contextValues) =>
      transport.stream(method, signal, deadlineMs ?? 0, header, input, contextValues),
  };
}
