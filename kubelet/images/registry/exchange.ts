// One HTTP exchange with a registry or with what it sends us to: a request, and the reply up to its headers.
// Invariants: connecting, waiting and a body that is being sent each have a limit in time; a reply's body is the caller's to read or destroy.
import { type Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { connectionFailure, RegistryError } from './registry-error.ts';
import { StallWatch } from './stall-watch.ts';

/** Limits in time and number of an exchange. */
export interface RegistryPatience {
  readonly connectMs: number;
  /** Without a byte, in either direction. */
  readonly stallMs: number;
  /** Tries of what may be tried again, the first among them. */
  readonly attempts: number;
  /** Wait before the second try, doubled each time up to the most; a registry's own wish is heeded up to the most, too. */
  readonly retryInitialMs: number;
  readonly retryMaxMs: number;
}

/** What holds unless told otherwise. */
export const REGISTRY_PATIENCE: RegistryPatience = {
  connectMs: 15_000,
  stallMs: 60_000,
  attempts: 5,
  retryInitialMs: 250,
  retryMaxMs: 15_000,
};

/** A request. */
export interface Outgoing {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Made anew for each exchange. */
  readonly body?: (() => Readable) | Uint8Array | undefined;
  readonly agent: Agent;
  readonly signal?: AbortSignal | undefined;
}

/** A reply; its body has not been read. */
export interface Incoming {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: IncomingMessage;
  readonly url: URL;
}

/** Sends it, and answers once the reply's headers are there. Rejects with RegistryError, and with the signal's reason when aborted. */
export function exchange(
  outgoing: Outgoing,
  { clock, patience }: { clock: Clock; patience: RegistryPatience },
): Promise<Incoming> {
  const { url, signal } = outgoing;
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const call = send(url, {
      method: outgoing.method,
      headers: outgoing.headers,
      agent: outgoing.agent,
      ...(signal && { signal }),
    });
    const giveUp = (ms: number, what: string) => () =>
      call.destroy(new RegistryError('unavailable', `${url.host}: ${what} within ${ms} ms`));
    const { connectMs, stallMs } = patience;
    let watch = new StallWatch(clock, connectMs, giveUp(connectMs, 'no connection came about'));
    const connected = () => {
      watch.stop();
      watch = new StallWatch(clock, stallMs, giveUp(stallMs, 'it said nothing'));
    };
    call.once('socket', (socket) => {
      const event = url.protocol === 'https:' ? 'secureConnect' : 'connect';
      if (socket.connecting) socket.once(event, connected);
      else connected();
    });
    call.once('response', (response) => {
      watch.stop();
      resolve({
        status: response.statusCode ?? 0,
        header: headerOf(response),
        body: response,
        url,
      });
    });
    call.once('error', (error) => {
      watch.stop();
      reject(signal?.aborted ? (signal.reason as Error) : connectionFailure(url.host, error));
    });
    sendBody(outgoing, call, () => watch.heard());
  });
}

function headerOf(response: IncomingMessage): Incoming['header'] {
  return (name) => {
    const value = response.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
}

function sendBody(
  { body }: Outgoing,
  call: ReturnType<typeof httpRequest>,
  heard: () => void,
): void {
  if (typeof body !== 'function') {
    call.end(body);
    return;
  }
  const source = body();
  source.on('data', heard);
  source.once('error', (error) => call.destroy(error));
  call.once('close', () => source.destroy());
  source.pipe(call);
}

/** The whole of a small body. Rejects with RegistryError past the limit or when nothing comes for too long. */
export async function readBody(
  reply: Incoming,
  limits: { clock: Clock; stallMs: number; maxBytes: number; what: string },
): Promise<Buffer> {
  const { clock, stallMs, maxBytes, what } = limits;
  const { host } = reply.url;
  const tooLarge = () =>
    new RegistryError('refused', `${host}: ${what} is larger than ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let size = 0;
  const stalled = new RegistryError('unavailable', `${host}: it said nothing within ${stallMs} ms`);
  const watch = new StallWatch(clock, stallMs, () => reply.body.destroy(stalled));
  try {
    if (Number(reply.header('content-length') ?? 0) > maxBytes) throw tooLarge();
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      watch.heard();
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw connectionFailure(host, error);
  } finally {
    watch.stop();
    reply.body.destroy();
  }
}
