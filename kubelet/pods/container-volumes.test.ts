// Tests of what is reached of volumes before a container starts: each mount by its number, parts by their names after expansion.
import { expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { ConfigError } from '../volumes/volume-error.ts';
import { reachVolumes } from './container-volumes.ts';

const container = {
  name: 'app',
  image: 'app:1',
  volumeMounts: [
    { name: 'host', mountPath: '/host' },
    { name: 'data', mountPath: '/a', subPath: 'fixed' },
    { name: 'data', mountPath: '/b', subPathExpr: 'of-$(ME)' },
    { name: 'unknown', mountPath: '/c' },
  ],
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', uid: 'uid-1' },
  spec: { containers: [container] },
};
const request = {
  pod,
  container,
  volumes: new Map([
    ['host', '/srv'],
    ['data', '/volumes/data'],
  ]),
  env: [{ name: 'ME', value: 'web' }],
};

it('asks whole volumes whether they answer, and makes parts ready', async () => {
  const asked: unknown[] = [];
  const parts = await reachVolumes(
    {
      answers: async (podUid, path) => void asked.push([podUid, path]),
      subPath: async (part) => `${part.root}|${part.inside}|${part.container}`,
    },
    request,
  );
  expect(asked).toEqual([['uid-1', '/srv']]);
  expect([...parts]).toEqual([
    [1, '/volumes/data|fixed|app'],
    [2, '/volumes/data|of-web|app'],
  ]);
});

it('fails where one does not answer, so that the runtime is not asked', async () => {
  const hangs = () => Promise.reject(new ConfigError('FailedMount', '/srv does not answer'));
  const reach = { answers: hangs, subPath: async () => '' };
  await expect(reachVolumes(reach, request)).rejects.toThrow('/srv does not answer');
});
