// Passes one HTTP request on over a connection of its own, or one that an agent keeps, and hands back its answer or its upgrade.
// Invariants: no byte of a body is kept but what the connection has in flight; the connection ends with the caller, and serves another
// request only after both this one and its answer were whole. How long an answer takes is the caller's affair: it may be a watch.
import {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Readable } from 'node:stream';
import type { PassedReply, PassedRequest } from '../handlers/node-dialer.ts';

/** Over what a request goes: who makes its connection, or keeps some; an agent finds there what else it asks for. */
export type RequestWay = Pick<RequestOptions, 'createConnection' | 'agent'>;

/** A kept connection that turned out to be closed before anything came back. */
export class StaleConnection extends Error {
  readonly code = 'ECONNRESET';
}

/** Sends it. Rejects when the connection fails before an answer began: with StaleConnection where it was a kept one. */
export function passRequest(way: RequestWay, passed: PassedRequest): Promise<PassedReply> {
  const { method, target, headers, body, signal } = passed;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      ...way,
      method,
      path: target,
      // Node's own type would have lists that may be written to.
      headers: headers as OutgoingHttpHeaders,
    });
    const stop = () => {
      // A request that still waits for its connection tells of its end only once it has one.
      reject(signal.aborted ? (signal.reason as Error) : new Error('the request broke off'));
      (outgoing.socket ?? outgoing).destroy();
    };
    signal.addEventListener('abort', stop, { once: true });
    outgoing.once('close', () => signal.removeEventListener('abort', stop));
    outgoing.on('error', (error) => reject(staleOr(outgoing, error)));
    outgoing.on('response', (answer) => {
      const { statusCode: status = 0 } = answer;
      if (!isFinal(status)) {
        reject(new Error(`malformed HTTP status code "${status}"`));
        answer.destroy();
        return;
      }
      // Who has answered already waits for no more of the request, and it may never come.
      answer.once('end', () => outgoing.writableFinished || outgoing.destroy());
      resolve({ kind: 'answer', status, headers: headersOf(answer), body: answer });
    });
    outgoing.on('upgrade', (answer, socket, head) => {
      signal.removeEventListener('abort', stop);
      if ('upgrade' in headers) {
        resolve({ kind: 'upgrade', headers: flat(headersOf(answer)), socket, head });
      } else {
        reject(new Error('an upgrade that nobody asked for'));
        socket.destroy();
      }
    });
    if (signal.aborted) stop();
    else if (body instanceof Readable) {
      // A caller that goes away in the middle leaves a request that nobody can finish.
      body.once('error', stop);
      body.pipe(outgoing);
    } else outgoing.end(body);
  });
}

/** What a request failed of before an answer began: StaleConnection, or the error as it is. */
export function staleOr({ reusedSocket }: ClientRequest, error: NodeJS.ErrnoException): Error {
  const wasCut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  return reusedSocket && wasCut ? new StaleConnection('EOF') : error;
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
