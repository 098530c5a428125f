// PriorityClasses: names for how important pods are. Admission turns a pod's class into its number.
// Invariant: a class keeps its number; names that begin with `system-` are those of two known classes.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField } from '../field-error.ts';
import type { PriorityClass } from '../generated/types.ts';
import { PriorityClasses } from '../kinds.ts';
import { ageColumn, count, nameColumn, text, yesNo } from '../meta/columns.ts';
import { unchanged } from '../meta/field-rules.ts';
import { oneOf } from '../meta/numbers.ts';

/** The greatest number that users may give; those above are the system's. */
export const MAX_USER_PRIORITY = 1_000_000_000;

const SYSTEM_PREFIX = 'system-';

/** The classes that every cluster has from its start. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  {
    ...classNamed('system-node-critical', 2 * MAX_USER_PRIORITY + 1000),
    description: 'For pods of the system without which their node does not work.',
  },
  {
    ...classNamed('system-cluster-critical', 2 * MAX_USER_PRIORITY),
    description: 'For pods of the system that the cluster needs, on whichever node.',
  },
];

function classNamed(name: string, value: number): PriorityClass {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
  };
}

/** What PriorityClasses are. */
export const priorityClassDefinition = defineResource<PriorityClass>({
  ref: PriorityClasses,
  singular: 'priorityclass',
  listKind: 'PriorityClassList',
  shortNames: ['pc'],
  categories: [],
  schemaName: 'io.k8s.api.scheduling.v1.PriorityClass',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    count('Value', 'The number that its pods get.', ({ value }) => value ?? 0),
    yesNo('Global-Default', 'Is it the class of pods that name none?', (one) =>
      Boolean(one.globalDefault),
    ),
    ageColumn,
    text(
      'PreemptionPolicy',
      'Whether its pods may push out others.',
      ({ preemptionPolicy }) => preemptionPolicy ?? '',
    ),
  ],
  selectableFields: {},
  defaults(priorityClass) {
    priorityClass.value ??= 0;
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validate: (priorityClass, old) => [
    ...validateNumber(priorityClass),
    ...oneOf(priorityClass.preemptionPolicy, ['Never', 'PreemptLowerPriority'], 'preemptionPolicy'),
    ...(old === undefined ? [] : validateKept(priorityClass, old)),
  ],
});

function validateNumber({ metadata, value = 0, globalDefault }: PriorityClass): FieldError[] {
  const { name = '' } = metadata;
  if (name.startsWith(SYSTEM_PREFIX)) {
    const why = differenceFromSystem(name, value, globalDefault ?? false);
    if (why === undefined) return [];
    const rule = `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only`;
    return [forbiddenField('metadata.name', `${rule}. error: ${why}`)];
  }
  if (value <= MAX_USER_PRIORITY) return [];
  const why = `maximum allowed value of a user defined priority is ${MAX_USER_PRIORITY}`;
  return [forbiddenField('value', why)];
}

function differenceFromSystem(
  name: string,
  value: number,
  globalDefault: boolean,
): string | undefined {
  const known = systemPriorityClasses.find(({ metadata }) => metadata.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validateKept(now: PriorityClass, before: PriorityClass): FieldError[] {
  return [
    ...(now.value === before.value
      ? []
      : [forbiddenField('value', 'may not be changed in an update.')]),
    ...unchanged(now.preemptionPolicy, before.preemptionPolicy, 'preemptionPolicy'),
  ];
}
