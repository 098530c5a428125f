// Lines of logs, whatever the borders of chunks and the length of lines.
import { expect, it } from 'vitest';
import { createClient } from '../rest/rest-client.ts';
import { MAX_LOG_LINE_BYTES, podLogs } from './logs.ts';

/** The lines of a log that comes in these chunks. */
async function linesOf(...chunks: string[]): Promise<string[]> {
  const unasked = () => {
    throw new Error('nobody asks for this');
  };
  async function* body() {
    for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
  }
  const stream = () => Promise.resolve(body());
  const client = createClient({ request: unasked, watch: unasked, stream, close: unasked });
  const lines: string[] = [];
  for await (const line of podLogs(client, { namespace: 'default', name: 'a' })) lines.push(line);
  return lines;
}

const longest = 'x'.repeat(MAX_LOG_LINE_BYTES);

it.each([
  ['in one chunk', [`${longest}\nafter\n`]],
  ['at a border of chunks', [longest, '\nafter\n']],
  ['with its newline alone', [longest, '\n', 'after\n']],
])('are whole at the longest, with no empty one behind: %s', async (_name, chunks) => {
  expect(await linesOf(...chunks)).toEqual([longest, 'after']);
});

it('come in pieces where they are longer, and stay empty where they are', async () => {
  expect(await linesOf(`${longest}yz\n\nafter\n\n`)).toEqual([longest, 'yz', '', 'after', '']);
  expect(await linesOf(`${longest}\n`, '\nafter')).toEqual([longest, '', 'after']);
  expect(await linesOf(longest, longest, '\n\n')).toEqual([longest, longest, '']);
});
