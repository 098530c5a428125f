// What a namespace says while it goes.
import { describe, expect, it } from 'vitest';
import type { Namespace } from '../../api/generated/types.ts';
import { Pods, Deployments } from '../../api/kinds.ts';
import { namespaceStatus } from './status.ts';

const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } };
const NOW = Date.UTC(2026, 0, 1);
const conditions = (progress: Parameters<typeof namespaceStatus>[1]) =>
  Object.fromEntries(
    (namespaceStatus(namespace, progress, NOW).conditions ?? []).map((each) => [
      each.type,
      `${each.status}: ${each.message}`,
    ]),
  );

describe('the status of a namespace that goes', () => {
  it('says that nothing is left', () => {
    const status = namespaceStatus(namespace, { remains: [], failures: [], stale: [] }, NOW);
    expect(status.phase).toBe('Terminating');
    expect(status.conditions?.every((each) => each.status === 'False')).toBe(true);
  });

  it('says what is left, what holds it, and what failed', () => {
    const remains = [
      { ref: Pods, count: 2, finalizers: new Map([['b', 1]]) },
      {
        ref: Deployments,
        count: 1,
        finalizers: new Map([
          ['b', 1],
          ['a', 1],
        ]),
      },
    ];
    expect(conditions({ remains, failures: ['no'], stale: ['a.example.com/v1'] })).toMatchObject({
      NamespaceContentRemaining:
        'True: Some resources are remaining: pods. has 2 resource instances, deployments.apps has 1 resource instances',
      NamespaceFinalizersRemaining:
        'True: Some content in the namespace has finalizers remaining: a in 1 resource instances, b in 2 resource instances',
      NamespaceDeletionDiscoveryFailure:
        'True: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: a.example.com/v1: stale GroupVersion discovery: a.example.com/v1',
      NamespaceDeletionContentFailure: 'True: Failed to delete all resource types, 1 remaining: no',
    });
  });
});
