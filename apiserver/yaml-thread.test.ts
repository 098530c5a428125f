// The thread for large YAML at the edge of its memory.
import { expect, it } from 'vitest';
import { inYamlThread } from './yaml-thread.ts';

it('refuses what takes more memory than a thread may have, and goes on with the next', async () => {
  const items = Array.from({ length: 100_000 }, (_, i) => ({ name: `item-${i}`, value: [i] }));
  const json = Buffer.from(JSON.stringify(items));
  await expect(inYamlThread({ kind: 'write', json }, 24)).rejects.toMatchObject({
    reason: 'RequestEntityTooLarge',
    message: expect.stringContaining('ask for JSON') as string,
  });
  const yaml = Buffer.from('a: 1\n');
  expect(await inYamlThread({ kind: 'read', yaml })).toMatchObject({ value: { a: 1 } });
});
