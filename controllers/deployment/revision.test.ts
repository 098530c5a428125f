// Revisions, their history, and what a new set looks like.
import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import {
  newReplicaSet,
  nextRevision,
  revisionAnnotations,
  revisionOf,
  sizeChanged,
} from './revision.ts';

const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'd',
    namespace: 'n',
    uid: 'u',
    annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'd' } },
    template: { metadata: { labels: { app: 'd' } }, spec: { containers: [] } },
  },
};
const aSet = (annotations: Record<string, string>): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 's', annotations },
});
const at = (revision: number) => aSet({ 'deployment.kubernetes.io/revision': String(revision) });

describe('revisions', () => {
  it('count up from the highest', () => {
    expect(nextRevision([])).toBe(1);
    expect(nextRevision([at(2), at(7), aSet({})])).toBe(8);
  });

  it('that are nonsense count as none', () => {
    expect(revisionOf(aSet({ 'deployment.kubernetes.io/revision': 'x' }))).toBe(0);
  });

  it('of a set that comes back are remembered', () => {
    const set = aSet({
      'deployment.kubernetes.io/revision': '3',
      'deployment.kubernetes.io/revision-history': '1',
      note: 'x',
    });
    expect(revisionAnnotations(deployment, set, 5)).toMatchObject({
      'deployment.kubernetes.io/revision': '5',
      'deployment.kubernetes.io/revision-history': '1,3',
    });
    expect(revisionAnnotations(deployment, set, 3)).toBeUndefined();
  });
});

describe('a new set', () => {
  const set = newReplicaSet(deployment, { revision: 1, replicas: 2, most: 4 });
  const hash = set.metadata.labels?.['pod-template-hash'];

  it('is named and marked by the hash of its template', () => {
    expect(set.metadata.name).toBe(`d-${hash}`);
    expect(set.spec?.selector.matchLabels).toEqual({ app: 'd', 'pod-template-hash': hash });
    expect(set.spec?.template?.metadata?.labels).toEqual({ app: 'd', 'pod-template-hash': hash });
    expect(set.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', uid: 'u' }]);
  });

  it('has the annotations of its deployment, but not the record of apply', () => {
    expect(set.metadata.annotations).toEqual({
      note: 'x',
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
  });

  it('knows when the deployment wants another number', () => {
    expect(sizeChanged(deployment, set)).toBe(false);
    const larger = { ...deployment, spec: { ...deployment.spec, replicas: 5 } } as Deployment;
    expect(sizeChanged(larger, set)).toBe(true);
  });
});
