// The two ways to the API that tests call it by: over HTTPS to a real socket, and in process, as controllers do.
// Invariant: both give the same bytes; in process, the object that goes along with them is held to say what they say.
import { deepStrictEqual } from 'node:assert';
import { mkdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { WebSocket } from 'ws';
import type { ApiServer } from '../../apiserver/api-server.ts';
import type { Handler, Method, Reply, UserInfo } from '../../api/wire/exchange.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

/** What a call sends. */
export interface CallOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  /** A user without groups instead of the admin. */
  readonly as?: string;
  /** The user agent: who owns what is written, unless the path says so. */
  readonly agent?: string;
}

/** A request on its way. */
export interface Sending {
  readonly method: Method;
  readonly path: string;
  readonly call: CallOptions;
  readonly signal: AbortSignal;
}

/** An answer whose body is still to be read. A header that may come more than once, `warning`, is a list. */
export interface Opened {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A way to a server. */
export interface ApiConnection {
  readonly open: (sending: Sending) => Promise<Opened>;
  /** As open, for watches where they go another way. */
  readonly watch?: (sending: Sending) => Promise<Opened>;
  close(): void;
}

/** Calls the pipeline as a function. JSON bodies go as objects, as those of controllers do; texts go as bytes. */
export function inProcess(handler: Handler): ApiConnection {
  return {
    async open({ method, path, call, signal }) {
      const url = new URL(path, 'http://api');
      const body = bodyInProcess(call.body);
      const request = {
        method,
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: headersOf(call),
        ...(body && { body }),
        signal,
      };
      return opened(await handler(request, userOf(call.as)));
    },
    close() {},
  };
}

function bodyInProcess(body: unknown): Uint8Array | LooseObject | undefined {
  if (body === undefined) return undefined;
  if (typeof body === 'string') return Buffer.from(body);
  const text = JSON.stringify(body);
  return Array.isArray(body) ? Buffer.from(text) : (JSON.parse(text) as LooseObject);
}

function opened(reply: Reply): Opened {
  if (reply.kind === 'upgrade') throw new Error('the answer is an upgrade');
  const { status, headers } = reply;
  if (reply.kind === 'watch') return { status, headers, chunks: linesOf(reply.frames) };
  if (reply.kind === 'stream') return { status, headers, chunks: reply.body };
  if (reply.object && String(headers['content-type']).startsWith('application/json'))
    agree(reply.object(), Buffer.concat(reply.body));
  return { status, headers, chunks: each(reply.body) };
}

type Frames = Extract<Reply, { kind: 'watch' }>['frames'];

async function* linesOf(frames: Frames): AsyncGenerator<Uint8Array> {
  for await (const batch of frames)
    for (const frame of batch) {
      agree(frame.event(), frame.bytes);
      yield frame.bytes;
    }
}

/** Throws unless the object is what the bytes say. */
function agree(object: unknown, bytes: Uint8Array): void {
  deepStrictEqual(JSON.parse(JSON.stringify(object)), JSON.parse(Buffer.from(bytes).toString()));
}

// oxlint-disable-next-line typescript/require-await -- an async generator is what gives the iterable
async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What an HTTPS connection needs. */
export interface OverHttps {
  /** For keys and certificates. */
  readonly folder: string;
  /** Watches are WebSockets; else they are chunked bodies. */
  readonly webSockets: boolean;
}

/** Listens on a free port of 127.0.0.1, and calls through it. */
export async function overHttps(
  server: ApiServer,
  { folder, webSockets }: OverHttps,
): Promise<ApiConnection> {
  mkdirSync(folder);
  const authority = await CertificateAuthority.open(folder, systemClock);
  const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
  const leaf = { file: 'server', commonName: 'server', usage: 'server', names } as const;
  const served = await authority.issue(leaf);
  const organizations = ['system:masters'];
  const user = { file: 'admin', commonName: 'admin', organizations, usage: 'client' } as const;
  const admin = await authority.issue(user);
  const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
  const tls = { ...served, clientCa: ca };
  const { port } = await server.listen({ host: '127.0.0.1', port: 0, tls });
  const agent = new Agent({ ...admin, ca, keepAlive: true });
  const url = `https://127.0.0.1:${port}`;
  const open = (sending: Sending) => overSocket(url, agent, sending);
  const watch = (sending: Sending) => overWebSocket(url, { ...admin, ca }, sending);
  return { open, ...(webSockets && { watch }), close: () => agent.destroy() };
}

/** Opens a WebSocket, and gives each of its messages as a line. A refusal is an ordinary answer. */
async function overWebSocket(
  url: string,
  tls: { readonly cert: string; readonly key: string; readonly ca: string },
  { path, call, signal }: Sending,
): Promise<Opened> {
  const headers = headersOf(call);
  const socket = new WebSocket(url.replace('https', 'wss') + path, { ...tls, headers });
  const lines = new PassThrough();
  socket.on('message', (message: Buffer) => lines.write(`${message.toString().trimEnd()}\n`));
  socket.on('close', () => lines.end());
  signal.addEventListener('abort', () => socket.terminate(), { once: true });
  const refusal = await new Promise<IncomingMessage | undefined>((resolve, reject) => {
    socket.on('open', () => resolve(undefined));
    socket.on('unexpected-response', (_, answer) => resolve(answer));
    socket.on('error', reject);
  });
  if (!refusal) return { status: 200, headers: {}, chunks: lines };
  const status = refusal.statusCode ?? 0;
  return { status, headers: refusal.headers as Opened['headers'], chunks: read(refusal, signal) };
}

async function overSocket(url: string, agent: Agent, sending: Sending): Promise<Opened> {
  const { method, path, call, signal } = sending;
  const text = textOf(call.body);
  const headers = {
    ...headersOf(call),
    ...(call.as === undefined ? {} : { 'impersonate-user': call.as }),
    ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpsRequest(url + path, { method, agent, signal, headers }, resolve);
    outgoing.on('error', reject).end(text);
  });
  const { warning } = answer.headersDistinct;
  const all = { ...answer.headers, ...(warning && { warning }) } as Opened['headers'];
  return { status: answer.statusCode ?? 0, headers: all, chunks: read(answer, signal) };
}

/** The chunks; whoever aborts gets the end of them, not a failure. */
async function* read(answer: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of answer) yield chunk as Buffer;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const textOf = (body: unknown): string | undefined =>
  body === undefined || typeof body === 'string' ? body : JSON.stringify(body);

function userOf(name: string | undefined): UserInfo {
  return name === undefined ? ADMIN : { username: name, groups: ['system:authenticated'] };
}

function headersOf({ body, type = 'application/json', accept, agent }: CallOptions) {
  return {
    ...(body === undefined ? {} : { 'content-type': type }),
    ...(accept && { accept }),
    ...(agent && { 'user-agent': agent }),
  };
}
