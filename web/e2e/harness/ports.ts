// Ports that are known before anything listens there.

import { createServer } from "node:net";

/**
 * Gives ports that are free now and stay so, if `from` is outside of the range
 * from which the system picks ports for outgoing connections.
 */
export function freeFrom(from: number): () => Promise<number> {
  let port = from;
  return async () => {
    do port += 1;
    while (!(await isFree(port)));
    return port;
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
