// What admission gives new pods for their ServiceAccount, and for which pods a node may ask for tokens.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod, TokenRequestSpec } from '../../api/generated/types.ts';
import { Leases, Nodes, Pods, ServiceAccounts } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isForbidden } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import { requestToken } from '../../client/rest/subresources.ts';
import { type ControlledCluster, aControlledCluster } from '../support/controlled-cluster.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const namespace = 'default';

let cluster: ControlledCluster;
beforeEach(async () => {
  cluster = await aControlledCluster();
  await account('robot');
});
afterEach(() => cluster.close());

const account = (name: string, more: object = {}) =>
  cluster.client.resource(ServiceAccounts).create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name, namespace },
    ...more,
  });
const pod = (name: string, spec: Partial<Pod['spec']> = {}) =>
  cluster.client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { serviceAccountName: 'robot', containers: [{ name: 'a', image: 'a:1' }], ...spec },
  });

describe('a new pod', () => {
  it('is given the token, the CA and its namespace, in each container', async () => {
    const { spec } = await pod('p', { initContainers: [{ name: 'i', image: 'a:1' }] });
    const [volume, ...others] = spec?.volumes ?? [];
    expect(others).toEqual([]);
    expect(volume).toEqual({
      name: expect.stringMatching(/^kube-api-access-[a-z0-9]{5}$/),
      projected: {
        defaultMode: 0o644,
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [
                {
                  path: 'namespace',
                  fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
                },
              ],
            },
          },
        ],
      },
    });
    const mount = { name: volume?.name, readOnly: true, mountPath: MOUNT_PATH };
    for (const { volumeMounts } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])])
      expect(volumeMounts).toEqual([mount]);
  });

  it('is given none where it or its account says so; the pod has the last word', async () => {
    await account('quiet', { automountServiceAccountToken: false });
    const volumes = async (name: string, spec: Partial<Pod['spec']>) =>
      ((await pod(name, spec)).spec?.volumes ?? []).length;
    expect(await volumes('a', { serviceAccountName: 'quiet' })).toBe(0);
    const both = { serviceAccountName: 'quiet', automountServiceAccountToken: true };
    expect(await volumes('b', both)).toBe(1);
    expect(await volumes('c', { automountServiceAccountToken: false })).toBe(0);
  });

  it('keeps what it mounts at the path itself', async () => {
    const own = { name: 'own', mountPath: MOUNT_PATH };
    const { spec } = await pod('p', {
      volumes: [{ name: 'own', emptyDir: {} }],
      containers: [{ name: 'a', image: 'a:1', volumeMounts: [own] }],
    });
    expect(spec?.volumes?.map(({ name }) => name)).toEqual(['own']);
    expect(spec?.containers[0]?.volumeMounts).toEqual([expect.objectContaining(own)]);
  });

  it('has the image secrets of its account where it names none', async () => {
    await account('puller', { imagePullSecrets: [{ name: 'registry' }] });
    const { spec } = await pod('p', { serviceAccountName: 'puller' });
    expect(spec?.imagePullSecrets).toEqual([{ name: 'registry' }]);
  });

  it('of an account that is not there is refused', async () => {
    await expect(pod('p', { serviceAccountName: 'nobody' })).rejects.toThrow(
      'error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
  });
});

