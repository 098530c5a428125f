// The registry over a real store: what a change of an object leaves behind.
import { afterEach, expect, it } from 'vitest';
import { configMapDefinition } from '../../api/core/config-map.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { isKept } from '../../test/support/garbage.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { ObjectStore } from '../watch/object-store.ts';
import { objectKey } from './keys.ts';
import { Registry } from './registry.ts';

const definition = configMapDefinition as unknown as ResourceDefinition;
const at = { definition, namespace: 'a', name: 'one' };
const KEY = objectKey(ConfigMaps, 'a', 'one');
let store: ObjectStore;
afterEach(() => store.close());

it('history keeps the bytes of what was replaced, not the value that its writer read', async () => {
  const doors = { clock: new VirtualClock(), logger: silentLogger };
  store = await ObjectStore.open(createMemoryStorage(doors), doors);
  const registry = new Registry(store);
  const metadata = { name: 'one', namespace: 'a' };
  const object: LooseObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: '1' } };
  await registry.create(at, object, false);
  const before = store.get(KEY);
  await registry.update(at, (old) => ({ kind: 'put', object: { ...old, data: { a: '2' } } }), {
    dryRun: false,
  });
  expect(store.get(KEY)?.object()['data']).toEqual({ a: '2' });
  expect(before?.objectToReplace()['data']).toEqual({ a: '1' });
  expect(await isKept(() => before?.objectToReplace() ?? {})).toBe(false);
});
