// Passes one HTTP request on over a connection of its own, and hands back its answer or its upgrade.
// Invariants: no byte of a body is kept but what the connection has in flight; the connection ends with the caller, with
// the answer, or with the upgraded protocol. How long an answer takes is the caller's affair: a proxied request may be a watch.
import { type IncomingMessage, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import type { PassedReply, PassedRequest } from '../handlers/node-dialer.ts';

/** Sends it. Rejects when the connection fails before an answer began. */
export function passRequest(connection: Duplex, passed: PassedRequest): Promise<PassedReply> {
  const { method, target, headers, body, signal } = passed;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      createConnection: () => connection,
      method,
      path: target,
      // Node's own type would have lists that may be written to.
      headers: headers as OutgoingHttpHeaders,
    });
    const stop = () => connection.destroy();
    signal.addEventListener('abort', stop, { once: true });
    connection.once('close', () => signal.removeEventListener('abort', stop));
    const abandon = (why: string) => {
      reject(new Error(why));
      stop();
    };
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      const { statusCode: status = 0 } = answer;
      if (!isFinal(status)) return abandon(`malformed HTTP status code "${status}"`);
      resolve({ kind: 'answer', status, headers: headersOf(answer), body: answer });
    });
    outgoing.on('upgrade', (answer, socket, head) => {
      if (!('upgrade' in headers)) return abandon('an upgrade that nobody asked for');
      signal.removeEventListener('abort', stop);
      resolve({ kind: 'upgrade', headers: flat(headersOf(answer)), socket, head });
    });
    if (signal.aborted) stop();
    if (body instanceof Readable) {
      // A caller that goes away in the middle leaves a request that nobody can finish.
      body.once('error', stop);
      body.pipe(outgoing);
    } else outgoing.end(body);
  });
}

/** May a server say this of an answer that has come to its end? */
const isFinal = (status: number): boolean => status >= 200 && status <= 999;

type Headers = Record<string, string | readonly string[]>;

function headersOf(answer: IncomingMessage): Headers {
  const headers: Headers = {};
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name] = value;
  return headers;
}

const flat = (headers: Headers): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
