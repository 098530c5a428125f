// What every small HTTP server of ours does alike: bounds on what may arrive, its port, and its end.
// Invariants: after close() nothing listens, and no connection waits for a request or for an answer; a connection that cannot be
// taken ends no process.
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { Logger } from './logger.ts';

/** Where a server listens, and how much. */
export interface ListenOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** All addresses unless given. */
  readonly host?: string | undefined;
  /** Connections at once; further ones are closed as they come. */
  readonly maxConnections: number;
  readonly logger: Logger;
}

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Ends the listening and the connections; those that were upgraded are their owners' to end, and are waited for. */
  close(): Promise<void>;
}

/** What takes longer to arrive than it may is looked for as often; Node's own pace is half a minute. */
const LOOK_EVERY_MS = 5_000;

/**
 * Options of Node's servers, HTTP and HTTPS: a handshake takes so many milliseconds at most, so does the head of a request, and a
 * request from its first byte to its last takes `wholeMs`, be that less or more. Who is late is gone after LOOK_EVERY_MS
 * more, and after twice the time at most.
 */
export const arrivalWithin = (ms: number, wholeMs = ms) => ({
  handshakeTimeout: ms,
  requestTimeout: wholeMs,
  headersTimeout: Math.min(ms, wholeMs),
  connectionsCheckingInterval: Math.min(ms, wholeMs, LOOK_EVERY_MS),
});

/**
 * Tells of connections that a server that listens cannot take, for want of file descriptors for instance: Node ends the process for
 * them where nobody hears of it.
 */
export function tellOfFailures(server: NetServer, logger: Logger): void {
  server.on('error', (err) => logger.error('a connection could not be taken', { err }));
}

/** Makes a server listen. Rejects with Node's error where the port cannot be had. */
export async function listen(
  server: HttpServer | HttpsServer,
  { port, host, maxConnections, logger }: ListenOptions,
): Promise<Listening> {
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  tellOfFailures(server, logger);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}