describe('a node', () => {
  const askAs = (
    client: Client,
    boundObjectRef: TokenRequestSpec['boundObjectRef'],
    audiences: string[] = [],
  ) =>
    requestToken(
      client,
      { namespace, name: 'robot' },
      { audiences, ...(boundObjectRef && { boundObjectRef }) },
    );
  const tied = ({ metadata }: KubeObject) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    name: metadata.name,
    uid: metadata.uid,
  });
  const node = (name: string) => cluster.as(`system:node:${name}`, 'system:nodes');

  it('gets tokens for pods that run on it, for their audiences, and for no others', async () => {
    await cluster.client
      .resource(Nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    const vault = { serviceAccountToken: { path: 'vault', audience: 'vault' } };
    const mine = await pod('mine', {
      nodeName: 'n1',
      volumes: [{ name: 'v', projected: { sources: [vault] } }],
    });
    const { token } = await askAs(node('n1'), tied(mine));
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    await askAs(node('n1'), tied(mine), ['vault']);
    const bare = { apiVersion: 'v1', kind: 'Pod', name: 'mine' };
    for (const [client, bound, audiences, why] of [
      [node('n2'), tied(mine), [], 'scheduled on a different node'],
      [node('n1'), undefined, [], 'not bound to a pod'],
      [node('n1'), bare, [], 'without a uid'],
      [node('n1'), tied(mine), ['bank'], 'audience "bank" not found in pod spec volume'],
    ] as const) {
      const asked = askAs(client, bound, [...audiences]);
      await expect(asked).rejects.toThrow(why);
      await expect(asked).rejects.toSatisfy(isForbidden);
    }
  });

  it('writes itself, its lease and its pods, and no other node’s', async () => {
    const nodes = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
    await node('n1').resource(Nodes).create(nodes('n1'));
    const lease = (name: string) => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
    });
    await node('n1').resource(Leases).create(lease('n1'));
    await pod('mine', { nodeName: 'n1' });
    await pod('other', { nodeName: 'n2' });
    const status = { type: 'merge', body: { status: { phase: 'Running' } } } as const;
    const pods = node('n1').resource(Pods);
    const write = (name: string) =>
      pods.patch({ namespace, name }, status, { subresource: 'status' });
    await write('mine');
    await pods.delete({ namespace, name: 'mine' }, { gracePeriodSeconds: 0 });
    await pod('kept', { nodeName: 'n1' });
    const relabel = () => pods.patch({ namespace, name: 'kept' }, label, { subresource: 'status' });
    const smuggled: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'smuggled', namespace },
      spec: { nodeName: 'n1', containers: [{ name: 'a', image: 'a:1' }] },
    };
    const label = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const;
    const labels = { 'node-restriction.kubernetes.io/trusted': 'yes' };
    const trusted = { type: 'merge', body: { metadata: { labels } } } as const;
    await node('n1').resource(Nodes).patch({ name: 'n1' }, label);
    await cluster.client.resource(Nodes).create(nodes('n2'));
    for (const [attempt, why] of [
      [() => write('other'), 'can only update pods with spec.nodeName set to itself'],
      [() => pods.delete({ namespace, name: 'other' }), 'can only delete pods'],
      [relabel, 'cannot update labels through pod status'],
      [() => pods.create(smuggled), 'can only create mirror pods'],
      [() => node('n1').resource(Nodes).create(nodes('n3')), 'not allowed to modify node "n3"'],
      [() => node('n1').resource(Nodes).patch({ name: 'n2' }, label), 'modify node "n2"'],
      [() => node('n1').resource(Leases).create(lease('n2')), 'the lease of its own name'],
      [
        () => node('n1').resource(Nodes).patch({ name: 'n1' }, trusted),
        'not allowed to modify labels: node-restriction.kubernetes.io/trusted',
      ],
    ] as const)
      await expect(attempt()).rejects.toThrow(why);
  });

  it('makes mirror pods that are its own and name nothing it could read by them', async () => {
    const { metadata: own } = await node('n1')
      .resource(Nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
    const owner = {
      apiVersion: 'v1',
      kind: 'Node',
      name: 'n1',
      uid: own.uid ?? '',
      controller: true,
    };
    const container = { name: 'a', image: 'a:1' };
    const mirror = (name: string, spec: object = {}, ownerReferences: object[] = [owner]) =>
      node('n1')
        .resource(Pods)
        .create({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: {
            name,
            namespace,
            annotations: { 'kubernetes.io/config.mirror': 'x' },
            ownerReferences,
          },
          spec: { nodeName: 'n1', containers: [container], ...spec },
        } as Pod);
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }];
    const host = { name: 'v', hostPath: { path: '/etc' } };
    await mirror('fine', { volumes: [host] });
    const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
    for (const [spec, owners, why] of [
      [{ nodeName: 'n2' }, undefined, 'spec.nodeName set to itself'],
      [{}, [], 'with an owner reference set to itself'],
      [{}, [owner, { ...owner, uid: 'x', controller: false }], 'with a single owner reference'],
      [{}, [{ ...owner, name: 'n2' }], 'with an owner reference set to itself'],
      [{}, [{ ...owner, controller: false }], 'with a controller owner reference'],
      [{}, [{ ...owner, blockOwnerDeletion: true }], 'must not set blockOwnerDeletion'],
      [{}, [{ ...owner, uid: 'another' }], 'its own uid'],
      [volume({ secret: { secretName: 's' } }), undefined, 'reference secrets'],
      [
        volume({ projected: { sources: [{ secret: { name: 's' } }] } }),
        undefined,
        'reference secrets',
      ],
      [volume({ persistentVolumeClaim: { claimName: 'c' } }), undefined, 'persistentvolumeclaims'],
      [{ containers: [{ ...container, env }] }, undefined, 'reference configmaps'],
      [{ imagePullSecrets: [{ name: 's' }] }, undefined, 'reference secrets'],
      [{ serviceAccountName: 'robot' }, undefined, 'reference a service account'],
    ] as const) {
      const attempt = mirror('wrong', spec, owners && [...owners]);
      await expect(attempt, why).rejects.toThrow(why);
      await expect(attempt).rejects.toSatisfy(isForbidden);
    }
  });
});
