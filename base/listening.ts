// What every small HTTP server of ours does alike: bounds on what may arrive, its port, and its end.
// Invariant: after close() nothing listens, and no connection waits for a request or for an answer.
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Where a server listens, and how much. */
export interface ListenOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** All addresses unless given. */
  readonly host?: string | undefined;
  /** Connections at once; further ones are closed as they come. */
  readonly maxConnections: number;
}

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Ends the listening and the connections; those that were upgraded are their owners' to end, and are waited for. */
  close(): Promise<void>;
}

/**
 * Options of Node's servers, HTTP and HTTPS: a handshake takes so many milliseconds at most, and so does a request, from its first
 * byte to its last. It is looked at as often, so that who says nothing is gone after twice the time.
 */
export const arrivalWithin = (ms: number) => ({
  handshakeTimeout: ms,
  requestTimeout: ms,
  headersTimeout: ms,
  connectionsCheckingInterval: ms,
});

/** Makes a server listen. Rejects with Node's error where the port cannot be had. */
export async function listen(
  server: HttpServer | HttpsServer,
  { port, host, maxConnections }: ListenOptions,
): Promise<Listening> {
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}
