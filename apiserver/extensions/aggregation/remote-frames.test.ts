// Answers of other API servers, for parts of this process.
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { framesIn, gathered, MAX_ANSWER_BYTES, MAX_LINE_BYTES } from './remote-frames.ts';

const line = (name: string) =>
  Buffer.from(`{"type":"ADDED","object":{"metadata":{"name":"${name}"}}}\n`);

async function names(body: Readable): Promise<(string | undefined)[][]> {
  const batches: (string | undefined)[][] = [];
  for await (const frames of framesIn(body))
    batches.push(frames.map((frame) => frame.event().object.metadata.name));
  return batches;
}

describe('the frames of a watch', () => {
  it('come as their lines do, wherever those are cut', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map(line) as [Buffer, Buffer, Buffer];
    const chunks = [a, Buffer.concat([b, c.subarray(0, 9)]), c.subarray(9), Buffer.from('\n')];
    expect(await names(Readable.from(chunks))).toEqual([['a'], ['b'], ['c']]);
  });

  it('end at a line that is no event, at one that is too long, and where the connection breaks', async () => {
    const after = line('b');
    for (const bad of ['no JSON\n', '7\n', '{"type":1}\n', '{"type":"ADDED"}\n']) {
      const body = Readable.from([Buffer.concat([line('a'), Buffer.from(bad)]), after]);
      expect(await names(body), bad).toEqual([['a']]);
      expect(body.destroyed).toBe(true);
    }
    const long = Readable.from([line('a'), Buffer.alloc(MAX_LINE_BYTES + 1, ' '), after]);
    expect(await names(long)).toEqual([['a']]);
    // oxlint-disable-next-line typescript/require-await -- an async generator is what gives the iterable
    async function* broken() {
      yield line('a');
      throw new Error('reset');
    }
    expect(await names(Readable.from(broken()))).toEqual([['a']]);
  });
});

describe('an answer that is read whole', () => {
  it('has all of its bytes', async () => {
    const chunks = await gathered(Readable.from([Buffer.from('a'), Buffer.from('b')]));
    expect(Buffer.concat(chunks).toString()).toBe('ab');
  });

  it('fails when it is too long', async () => {
    const body = Readable.from([Buffer.alloc(MAX_ANSWER_BYTES), Buffer.from('b')]);
    await expect(gathered(body)).rejects.toThrow(`larger than ${MAX_ANSWER_BYTES} bytes`);
    expect(body.destroyed).toBe(true);
  });
});
