// A call made by hand from within a page, as a script in it would: the empty
// message of a method, in a grpc-web frame, and what became of it.

import type { Page } from "@playwright/test";

export interface Outcome {
  /** grpc-status, or nothing if no answer could be read. */
  status: string | undefined;
  message: string;
}

export function call(
  page: Page,
  method: string,
  headers: Record<string, string> = {},
  origin = "",
): Promise<Outcome> {
  const url = `${origin}/${method}`;
  return page.evaluate(
    async ({ url, headers }) => {
      try {
        const response = await fetch(url, {
          method: "POST",
          credentials: "include",
          headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1", ...headers },
          body: new Uint8Array(5),
        });
        const trailers = new TextDecoder().decode(await response.arrayBuffer());
        const status =
          response.headers.get("grpc-status") ?? /grpc-status:\s*(\d+)/.exec(trailers)?.[1];
        return { status, message: response.headers.get("grpc-message") ?? "" };
      } catch (error) {
        return { status: undefined, message: String(error) };
      }
    },
    { url, headers },
  );
}
