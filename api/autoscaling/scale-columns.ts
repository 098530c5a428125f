// What `kubectl get --subresource=scale` shows: the columns of autoscaling/v1 Scale.
// Invariant: pure; figures that are not there are none.
import type { Column } from '../definition.ts';
import { ageColumn, count, nameColumn } from '../meta/columns.ts';
import type { KubeObject } from '../meta/object.ts';

interface Scaled extends KubeObject {
  spec?: { replicas?: number | undefined } | undefined;
  status?: { replicas?: number | undefined } | undefined;
}

/** The columns, as upstream has them. */
export const scaleColumns: readonly Column<Scaled>[] = [
  nameColumn,
  count('Desired', 'Pods that are wanted.', ({ spec }) => spec?.replicas ?? 0),
  count('Available', 'Pods that there are.', ({ status }) => status?.replicas ?? 0),
  ageColumn,
];
