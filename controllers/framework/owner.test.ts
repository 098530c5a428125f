// Whose an object is: by uid and kind, never by name alone.
import { describe, expect, it } from 'vitest';
import { Deployments, Nodes, ReplicaSets } from '../../api/kinds.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { controllerKeys, isControlledBy, ownerReferenceFor } from './owner.ts';

const owner: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
};
const reference = ownerReferenceFor(owner, ReplicaSets);
const child: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'shop', ownerReferences: [reference] },
};

describe('owner references', () => {
  it('name the owner as its controller, even where the object itself does not say its kind', () => {
    expect(reference).toEqual({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'web',
      uid: 'u1',
      controller: true,
      blockOwnerDeletion: true,
    });
  });

  it('hold for the owner, not for a later object of the same name', () => {
    expect(isControlledBy(child, owner)).toBe(true);
    expect(isControlledBy(child, { ...owner, metadata: { name: 'web', uid: 'u2' } })).toBe(false);
    expect(isControlledBy(owner, owner)).toBe(false);
  });

  it('give the key of the owner of the kind asked for, in the group asked for', () => {
    expect(controllerKeys(child, ReplicaSets)).toEqual(['shop/web']);
    expect(controllerKeys(child, Deployments)).toEqual([]);
    expect(controllerKeys(child, { ...ReplicaSets, group: 'other.example' })).toEqual([]);
    expect(controllerKeys(owner, ReplicaSets)).toEqual([]);
  });

  it('give a bare name for an owner without a namespace', () => {
    const node = { ...reference, apiVersion: 'v1', kind: 'Node', name: 'n1' };
    const pod = { ...child, metadata: { ...child.metadata, ownerReferences: [node] } };
    expect(controllerKeys(pod, Nodes)).toEqual(['n1']);
  });
});
