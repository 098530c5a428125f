// The conditions of a namespace that is being emptied: what is left, and what stands in the way. Pure.
import type { Namespace, NamespaceStatus } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { formatTime } from '../../api/meta/time.ts';
import { withCondition } from '../framework/conditions.ts';

/** What one kind still has in the namespace. */
export interface Remains {
  readonly ref: KindRef;
  readonly count: number;
  /** How many objects each finalizer holds. */
  readonly finalizers: ReadonlyMap<string, number>;
}

/** What an attempt to empty the namespace came to. */
export interface Progress {
  readonly remains: readonly Remains[];
  /** Failures to delete or to look, in words. */
  readonly failures: readonly string[];
  /** Groups and versions of other API servers whose kinds are not known as they are now: objects of theirs may be there. */
  readonly stale: readonly string[];
}

/** The status after an attempt. */
export function namespaceStatus(
  { status }: Namespace,
  progress: Progress,
  nowMs: number,
): NamespaceStatus {
  const now = formatTime(nowMs);
  let conditions = status?.conditions;
  for (const condition of conditionsOf(progress))
    conditions = withCondition(conditions, condition, now);
  return { ...status, phase: 'Terminating', conditions };
}

interface Said {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

function conditionsOf({ remains, failures, stale }: Progress): Said[] {
  const left = remains.filter(({ count }) => count > 0);
  const held = left.filter(({ finalizers }) => finalizers.size > 0);
  return [
    said(
      'NamespaceDeletionDiscoveryFailure',
      stale.length === 0 ? undefined : undiscovered(stale),
      ['ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    said('NamespaceDeletionGroupVersionParsingFailure', undefined, [
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ]),
    said(
      'NamespaceDeletionContentFailure',
      failures.length === 0
        ? undefined
        : [
            'ContentDeletionFailed',
            `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
          ],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    said(
      'NamespaceContentRemaining',
      left.length === 0
        ? undefined
        : [
            'SomeResourcesRemain',
            `Some resources are remaining: ${left.map(countText).join(', ')}`,
          ],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    said(
      'NamespaceFinalizersRemaining',
      held.length === 0
        ? undefined
        : [
            'SomeFinalizersRemain',
            `Some content in the namespace has finalizers remaining: ${finalizerTexts(held).join(', ')}`,
          ],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ];
}

type Reason = readonly [reason: string, message: string];

function said(type: string, trouble: Reason | undefined, fine: Reason): Said {
  const [reason, message] = trouble ?? fine;
  return { type, status: trouble ? 'True' : 'False', reason, message };
}

function undiscovered(stale: readonly string[]): Reason {
  const each = stale.map((version) => `${version}: stale GroupVersion discovery: ${version}`);
  const why = `unable to retrieve the complete list of server APIs: ${each.join(', ')}`;
  const message = `Discovery failed for some groups, ${stale.length} failing: ${why}`;
  return ['DiscoveryFailed', message];
}

function countText({ ref, count }: Remains): string {
  const resource = ref.group === '' ? `${ref.plural}.` : `${ref.plural}.${ref.group}`;
  return `${resource} has ${count} resource instances`;
}

function finalizerTexts(held: readonly Remains[]): string[] {
  const totals = new Map<string, number>();
  for (const { finalizers } of held)
    for (const [name, count] of finalizers) totals.set(name, (totals.get(name) ?? 0) + count);
  return [...totals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} in ${count} resource instances`);
}
