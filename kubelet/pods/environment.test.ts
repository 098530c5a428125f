// Tests of variables that cannot be had: what is told of them.
import { expect, it } from 'vitest';
import type { ConfigMap, EnvVar } from '../../api/generated/types.ts';
import type { ObjectSources } from '../volumes/object-sources.ts';
import type { PodFacts } from '../volumes/pod-fields.ts';
import { environmentOf } from './environment.ts';
import { aPod } from './fixtures/pod-scenes.ts';

const settings: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data: { mode: 'fast' },
};
const sources = { configMap: () => Promise.resolve(settings) } as unknown as ObjectSources;
const valueFrom = (from: NonNullable<EnvVar['valueFrom']>) =>
  environmentOf(
    { name: 'app', env: [{ name: 'MODE', valueFrom: from }] },
    { pod: aPod(), sources, facts: {} as PodFacts, services: [] },
  );
const key = (name: string, optional = false) =>
  valueFrom({ configMapKeyRef: { name: 'settings', key: name, optional } });

it('is the value of a key, and of nothing that every object has', async () => {
  expect(await key('mode')).toEqual([{ name: 'MODE', value: 'fast' }]);
  expect(await key('constructor', true)).toEqual([]);
  await expect(key('constructor')).rejects.toThrow("couldn't find key constructor in ConfigMap");
});

it('of a kind that no node takes is refused, and never empty', async () => {
  const file = { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' } };
  await expect(valueFrom(file)).rejects.toThrow('no variables of the kind fileKeyRef');
});
