// Headers of proxied requests and answers. Pure.
// Invariants: what is meant for one connection goes no further (RFC 9110, 7.6.1); who the caller is to this server, and
// with which credential, is never told to what is behind it.
import type { Request } from '../../api/wire/exchange.ts';

const ONE_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Credentials of this server's own, by name and by beginning. */
const CREDENTIALS = /^(authorization|impersonate-.*|x-remote-.*)$/;
/** A token that a browser hides in the protocols of a WebSocket. */
const TOKEN_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./;
/** What a page of another site may do is not for a pod to say. */
const CROSS_ORIGIN = /^access-control-allow-(credentials|headers|methods|origin)$/;

/** Does the request ask to go on in another protocol? */
export function isUpgrade({ headers }: Pick<Request, 'headers'>): boolean {
  const words = (headers['connection'] ?? '').toLowerCase().split(/\s*,\s*/);
  return words.includes('upgrade') && headers['upgrade'] !== undefined;
}

/** The headers to pass on; `uri` is the path on this server, as it was sent. */
export function requestHeaders(request: Request, uri: string): Record<string, string> {
  const { headers, wire } = request;
  const passed = { ...endToEnd(headers), ...forwarded(request, uri) };
  const protocols = passed['sec-websocket-protocol']?.split(/\s*,\s*/);
  if (protocols) {
    const open = protocols.filter((protocol) => !TOKEN_PROTOCOL.test(protocol));
    passed['sec-websocket-protocol'] = open.join(', ');
  }
  if (isUpgrade(request)) {
    passed['connection'] = 'Upgrade';
    passed['upgrade'] = headers['upgrade'] ?? '';
  }
  if (wire?.body && headers['content-length'] === undefined)
    passed['transfer-encoding'] = 'chunked';
  return passed;
}

function endToEnd(headers: Request['headers']): Record<string, string> {
  const dropped = namedIn(headers['connection']);
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !ONE_HOP.has(name) && !dropped.has(name) && !CREDENTIALS.test(name))
      passed[name] = value;
  return passed;
}

/** Where the request came from, and by which way. */
function forwarded({ headers, wire }: Request, uri: string): Record<string, string> {
  const before = headers['x-forwarded-for'];
  return {
    'x-forwarded-uri': uri,
    'x-forwarded-proto': 'https',
    ...(headers['host'] && { 'x-forwarded-host': headers['host'] }),
    ...(wire?.from && { 'x-forwarded-for': before ? `${before}, ${wire.from}` : wire.from }),
  };
}

type Answered = Readonly<Record<string, string | readonly string[]>>;

/** The headers of an answer that go to the caller. */
export function answerHeaders(headers: Answered): Record<string, string | readonly string[]> {
  const dropped = namedIn(headers['connection']);
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !ONE_HOP.has(name) && !dropped.has(name) && !CROSS_ORIGIN.test(name),
    ),
  );
}

/** Headers that a `Connection` header takes along. */
function namedIn(connection: string | readonly string[] | undefined): ReadonlySet<string> {
  const text = String(connection ?? '').toLowerCase();
  return new Set(text.split(',').map((word) => word.trim()));
}
