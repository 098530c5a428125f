// Tests of SPDY framing, header blocks and sessions; the client's side is made from zlib and the framing itself.
import { randomBytes } from 'node:crypto';
import { duplexPair, type Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { fc } from '../../test/support/properties.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { HEADER_DICTIONARY } from './dictionary.ts';
import {
  dataFrame,
  type Frame,
  FrameReader,
  goAwayFrame,
  MAX_CONTROL_BYTES,
  pingFrame,
  RST_STATUS,
  rstStreamFrame,
  synReplyFrame,
  synStreamFrame,
} from './frames.ts';
import { HeaderReader, HeaderWriter, MAX_HEADER_BYTES } from './header-blocks.ts';
import { MAX_STREAMS, SpdySession, type SpdyStream } from './session.ts';

const bytes = (value: string) => new Uint8Array(Buffer.from(value));

/** Joins parts of data frames, since how they are cut means nothing. */
function joined(frames: Iterable<Frame>): object[] {
  const all: { kind: string; streamId?: number; data?: string; fin?: boolean }[] = [];
  for (const frame of frames) {
    const last = all.at(-1);
    if (frame.kind !== 'data') all.push({ ...frame } as (typeof all)[0]);
    else {
      const data = Buffer.from(frame.data).toString('latin1');
      if (last?.kind === 'data' && last.streamId === frame.streamId && !last.fin)
        Object.assign(last, { data: `${last.data ?? ''}${data}`, fin: frame.fin });
      else all.push({ kind: 'data', streamId: frame.streamId, data, fin: frame.fin });
    }
  }
  return all;
}

const someFrame = fc.oneof(
  fc.tuple(fc.constant('syn'), fc.nat(999), fc.uint8Array({ maxLength: 40 })),
  fc.tuple(fc.constant('data'), fc.nat(999), fc.uint8Array({ maxLength: 200 })),
  fc.tuple(fc.constant('fin'), fc.nat(999), fc.uint8Array({ maxLength: 5 })),
  fc.tuple(fc.constant('rst'), fc.nat(999), fc.constant(new Uint8Array())),
  fc.tuple(fc.constant('ping'), fc.nat(999), fc.constant(new Uint8Array())),
);

function encode([kind, id, data]: readonly [string, number, Uint8Array]): Uint8Array {
  if (kind === 'syn') return synStreamFrame(id, data);
  if (kind === 'rst') return rstStreamFrame(id, RST_STATUS.cancel);
  if (kind === 'ping') return pingFrame(id);
  return dataFrame(id, data, kind === 'fin');
}

describe('frames', () => {
  it('come out the same, however the bytes are cut', () => {
    const property = fc.property(
      fc.array(someFrame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
      (frames, cuts) => {
        const all = Buffer.concat(frames.map(encode));
        const whole = joined(new FrameReader().push(all));
        const reader = new FrameReader();
        const parts: Frame[] = [];
        for (let at = 0, i = 0; at < all.length; i += 1) {
          const next = at + (cuts[i % cuts.length] ?? 1);
          parts.push(...reader.push(all.subarray(at, next)));
          at = next;
        }
        expect(joined(parts)).toEqual(whole);
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  it('say what they say', () => {
    const all = Buffer.concat([
      synStreamFrame(7, bytes('block')),
      synReplyFrame(7, bytes('block')),
      rstStreamFrame(7, 3),
      pingFrame(5),
      goAwayFrame(7, 2),
      dataFrame(7, bytes('x'), true),
    ]);
    expect([...new FrameReader().push(all)]).toEqual([
      { kind: 'synStream', streamId: 7, fin: false, headers: Buffer.from('block') },
      { kind: 'synReply', streamId: 7, fin: false },
      { kind: 'rstStream', streamId: 7, status: 3 },
      { kind: 'ping', id: 5 },
      { kind: 'goAway', status: 2 },
      { kind: 'data', streamId: 7, fin: true, data: Buffer.from('x') },
    ]);
  });

  it.each([
    ['another version', [0x80, 2, 0, 1, 0, 0, 0, 10]],
    ['a control frame that is too large', [0x80, 3, 0, 1, 0, 1, 0, 1]],
    ['a control frame that is cut off', [0x80, 3, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1]],
  ])('refuse %s', (_, head) => {
    expect(MAX_CONTROL_BYTES).toBe(0x10000);
    expect(() => [...new FrameReader().push(Uint8Array.from(head))]).toThrow(/SPDY|control frame/);
  });
});

/** Compresses header blocks as a client does. */
class ClientHeaders {
  readonly #deflate = createDeflate({ dictionary: Buffer.from(HEADER_DICTIONARY) });

  async block(headers: Record<string, string>): Promise<Uint8Array> {
    const counted = (value: string) => {
      const out = Buffer.alloc(4 + Buffer.byteLength(value));
      out.writeUInt32BE(out.length - 4);
      out.write(value, 4);
      return out;
    };
    const count = Buffer.alloc(4);
    count.writeUInt32BE(Object.keys(headers).length);
    return this.raw(Buffer.concat([count, ...Object.entries(headers).flat().map(counted)]));
  }

  async raw(plain: Uint8Array): Promise<Uint8Array> {
    const parts: Buffer[] = [];
    const collect = (part: Buffer) => parts.push(part);
    this.#deflate.on('data', collect);
    this.#deflate.write(plain);
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    this.#deflate.off('data', collect);
    return Buffer.concat(parts);
  }
}

describe('header blocks', () => {
  it('are one compressed stream over the connection', async () => {
    const client = new ClientHeaders();
    const reader = new HeaderReader();
    for (const headers of [{ streamtype: 'data', port: '80' }, {}, { streamtype: 'error' }]) {
      const read = await reader.read(await client.block(headers));
      expect(Object.fromEntries(read)).toEqual(headers);
    }
    reader.close();
  });

  it('are refused when they inflate to more than their limit, and when they are none', async () => {
    const bomb = await new ClientHeaders().raw(Buffer.alloc(MAX_HEADER_BYTES + 1));
    expect(bomb.length).toBeLessThan(200);
    for (const block of [bomb, bytes('no zlib'), await new ClientHeaders().raw(bytes('ab'))]) {
      const reader = new HeaderReader();
      await expect(reader.read(block)).rejects.toThrow(/header block/);
      reader.close();
    }
  });

  it('of this side are read by any inflater', async () => {
    const writer = new HeaderWriter();
    const inflate = createInflate({ dictionary: Buffer.from(HEADER_DICTIONARY) });
    const all: Buffer[] = [];
    inflate.on('data', (part: Buffer) => all.push(part));
    for (const headers of [new Map([['a', 'b']]), new Map<string, string>()])
      await new Promise<void>((done) => inflate.write(writer.write(headers), () => done()));
    expect(Buffer.concat(all).toString('hex')).toBe(
      `00000001${'0000000161'}${'0000000162'}${'00000000'}`,
    );
    inflate.destroy();
  });
});

const endings: (() => void)[] = [];
afterEach(() => endings.splice(0).forEach((end) => end()));

/** A session and its client's end. */
function aSession(accept: (stream: SpdyStream) => boolean = () => true) {
  const [near, far] = duplexPair();
  const streams: SpdyStream[] = [];
  const clock = new VirtualClock();
  const owner = { accept: (stream: SpdyStream) => (streams.push(stream), accept(stream)) };
  const session = new SpdySession(near, owner, clock);
  const running = session.run();
  const client = new ClientHeaders();
  const open = async (id: number, headers: Record<string, string> = {}) =>
    far.write(synStreamFrame(id, await client.block(headers)));
  endings.push(() => far.destroy());
  return { session, running, streams, near, far, open, clock, heard: hear(far) };
}

/** Frames that the client has got so far; call it to wait until some of that kind is there. */
function hear(far: Duplex): (kind: Frame['kind'], count?: number) => Promise<Frame[]> {
  const frames: Frame[] = [];
  const reader = new FrameReader();
  let tell = () => undefined as void;
  far.on('data', (part: Buffer) => {
    frames.push(...reader.push(part));
    tell();
  });
  return async (kind, count = 1) => {
    const found = () => frames.filter((frame) => frame.kind === kind);
    while (found().length < count) await new Promise<void>((resolve) => (tell = resolve));
    return found();
  };
}

describe('a session', () => {
  it('takes streams, and carries bytes both ways with half closes', async () => {
    const { far, open, heard, streams } = aSession();
    await open(1, { streamtype: 'stdin' });
    await heard('synReply');
    const [stream] = streams;
    expect(stream?.headers.get('streamtype')).toBe('stdin');
    far.write(dataFrame(1, bytes('hello '), false));
    far.write(dataFrame(1, bytes('there'), true));
    expect(await text(stream as SpdyStream)).toBe('hello there');
    stream?.write('answer');
    stream?.end();
    const data = joined(await heard('data', 2));
    expect(data).toEqual([{ kind: 'data', streamId: 1, data: 'answer', fin: true }]);
    expect(await heard('rstStream', 0)).toEqual([]);
  });

  it('opens streams to another one, which may end or break off either direction', async () => {
    const [near, far] = duplexPair();
    const clock = new VirtualClock();
    const taken: SpdyStream[] = [];
    const accept = (stream: SpdyStream) => taken.push(stream) < 3;
    const client = new SpdySession(near, { accept: () => false, opens: true }, clock);
    const server = new SpdySession(far, { accept }, clock);
    const running = [client.run(), server.run()];
    const [first, second, third] = ['stdin', 'stdout', 'none'].map((streamtype) =>
      client.open(new Map([['streamtype', streamtype]])),
    );
    first?.end('to the server');
    const refused = new Promise((resolve) => third?.resume().once('close', resolve));
    await refused;
    expect(taken.map(({ headers }) => headers.get('streamtype'))).toEqual([
      'stdin',
      'stdout',
      'none',
    ]);
    expect(await text(taken[0] as SpdyStream)).toBe('to the server');
    // Servers break streams off when they are done: what came before counts.
    taken[1]?.write('to the client', () => taken[1]?.destroy());
    await new Promise((resolve) => taken[1]?.once('close', resolve));
    expect(await text(second as SpdyStream)).toBe('to the client');
    expect([first, second, third].map((stream) => stream?.streamId)).toEqual([1, 3, 5]);
    await client.close();
    await Promise.all(running);
  });

  it('reads to the end what a server said before it closed, however slowly', async () => {
    const [near, far] = duplexPair();
    const session = new SpdySession(near, { accept: () => false, opens: true }, new VirtualClock());
    const running = session.run();
    const stream = session.open(new Map([['streamtype', 'stdout']]));
    const closed = new Promise((resolve) => near.once('close', resolve));
    const frames = Array.from({ length: 200 }, (_, i) =>
      dataFrame(1, Buffer.alloc(1024, 'x'), i === 199),
    );
    far.end(Buffer.concat(frames));
    far.resume();
    near.once('end', () => near.destroy());
    await closed;
    expect(await text(stream)).toHaveLength(200 * 1024);
    await running;
  });

  it('refuses streams that its owner does not want, and those above its limit', async () => {
    const picky = aSession((stream) => stream.streamId !== 3);
    await picky.open(1);
    await picky.open(3);
    expect(await picky.heard('rstStream')).toEqual([
      { kind: 'rstStream', streamId: 3, status: RST_STATUS.refusedStream },
    ]);
    const full = aSession();
    for (let i = 0; i <= MAX_STREAMS; i += 1) await full.open(2 * i + 1);
    const refused = { streamId: 2 * MAX_STREAMS + 1, status: RST_STATUS.refusedStream };
    expect(await full.heard('rstStream')).toEqual([{ kind: 'rstStream', ...refused }]);
    expect(await full.heard('synReply', MAX_STREAMS)).toHaveLength(MAX_STREAMS);
  });

  it('reads no faster than its streams are read', async () => {
    const { far, open, heard, streams } = aSession();
    await open(1);
    await heard('synReply');
    const chunk = randomBytes(16 * 1024);
    let written = 0;
    while (far.write(dataFrame(1, chunk, false)) && written < 500) written += 1;
    // What stands between writer and reader is bounded; without back-pressure all of it would be taken.
    expect(written).toBeLessThan(50);
    const drained = new Promise((resolve) => far.once('drain', resolve));
    streams[0]?.resume();
    await drained;
  });

  it('answers pings while a stream is idle', async () => {
    const { far, heard } = aSession();
    far.write(pingFrame(9));
    expect(await heard('ping')).toEqual([{ kind: 'ping', id: 9 }]);
  });

  it('breaks a stream off when either side does', async () => {
    const { far, open, heard, streams } = aSession();
    await open(1);
    await open(3);
    await heard('synReply', 2);
    streams[0]?.destroy();
    expect(await heard('rstStream')).toEqual([
      { kind: 'rstStream', streamId: 1, status: RST_STATUS.cancel },
    ]);
    const closed = new Promise((resolve) => streams[1]?.once('close', resolve));
    far.write(rstStreamFrame(3, RST_STATUS.cancel));
    await closed;
    // Data for a stream that is gone is passed over.
    far.write(dataFrame(1, bytes('late'), false));
    far.write(pingFrame(1));
    await heard('ping');
  });

  it.each([
    [
      'a bad frame',
      async ({ far }: ReturnType<typeof aSession>) => far.write(bytes('\x80garbage!')),
    ],
    ['a bad header block', async ({ far }) => far.write(synStreamFrame(1, bytes('xx')))],
    ['an id of its own side', async ({ open }) => open(2)],
    ['an id used before', async ({ open }) => (await open(5), open(5))],
  ] as [string, (with_: ReturnType<typeof aSession>) => Promise<unknown>][])(
    'ends at %s, with its streams',
    async (_, act) => {
      const made = aSession();
      await act(made);
      expect(await made.heard('goAway')).toEqual([{ kind: 'goAway', status: 1 }]);
      await made.running;
      expect(made.streams.every((stream) => stream.destroyed)).toBe(true);
    },
  );

  it('pings while a stream that nobody reads is full, and ends with its connection even then', async () => {
    const { near, far, open, heard, streams, running, clock } = aSession();
    await open(1);
    await heard('synReply');
    while (far.write(dataFrame(1, randomBytes(16 * 1024), false)));
    await clock.advance(10_000);
    await clock.advance(10_000);
    expect(await heard('ping', 2)).toEqual([
      { kind: 'ping', id: 2 },
      { kind: 'ping', id: 4 },
    ]);
    // As a socket does when a write to its peer fails.
    near.destroy();
    await running;
    expect(streams[0]?.destroyed).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says goodbye, and cuts off a peer that stays', async () => {
    const { session, running, heard, clock, open, streams } = aSession();
    await open(1);
    await heard('synReply');
    await session.close();
    expect(await heard('goAway')).toEqual([{ kind: 'goAway', status: 0 }]);
    await clock.advance(5_000);
    await running;
    expect(streams[0]?.destroyed).toBe(true);
  });
});
