// Both ends of a connection in this process go together, whichever went and whatever was under way.
import { expect, it } from 'vitest';
import { connectedPair } from './connected-pair.ts';

const closed = (end: { once(event: 'close', fn: () => void): unknown }) =>
  new Promise<void>((resolve) => end.once('close', resolve));

it('passes bytes both ways, and what was said before an orderly end', async () => {
  const [one, other] = connectedPair();
  one.end('question');
  const heard: string[] = [];
  for await (const part of other) heard.push(String(part));
  other.end('answer');
  for await (const part of one) heard.push(String(part));
  expect(heard.join(' ')).toBe('question answer');
});

it('takes the other end along where one is gone', async () => {
  for (const at of [0, 1]) {
    const pair = connectedPair();
    const gone = closed(pair[1 - at]!);
    pair[at]!.destroy();
    await gone;
  }
});

it('takes an end along that was still writing, though the other had ended well', async () => {
  const [one, other] = connectedPair();
  one.end();
  other.resume();
  while (other.write(Buffer.alloc(64 * 1024)));
  const gone = closed(other);
  one.destroy();
  await gone;
});
