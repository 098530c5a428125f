// RuntimeClasses: which handler of the container runtime runs a pod, at what overhead. Stored and shown; pods run alike yet.
import { ALL_VERBS, defineResource } from '../definition.ts';
import { validateTolerations } from '../core/placement-validation.ts';
import { canonicalResources } from '../core/pod-template-defaults.ts';
import type { RuntimeClass } from '../generated/types.ts';
import { RuntimeClasses } from '../kinds.ts';
import { ageColumn, nameColumn, text } from '../meta/columns.ts';
import { obeys, unchanged } from '../meta/field-rules.ts';
import { dnsLabel } from '../meta/names.ts';
import { quantityNotNegative } from '../meta/numbers.ts';
import { validateLabels } from '../meta/validate-labels.ts';

/** What RuntimeClasses are. */
export const runtimeClassDefinition = defineResource<RuntimeClass>({
  ref: RuntimeClasses,
  singular: 'runtimeclass',
  listKind: 'RuntimeClassList',
  shortNames: [],
  categories: [],
  schemaName: 'io.k8s.api.node.v1.RuntimeClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  putNeedsVersion: true,
  subresources: [],
  columns: [
    nameColumn,
    text('Handler', 'What runs its pods.', (one) => one.handler ?? ''),
    ageColumn,
  ],
  selectableFields: {},
  defaults: ({ overhead }) => canonicalResources(overhead?.podFixed),
  validate: ({ handler, overhead, scheduling }, old) => [
    ...obeys(dnsLabel, handler ?? '', 'handler'),
    ...Object.entries(overhead?.podFixed ?? {}).flatMap(([name, amount]) =>
      quantityNotNegative(amount, `overhead.podFixed[${name}]`),
    ),
    ...validateLabels(scheduling?.nodeSelector, 'scheduling.nodeSelector'),
    ...validateTolerations(scheduling?.tolerations ?? [], 'scheduling.tolerations'),
    ...(old === undefined ? [] : unchanged(handler, old.handler, 'handler')),
  ],
});
