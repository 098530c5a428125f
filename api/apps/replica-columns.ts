// Columns of kinds that keep so many pods: how many are wanted, there and ready.
// Pure readers of objects; figures that are not there are those of the defaults.
import type { Column } from '../definition.ts';
import { count, text } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object.ts';

/** A kind with its figures there. */
interface Replicated extends KubeObject {
  spec?: { replicas?: number | undefined } | undefined;
  status?: { replicas?: number | undefined; readyReplicas?: number | undefined } | undefined;
}

/** The `Ready` column of kinds that show it in one: `1/3`. */
export const readyOfWanted: Column<Replicated> = text(
  'Ready',
  'Ready pods of all that are wanted.',
  ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`,
);

/** The columns of kinds that show each figure by itself. */
export const replicaCounts: readonly Column<Replicated>[] = [
  count('Desired', 'Pods that are wanted.', ({ spec }) => spec?.replicas ?? 1),
  count('Current', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
  count('Ready', 'Pods that are ready.', ({ status }) => status?.readyReplicas ?? 0),
];
