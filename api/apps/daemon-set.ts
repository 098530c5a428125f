// DaemonSets: one pod of a template on each node that fits. Stored and shown; no controller yet.
// Invariant: the template's generation, which upstream keeps in an annotation, counts changes of the template.
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { validatePodTemplate } from '../core/pod-template-validation.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import type {
  DaemonSet,
  DaemonSetSpec,
  DaemonSetStatus,
  DaemonSetUpdateStrategy,
} from '../generated/types.ts';
import { DaemonSets } from '../kinds.ts';
import { ageColumn, count, mapText, nameColumn, text, workloadColumns } from '../meta/columns.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { atMostAll, countOrPercent, isNone, notNegative } from '../meta/numbers.ts';
import {
  collisionsKept,
  countsNotNegative,
  validateAlwaysRestarts,
  validateSelector,
  validateSelectorKept,
  validateTemplateFits,
} from './workload-validation.ts';
import { podNameWarnings, templateWarnings } from '../core/pod-warnings.ts';

const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';
const NOTHING_RUNS: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

/** What DaemonSets are. */
export const daemonSetDefinition = defineResource<DaemonSet>({
  ref: DaemonSets,
  unattended: 'no controller of this cluster acts on DaemonSets yet: no pods are made',
  singular: 'daemonset',
  listKind: 'DaemonSetList',
  shortNames: ['ds'],
  categories: ['all'],
  schemaName: 'io.k8s.api.apps.v1.DaemonSet',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  subresources: [],
  columns: [
    nameColumn,
    figure('Desired', 'Nodes that should run a pod of it.', 'desiredNumberScheduled'),
    figure('Current', 'Nodes that run a pod of it and should.', 'currentNumberScheduled'),
    figure('Ready', 'Nodes whose pod is ready.', 'numberReady'),
    figure('Up-to-date', 'Nodes whose pod is of the newest template.', 'updatedNumberScheduled'),
    figure('Available', 'Nodes whose pod has been ready for long enough.', 'numberAvailable'),
    text('Node Selector', 'The labels that its nodes have.', ({ spec }) =>
      mapText(spec?.template.spec?.nodeSelector),
    ),
    ageColumn,
    ...workloadColumns<DaemonSet>((set) => set.spec),
  ],
  selectableFields: {},
  defaults: ({ spec }) => {
    if (spec) defaultSpec(spec);
  },
  prepareForCreate(set) {
    set.status = { ...NOTHING_RUNS };
    setTemplateGeneration(set, 1);
  },
  prepareForUpdate(set, old) {
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const same = deepEqual(set.spec?.template, old.spec?.template);
    setTemplateGeneration(set, same ? before : before + 1);
  },
  validate: ({ spec }, old) => [
    ...validateSpec(spec),
    ...(old === undefined ? [] : validateSelectorKept(spec ?? {}, old.spec ?? {})),
  ],
  warnings: ({ metadata, spec }) => [
    ...podNameWarnings(metadata.name),
    ...templateWarnings(spec?.template, 'spec.template'),
  ],
  validateStatus: ({ status = NOTHING_RUNS }, old) => [
    ...countsNotNegative(status, [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ]),
    ...collisionsKept(status, old.status),
  ],
});

function figure(
  name: string,
  description: string,
  field: keyof DaemonSetStatus & `${string}${'Scheduled' | 'Ready' | 'Available'}`,
) {
  return count<DaemonSet>(name, description, ({ status }) => status?.[field] ?? 0);
}

function setTemplateGeneration({ metadata }: DaemonSet, generation: number): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function defaultSpec(spec: DaemonSetSpec): void {
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec.template);
}

/** As upstream, a missing selector shows as one that does not fit the template. */
function validateSpec(spec: Partial<DaemonSetSpec> = {}): FieldError[] {
  const { selector, template } = spec;
  return [
    ...(selector === undefined ? [] : validateSelector(selector, 'DaemonSet')),
    ...validateTemplateFits({ selector, template }),
    ...validatePodTemplate(template, 'spec.template'),
    ...validateAlwaysRestarts(template, 'DaemonSet'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...validateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
  ];
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy;
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') {
    return [notSupported(path, strategy, ['RollingUpdate', 'OnDelete'])];
  }
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  const [unavailableAt, surgeAt] = [
    `${path}.rollingUpdate.maxUnavailable`,
    `${path}.rollingUpdate.maxSurge`,
  ];
  const errors = [
    ...countOrPercent(maxUnavailable, unavailableAt),
    ...countOrPercent(maxSurge, surgeAt),
    ...atMostAll(maxUnavailable, unavailableAt),
    ...atMostAll(maxSurge, surgeAt),
  ];
  const [noneUnavailable, noneMore] = [isNone(maxUnavailable), isNone(maxSurge)];
  if (!noneUnavailable && !noneMore) {
    const why = 'may not be set when maxUnavailable is non-zero';
    errors.push(invalidValue(surgeAt, maxSurge, why));
  }
  if (noneUnavailable && noneMore) {
    errors.push(required(unavailableAt, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}
