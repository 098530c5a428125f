// Sending over a real socket: a long body waits for its reader instead of filling memory, and comes whole.
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Reply, WatchFrame } from '../../api/wire/exchange.ts';
import { until } from '../../test/support/until.ts';
import { Outbox } from './outbox.ts';
import { sendReply } from './send-reply.ts';

const MB = 1024 * 1024;
const TOTAL_MB = 64;
/** Far less than the body, and more than one write. */
const HELD_BYTES = MB;
const NONE = { apiVersion: 'v1', kind: 'Pod', metadata: {} };

/** A list of many objects, each other than the ones beside it. */
function aLongBody(): Uint8Array[] {
  const pieces = Array.from({ length: 16 }, (_, i) => Buffer.alloc(MB / 16, 97 + i));
  return Array.from({ length: TOTAL_MB }, () => pieces).flat();
}

const server = createServer();
afterEach(() => {
  server.removeAllListeners('request');
  server.closeAllConnections();
  server.close();
});

/** Sends a reply to a client that has not begun to read. */
async function send(reply: Exclude<Reply, { kind: 'upgrade' }>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ host: '127.0.0.1', port }).end();
  outgoing.on('error', () => undefined);
  const [, response] = await asked;
  const reader = new AbortController();
  response.once('close', () => reader.abort());
  const context = { acceptEncoding: '', head: false, reader, outbox: new Outbox() };
  const sent = sendReply(response, reply, context);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return { response, answer, sent, reader };
}

describe('a body', () => {
  const sendTo = (body: Uint8Array[]) => send({ kind: 'body', status: 200, headers: {}, body });

  it('that nobody reads stays where it is, and comes whole once it is read', async () => {
    const chunks = aLongBody();
    const { response, answer, sent } = await sendTo(chunks);
    await until(() => response.writableNeedDrain);
    expect(response.writableLength).toBeLessThan(HELD_BYTES);
    const got: Buffer[] = [];
    for await (const chunk of answer) got.push(chunk as Buffer);
    await sent;
    expect(Buffer.concat(got).equals(Buffer.concat(chunks))).toBe(true);
  });

  it('whose reader goes away is given up', async () => {
    const { response, answer, sent } = await sendTo(aLongBody());
    await until(() => response.writableNeedDrain);
    answer.destroy();
    await sent;
    expect(response.destroyed).toBe(true);
  });

  it('in few pieces is joined', async () => {
    const { answer, sent } = await sendTo([Buffer.from('{"items":['), Buffer.from(']}\n')]);
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    await sent;
    expect(text).toBe('{"items":[]}\n');
    expect(answer.headers['content-length']).toBe('13');
  });
});

describe('a watch', () => {
  const LINE_BYTES = MB;
  const LINES = 64;

  /** Sends lines; `told` counts those that were asked for. */
  async function watched() {
    const line = Buffer.alloc(LINE_BYTES, 97);
    const source = { told: 0, isOver: false };
    async function* lines(): AsyncGenerator<readonly WatchFrame[]> {
      try {
        for (; source.told < LINES; source.told++) {
          yield await Promise.resolve([]);
          yield [{ bytes: line, event: () => ({ type: 'ADDED', object: NONE }) }];
        }
      } finally {
        source.isOver = true;
      }
    }
    const sending = await send({ kind: 'watch', status: 200, headers: {}, frames: lines() });
    return { ...sending, source };
  }

  it('that nobody reads asks for no more lines, and comes whole once it is read', async () => {
    const { response, answer, sent, source } = await watched();
    await until(() => response.writableNeedDrain || source.told > 0);
    expect(source.told).toBeLessThan(LINES / 2);
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    await sent;
    expect(bytes).toBe(LINES * LINE_BYTES);
  });

  it('whose reader goes away lets go of its source', async () => {
    const { answer, sent, source } = await watched();
    answer.destroy();
    await sent;
    expect(source.isOver).toBe(true);
    expect(source.told).toBeLessThan(LINES);
  });

  it('that is ended while its reader does not read ends once that reads', async () => {
    const { answer, sent, source, reader } = await watched();
    reader.abort();
    await sent;
    expect(source.isOver).toBe(true);
    let bytes = 0;
    for await (const chunk of answer) bytes += (chunk as Buffer).length;
    expect(bytes % LINE_BYTES).toBe(0);
    expect(bytes).toBeLessThan(LINES * LINE_BYTES);
    expect(answer.complete).toBe(true);
  });
});
