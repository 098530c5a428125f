// Reading bodies off a real socket: whole up to the limit, refused beyond it, however they are sent.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBody } from './read-body.ts';

const LIMIT_BYTES = 100_000;

const server = createServer({ optimizeEmptyRequests: true });
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly chunks?: readonly string[];
}

/** What the server reads of a request: its text, 'none', or the reason and the message of a refusal. */
async function read({ method = 'POST', headers = {}, chunks = [] }: Sent): Promise<string> {
  const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const outgoing = request({ host: '127.0.0.1', port: port(), method, headers });
  outgoing.on('error', () => undefined);
  for (const chunk of chunks) outgoing.write(chunk);
  outgoing.end();
  const [message, response] = await asked;
  const result = await outcome(message);
  response.shouldKeepAlive = false;
  response.end();
  return result;
}

async function outcome(message: IncomingMessage): Promise<string> {
  try {
    const body = await readBody(message, LIMIT_BYTES);
    return body === undefined ? 'none' : body.toString();
  } catch (error) {
    const { reason, message: text } = error as Error & { reason: string };
    return `${reason}: ${text}`;
  }
}

const TOO_LARGE = 'RequestEntityTooLarge: the request body is too large';
const JSON_TYPE = { 'content-type': 'application/json' };

describe('a body', () => {
  it.each([
    ['of a named length', { 'content-length': '6' }],
    ['in chunks', {}],
  ])('%s is read whole', async (_what, headers) => {
    expect(await read({ headers, chunks: ['{"a', '":1'] })).toBe('{"a":1'.slice(0, 6));
  });

  it('may have the limit, and no byte more', async () => {
    const text = 'x'.repeat(LIMIT_BYTES);
    for (const headers of [{ 'content-length': String(LIMIT_BYTES) }, {}])
      expect(await read({ headers, chunks: [text] })).toBe(text);
    expect(await read({ chunks: [text, 'y'] })).toBe(TOO_LARGE);
  });

  it('that says it is larger is refused before any of it has come', async () => {
    const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const socket = connect(port(), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST / HTTP/1.1\r\nhost: here\r\ncontent-length: ${String(LIMIT_BYTES + 1)}\r\n\r\n`,
    );
    const [message] = await asked;
    expect(await outcome(message)).toBe(TOO_LARGE);
    socket.destroy();
  });

  it('that breaks off is refused', async () => {
    const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const socket = connect(port(), '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\n{"a');
    const [message] = await asked;
    const reading = outcome(message);
    socket.destroy();
    expect(await reading).toMatch(/^BadRequest: /);
  });

  it('that is not there is none, or empty where its type is named', async () => {
    expect(await read({ headers: { 'content-length': '0' } })).toBe('none');
    expect(await read({ method: 'DELETE' })).toBe('none');
    expect(await read({ method: 'DELETE', headers: JSON_TYPE })).toBe('');
    expect(await read({ headers: { ...JSON_TYPE, 'content-length': '0' } })).toBe('');
  });

  it('of a get is not looked at', async () => {
    const headers = { 'content-length': '2' };
    expect(await read({ method: 'GET', headers, chunks: ['{}'] })).toBe('none');
  });
});
