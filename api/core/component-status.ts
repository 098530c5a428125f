// ComponentStatuses: whether the parts of the control plane are well. Deprecated, and never stored: made when asked for.
import { defineResource } from '../definition.ts';
import type { ComponentStatus } from '../generated/types.ts';
import { ComponentStatuses } from '../kinds.ts';
import { nameColumn, text } from '../meta/columns.ts';
import { findCondition } from '../meta/conditions.ts';

const HEALTHY = 'Healthy';

/** What ComponentStatuses are. */
export const componentStatusDefinition = defineResource<ComponentStatus>({
  ref: ComponentStatuses,
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  singular: 'componentstatus',
  listKind: 'ComponentStatusList',
  shortNames: ['cs'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.ComponentStatus',
  verbs: ['get', 'list'],
  hasStatus: false,
  hasGeneration: false,
  subresources: [],
  columns: [
    nameColumn,
    text('Status', 'Whether it is well.', statusText),
    text('Message', 'What it says of itself.', (one) => healthOf(one)?.message ?? ''),
    text('Error', 'Why it could not be asked.', (one) => healthOf(one)?.error ?? ''),
  ],
  selectableFields: {},
});

/** The status of a component that answered so; the error tells why it could not be asked. */
export function componentStatus(
  name: string,
  health: { healthy: boolean; message: string },
): ComponentStatus {
  const { healthy, message } = health;
  return {
    apiVersion: 'v1',
    kind: 'ComponentStatus',
    metadata: { name },
    conditions: [{ type: HEALTHY, status: healthy ? 'True' : 'False', message }],
  };
}

const healthOf = ({ conditions }: ComponentStatus) => findCondition(conditions, HEALTHY);

function statusText(component: ComponentStatus): string {
  const health = healthOf(component);
  if (health === undefined) return 'Unknown';
  return health.status === 'True' ? 'Healthy' : 'Unhealthy';
}
