// The memory backend keeps the storage contract.
// Whatever differs between backends shows as a failure here.
import { describe, expect, it } from 'vitest';
import { storageContract } from '../../../test/contracts/storage.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { REVISION_WIDTH } from '../revision-gap.ts';
import { createMemoryStorage, imageOf } from './memory-storage.ts';

storageContract('memory', async () => {
  const storage = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  return { storage, dispose: () => storage.close() };
});

describe('A store that begins with an image', () => {
  const options = { clock: systemClock, logger: silentLogger };
  const never = new AbortController().signal;
  const value = (text: string) => {
    const revisionAt = `{"t":"${text}","v":"`.length;
    const gap = ' '.repeat(REVISION_WIDTH);
    return { bytes: Buffer.from(`{"t":"${text}","v":"${gap}"}`), revisionAt };
  };

  it('has its objects and goes on from its revision, and leaves the first store alone', async () => {
    const first = createMemoryStorage(options);
    await first.commit('/a', 'absent', value('one'));
    await first.commit('/b', 'absent', value('two'));
    await first.commit('/a', 'any', value('three'));
    const image = await imageOf(first);
    const second = createMemoryStorage(options, image);
    expect(await second.page('', {})).toEqual(await first.page('', {}));
    expect(second.range()).toEqual({ oldest: 3n, newest: 3n });
    const written = await second.commit('/b', 2n, value('four'));
    expect(written).toMatchObject({ kind: 'committed', revision: 4n });
    for await (const events of second.watch('', 3n, never)) {
      expect(events).toMatchObject([{ key: '/b', revision: 4n, previous: { revision: 2n } }]);
      break;
    }
    expect((await first.page('/b', {})).items).toMatchObject([{ revision: 2n }]);
    expect((await second.page('/a', { at: 3n })).items).toMatchObject([{ revision: 3n }]);
    await Promise.all([first.close(), second.close()]);
  });

  it('knows nothing of what was before', async () => {
    const first = createMemoryStorage(options);
    await first.commit('/a', 'absent', value('one'));
    await first.commit('/a', 'any', value('two'));
    const second = createMemoryStorage(options, await imageOf(first));
    await expect(second.page('', { at: 1n })).rejects.toMatchObject({ reason: 'Expired' });
    await Promise.all([first.close(), second.close()]);
  });
});
