// Reads the head of an HTTP request into the pipeline's form.
// Invariant: the path is split before it is decoded, so no encoded slash can change what a path means.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { badRequest, StatusError } from '../../api/status.ts';
import type { Method, Request } from '../../api/wire/exchange.ts';

const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** A request of these parts. Throws BadRequest, MethodNotAllowed. */
export function incomingRequest(
  message: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Uint8Array | undefined,
  signal: AbortSignal,
): Request {
  const { method = 'GET', url = '/' } = message;
  if (!METHODS.includes(method))
    throw new StatusError('MethodNotAllowed', `the server does not allow the method ${method}`);
  const mark = url.indexOf('?');
  const path = decodePath(mark < 0 ? url : url.slice(0, mark));
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const head = { method: method as Method, path, query, headers: flatHeaders(message.headers) };
  return body === undefined ? { ...head, signal } : { ...head, body, signal };
}

function decodePath(path: string): string {
  return path.split('/').map(decodeSegment).join('/');
}

function decodeSegment(segment: string): string {
  if (!segment.includes('%')) return segment;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw new StatusError('BadRequest', 'the path has a malformed percent encoding', { cause });
  }
  if (/[/\0]/.test(decoded)) throw badRequest(`the path has a segment with a slash: ${segment}`);
  return decoded;
}

function flatHeaders(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers))
    flat[name] = Array.isArray(value) ? value.join(',') : value;
  return flat;
}
