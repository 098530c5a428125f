// What nodes may read of claims and persistent volumes: those of their own pods, by name, and no others.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Volume } from '../../api/generated/types.ts';
import { PersistentVolumeClaims, PersistentVolumes, Pods } from '../../api/kinds.ts';
import { isForbidden } from '../../api/status.ts';
import { type ControlledCluster, aControlledCluster } from '../support/controlled-cluster.ts';

const namespace = 'default';
const storage = '1Mi';
const accessModes = ['ReadWriteOnce'];

let cluster: ControlledCluster;
beforeEach(async () => {
  cluster = await aControlledCluster();
  for (const name of ['used', 'other', 'web-scratch']) await claim(name);
  for (const name of ['used', 'other']) await volume(`disk-${name}`, { namespace, name });
  // Of a class that no claim asks for, so that it stays free.
  await volume('free', undefined, 'spare');
  await pod('n1', [
    { name: 'v', persistentVolumeClaim: { claimName: 'used' } },
    {
      name: 'scratch',
      ephemeral: {
        volumeClaimTemplate: {
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: { requests: { storage: '1Gi' } },
          },
        },
      },
    },
  ]);
});
afterEach(() => cluster.close());

const claim = (name: string) =>
  cluster.client.resource(PersistentVolumeClaims).create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace },
    spec: { accessModes, resources: { requests: { storage } } },
  });
const volume = (
  name: string,
  claimRef?: { namespace: string; name: string },
  storageClassName = '',
) =>
  cluster.client.resource(PersistentVolumes).create({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes,
      capacity: { storage },
      hostPath: { path: '/srv' },
      storageClassName,
      ...(claimRef && { claimRef }),
    },
  });
const pod = (nodeName: string, volumes: Volume[]) =>
  cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace },
    spec: {
      nodeName,
      automountServiceAccountToken: false,
      volumes,
      containers: [{ name: 'a', image: 'a:1' }],
    },
  });

/** May a node do it? Fails where something else goes wrong. */
async function may(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  }
}

const claimsAs = (node: string) =>
  cluster.as(`system:node:${node}`, 'system:nodes').resource(PersistentVolumeClaims);
const volumesAs = (node: string) =>
  cluster.as(`system:node:${node}`, 'system:nodes').resource(PersistentVolumes);
const only = (name: string) => ({ fieldSelector: `metadata.name=${name}` });

it.each([
  ['n1', 'used', true],
  ['n1', 'web-scratch', true],
  ['n1', 'other', false],
  ['n2', 'used', false],
])('%s reads the claim %s: %s, by name or as the only one of a list', async (node, name, is) => {
  const claims = claimsAs(node);
  expect(await may(claims.get({ namespace, name }))).toBe(is);
  expect(await may(claims.list({ namespace, ...only(name) }))).toBe(is);
});

it.each([
  ['n1', 'disk-used', true],
  ['n1', 'disk-other', false],
  ['n1', 'free', false],
  ['n1', 'nowhere', false],
  ['n2', 'disk-used', false],
])('%s reads the volume %s: %s', async (node, name, is) => {
  const volumes = volumesAs(node);
  expect(await may(volumes.get({ name }))).toBe(is);
  expect(await may(volumes.list(only(name)))).toBe(is);
});

it('are not read all at once, nor by who is a node without a name', async () => {
  expect(await may(claimsAs('n1').list({ namespace }))).toBe(false);
  expect(await may(claimsAs('n1').list(only('used')))).toBe(false);
  expect(await may(volumesAs('n1').list({}))).toBe(false);
  const nameless = cluster.as('system:noden1', 'system:nodes').resource(PersistentVolumeClaims);
  expect(await may(nameless.get({ namespace, name: 'used' }))).toBe(false);
});

it('are refused in upstream’s words', async () => {
  await expect(claimsAs('n1').get({ namespace, name: 'other' })).rejects.toThrow(
    `persistentvolumeclaims "other" is forbidden: User "system:node:n1" cannot get resource "persistentvolumeclaims" in API group "" in the namespace "default": no relationship found between node 'n1' and this object`,
  );
});
