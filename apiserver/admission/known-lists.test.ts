// Lists by namespace that are remembered: they are the store's, whatever was asked before.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LimitRanges, Secrets } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { systemClock as clock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { objectKey } from '../registry/keys.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import type { Storage } from '../storage/storage.ts';
import { ObjectStore } from '../watch/object-store.ts';
import { knownLists } from './known-lists.ts';

describe('Known lists', () => {
  let storage: Storage;
  let store: ObjectStore;

  beforeEach(async () => {
    storage = createMemoryStorage({ clock, logger: silentLogger });
    store = await ObjectStore.open(storage, { clock, logger: silentLogger });
  });

  afterEach(async () => {
    await store.close();
    await storage.close();
  });

  const put = (
    namespace: string,
    name: string,
    ref: typeof LimitRanges | typeof Secrets = LimitRanges,
  ) =>
    store.commit(
      objectKey(ref, namespace, name),
      'any',
      encodeObject({ apiVersion: 'v1', kind: ref.kind, metadata: { name, namespace } }),
    );

  it('are those of the store after each change of the kind, in each namespace', async () => {
    const listed = knownLists<LooseObject>(store, LimitRanges);
    const names = (namespace: string) => listed(namespace).map(({ metadata }) => metadata.name);
    expect(names('a')).toEqual([]);
    await put('a', 'one');
    expect(names('a')).toEqual(['one']);
    expect(names('b')).toEqual([]);
    await put('a', 'two');
    expect(names('a')).toEqual(['one', 'two']);
    await store.commit(objectKey(LimitRanges, 'a', 'one'), 'any', 'delete');
    expect(names('a')).toEqual(['two']);
  });

  it('are found once while nothing of the kind changes', async () => {
    const listed = knownLists<LooseObject>(store, LimitRanges);
    await put('a', 'one');
    const found = listed('a');
    await put('a', 'other', Secrets);
    expect(listed('a')).toBe(found);
    await put('b', 'one');
    expect(listed('a')).not.toBe(found);
    expect(listed('a')).toEqual(found);
  });

  it('are right in more namespaces than are remembered', async () => {
    const listed = knownLists<LooseObject>(store, LimitRanges);
    await put('n7', 'one');
    for (const turn of [1, 2])
      for (let i = 0; i < 1_001; i++)
        expect([turn, listed(`n${i}`).length]).toEqual([turn, i === 7 ? 1 : 0]);
  });
});
