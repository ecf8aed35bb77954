// A page on another origin: a few files from memory, on a port of its own,
// under the name that a test wants.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Elsewhere {
  /** By number, which is another site than `localhost`. */
  readonly origin: string;
  /** By name. */
  readonly localhost: string;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript" };

/** Serves `files`, from their paths to their contents. */
export async function elsewhere(files: Record<string, string>): Promise<Elsewhere> {
  const server = createServer(({ url = "/" }, response) => {
    const path = url.split("?")[0] ?? url;
    const file = files[path];
    const type = TYPES[path.split(".").at(-1) ?? ""] ?? "text/html";
    response.writeHead(file === undefined ? 404 : 200, {
      "content-type": `${type}; charset=utf-8`,
    });
    response.end(file);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    localhost: `http://localhost:${port}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
