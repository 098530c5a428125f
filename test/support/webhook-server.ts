// A webhook: a real HTTPS server on 127.0.0.1 whose answers are the test's own, with certificates of an authority of its own.
// Invariant: close() leaves no connection, no file and no socket behind.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';

/** A review as it came, of whatever sort. */
export interface Review {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: any; // oxlint-disable-line no-explicit-any
}

/** Answers a review: with a `response` (its uid is filled in), or by hand. */
export type Answering = (
  review: Review,
  way: { readonly request: IncomingMessage; readonly response: ServerResponse },
) => object | undefined | Promise<object | undefined>;

/** A webhook and what came to it. */
export interface WebhookServer {
  readonly port: number;
  /** The authority of its certificate, as configurations have it. */
  readonly caBundle: string;
  /** Connections that were made to it. */
  readonly connections: number;
  /** Connections that there are. */
  readonly open: number;
  /** The `clientConfig` of one of its paths. */
  at(path: string): { readonly url: string; readonly caBundle: string };
  /** What is answered at a path from now on. */
  on(path: string, answering: Answering): void;
  /** Reviews that came to a path, in order. */
  reviews(path: string): readonly Review[];
  /** Ends connections that are idle now, as a webhook that is restarted does. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** Starts one. Its certificate is for 127.0.0.1, localhost, and `names`; callers show one of `clientCa` (PEM) where that is given. */
export async function aWebhookServer(
  names: readonly string[] = [],
  clientCa?: string,
): Promise<WebhookServer> {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-webhook-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  const pair = await authority.issue({
    file: 'webhook',
    commonName: 'webhook',
    usage: 'server',
    names: [
      { type: 'ip', value: '127.0.0.1' },
      ...['localhost', ...names].map((value) => ({ type: 'dns' as const, value })),
    ],
  });
  const caBundle = readFileSync(join(folder, 'ca.crt')).toString('base64');
  const answers = new Map<string, Answering>();
  const seen = new Map<string, Review[]>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const demand = clientCa === undefined ? {} : { ca: clientCa, requestCert: true };
  const server = createServer({ ...pair, ...demand }, (request, response) => {
    answer({ request, response }, answers, seen).catch(() => response.destroy());
  });
  // Kept for as long as the other side likes: nobody counts connections that a slow host has had closed.
  server.keepAliveTimeout = 0;
  server.on('secureConnection', () => connections++);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    caBundle,
    get connections() {
      return connections;
    },
    get open() {
      return sockets.size;
    },
    at: (path) => ({ url: `https://127.0.0.1:${port}${path}`, caBundle }),
    on: (path, answering) => void answers.set(path, answering),
    reviews: (path) => seen.get(path) ?? [],
    dropConnections: () => sockets.forEach((socket) => socket.destroy()),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      sockets.forEach((socket) => socket.destroy());
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answer(
  way: { request: IncomingMessage; response: ServerResponse },
  answers: ReadonlyMap<string, Answering>,
  seen: Map<string, Review[]>,
): Promise<void> {
  const { request, response } = way;
  const path = (request.url ?? '').replace(/\?.*$/, '');
  const review = (await json(request)) as Review;
  seen.set(path, [...(seen.get(path) ?? []), review]);
  const said = await answers.get(path)?.(review, way);
  if (said === undefined) {
    if (!answers.has(path)) response.writeHead(404).end();
    return;
  }
  const { apiVersion, kind, request: asked } = review;
  const { uid } = asked as { uid: string };
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ apiVersion, kind, response: { uid, ...said } }));
}
