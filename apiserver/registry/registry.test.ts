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
import { MAX_KEPT_BYTES } from '../watch/visible-object.ts';
import { objectKey } from './keys.ts';
import { Registry } from './registry.ts';

const definition = configMapDefinition as unknown as ResourceDefinition;
const at = { definition, namespace: 'a', name: 'one' };
const KEY = objectKey(ConfigMaps, 'a', 'one');
let store: ObjectStore;
afterEach(() => store.close());

const aConfigMap = (data: Record<string, string>): LooseObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'one', namespace: 'a' },
  data,
});

async function aRegistry(): Promise<Registry> {
  const doors = { clock: new VirtualClock(), logger: silentLogger };
  store = await ObjectStore.open(createMemoryStorage(doors), doors);
  return new Registry(store);
}

it('what was written is answered with the value that readers have where it is large', async () => {
  const registry = await aRegistry();
  let read: LooseObject | undefined;
  store.subscribe(KEY, ({ value }) => (read = value.object()));
  const text = 'x'.repeat(MAX_KEPT_BYTES);
  const made = await registry.createOrFail(at, aConfigMap({ text }));
  expect(made.stored.object()).toBe(read);
  const put = (old: LooseObject) => ({
    kind: 'put' as const,
    object: { ...old, data: { a: text } },
  });
  const changed = await registry.update(at, put, { dryRun: false });
  expect(changed.stored.object()).toBe(read);
  expect(read?.metadata.resourceVersion).toBe(String(store.revision));
});

it('what was written is read apart from history where it is small', async () => {
  const registry = await aRegistry();
  const made = await registry.createOrFail(at, aConfigMap({ a: '1' }));
  expect(made.stored.object()['data']).toEqual({ a: '1' });
  expect(await isKept(() => store.get(KEY)?.objectToReplace() ?? {})).toBe(false);
});

it('history keeps the bytes of what was replaced, not the value that its writer read', async () => {
  const registry = await aRegistry();
  await registry.create(at, aConfigMap({ a: '1' }), false);
  const before = store.get(KEY);
  await registry.update(at, (old) => ({ kind: 'put', object: { ...old, data: { a: '2' } } }), {
    dryRun: false,
  });
  expect(store.get(KEY)?.object()['data']).toEqual({ a: '2' });
  expect(before?.objectToReplace()['data']).toEqual({ a: '1' });
  expect(await isKept(() => before?.objectToReplace() ?? {})).toBe(false);
});
