// nodes/NAME/proxy, pods/NAME/proxy and services/NAME/proxy: the request goes on to what is named, and its answer back.
// Invariants: bodies pass unbuffered, as fast as the slower side takes them; the caller's credentials stay here; an upgrade
// becomes a connection of both sides. Rules of paths, redirects and links are upstream's.
import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { StatusError } from '../../api/status.ts';
import type { Reply, Request } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import { admittedQuery } from './connect-options.ts';
import { joinedConnection } from './joined-connection.ts';
import type { PassedReply, ProxyTarget } from './node-dialer.ts';
import { answerHeaders, isUpgrade, requestHeaders } from './proxy-headers.ts';
import { type ProxiedRoot, proxiedLink, rewrittenPage } from './proxy-links.ts';
import { proxyTarget } from './proxy-target.ts';

/** The part of a path that is the API's own: up to the target's root. */
const OWN_PATH =
  /^\/+api\/+v1\/+(?:nodes|namespaces\/+[^/]+\/+(?:pods|services))\/+[^/]+\/+proxy(?=\/|$)/;

/** Passes a request on. */
export async function proxy(exchange: Exchange): Promise<Reply> {
  const { request, server } = exchange;
  const { nodeDialer } = server;
  await admittedQuery(exchange);
  if (!nodeDialer) throw new StatusError('ServiceUnavailable', 'this server has no way to nodes');
  await server.store.barrier();
  const target = proxyTarget(exchange);
  const { prefix, path, query } = partsOf(request);
  const upgrade = isUpgrade(request);
  const reads = request.method === 'GET' || request.method === 'HEAD';
  // Without its slash, a page's relative links would lead past it.
  if (path === '' && reads && !upgrade) return movedTo(`${prefix}/${query}`);
  const reply = await nodeDialer.pass(target, {
    method: request.method,
    target: (path === '' ? '/' : path) + query,
    headers: requestHeaders(request, prefix + path),
    body: request.wire ? request.wire.body : bytesOf(request),
    signal: request.signal,
  });
  if (reply.kind === 'upgrade') return { kind: 'upgrade', connection: joinedConnection(reply) };
  return answered(reply, { request, root: { prefix, hosts: hostsOf(target, request) } });
}

interface Parts {
  readonly prefix: string;
  /** Empty, or begins with a slash. */
  readonly path: string;
  /** Empty, or begins with a question mark. */
  readonly query: string;
}

/** The parts of the path as they were sent; a caller in this process sends none, so they are written anew. */
function partsOf({ wire, path, query }: Request): Parts {
  const written = query.size === 0 ? '' : `?${query.toString()}`;
  const target = wire?.target ?? encodeURI(path).replace(/[?#]/g, encodeURIComponent) + written;
  const mark = target.indexOf('?');
  const whole = mark < 0 ? target : target.slice(0, mark);
  const prefix = OWN_PATH.exec(whole)?.[0] ?? whole;
  return { prefix, path: whole.slice(prefix.length), query: mark < 0 ? '' : target.slice(mark) };
}

const movedTo = (location: string): Reply => ({
  kind: 'body',
  status: 301,
  headers: { location },
  body: [],
});

function bytesOf({ body }: Request): Uint8Array | undefined {
  return body === undefined || body instanceof Uint8Array
    ? body
    : Buffer.from(JSON.stringify(body));
}

/** How the target may name itself in links. */
function hostsOf(target: ProxyTarget, { headers }: Request): ReadonlySet<string> {
  const [host, port] =
    target.kind === 'pod'
      ? [target.ip, target.port]
      : target.kind === 'node'
        ? [target.host, target.port]
        : [target.agent.host, target.agent.port];
  const own = host.includes(':') ? `[${host}]` : host;
  return new Set([own, `${own}:${port}`, (headers['host'] ?? '').toLowerCase()]);
}

function answered(
  { status, headers: sent, body }: Extract<PassedReply, { kind: 'answer' }>,
  { request, root }: { request: Request; root: ProxiedRoot },
): Reply {
  const headers = answerHeaders(sent);
  const { location } = headers;
  if (location !== undefined) headers['location'] = proxiedLink(String(location), root);
  const page = location === undefined && request.method !== 'HEAD' && isPage(headers);
  const text = page ? decoded(body, headers['content-encoding']) : undefined;
  if (!text) return { kind: 'stream', status, headers, body };
  const { 'content-length': _length, 'content-encoding': _encoding, ...others } = headers;
  return { kind: 'stream', status, headers: others, body: rewrittenPage(text, root) };
}

function isPage(headers: Readonly<Record<string, string | readonly string[]>>): boolean {
  const type = String(headers['content-type'] ?? '').toLowerCase();
  return /^\s*text\/html\s*(;|$)/.test(type) && !type.includes('utf-16');
}

const INFLATES: ReadonlyMap<string, typeof createGunzip | typeof createInflate> = new Map([
  ['gzip', createGunzip],
  ['deflate', createInflate],
]);

/** The body as text may be read from it; undefined for an encoding that is not known here. */
function decoded(
  body: Readable,
  encoding: string | readonly string[] = 'identity',
): Readable | undefined {
  const inflate = INFLATES.get(String(encoding));
  if (encoding === 'identity') return body;
  if (!inflate) return undefined;
  const plain = inflate();
  body.on('error', (error) => plain.destroy(error));
  plain.on('close', () => body.destroy());
  return body.pipe(plain);
}
