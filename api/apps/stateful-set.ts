// StatefulSets: pods with names and volumes of their own, made and ended in order. Stored and shown; no controller yet.
// Invariant: what ties a set to its pods (selector, service, claims, order) stays as it was made.
import { validateClaimSpec } from '../core/claim-validation.ts';
import { defaultClaimTemplate } from '../core/persistent-volume-claim.ts';
import { defaultPodTemplate } from '../core/pod-template-defaults.ts';
import { validatePodTemplate, validateTemplateMeta } from '../core/pod-template-validation.ts';
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type {
  PersistentVolumeClaim,
  StatefulSet,
  StatefulSetSpec,
  StatefulSetStatus,
  StatefulSetUpdateStrategy,
  Volume,
} from '../generated/types.ts';
import { StatefulSets } from '../kinds.ts';
import { ageColumn, containerColumns, nameColumn } from '../meta/columns.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { obeys } from '../meta/field-rules.ts';
import { labelSelectorText } from '../meta/labels.ts';
import { dnsLabel } from '../meta/names.ts';
import { atMostAll, countOrPercent, isNone, notNegative, oneOf } from '../meta/numbers.ts';
import { readyOfWanted } from './replica-columns.ts';
import { replicaScale } from './replica-scale.ts';
import {
  availableWithinReady,
  collisionsKept,
  countsNotNegative,
  countsWithinReplicas,
  validateAlwaysRestarts,
  validateSelector,
  validateTemplateFits,
} from './workload-validation.ts';
import { templateWarnings } from '../core/pod-warnings.ts';
import { claimSpecWarnings } from '../core/volume-warnings.ts';

const MAY_CHANGE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const satisfies readonly (keyof StatefulSetSpec)[];

const PARTS = [
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
] as const satisfies readonly (keyof StatefulSetStatus)[];

/** What StatefulSets are. */
export const statefulSetDefinition = defineResource<StatefulSet>({
  ref: StatefulSets,
  unattended: 'no controller of this cluster acts on StatefulSets yet: no pods are made',
  singular: 'statefulset',
  listKind: 'StatefulSetList',
  shortNames: ['sts'],
  categories: ['all'],
  schemaName: 'io.k8s.api.apps.v1.StatefulSet',
  verbs: ALL_VERBS,
  hasStatus: true,
  hasGeneration: true,
  scale: replicaScale((set) => labelSelectorText(set.spec?.selector)),
  subresources: [],
  columns: [
    nameColumn,
    readyOfWanted,
    ageColumn,
    ...containerColumns<StatefulSet>((set) => set.spec?.template),
  ],
  selectableFields: {},
  validateName: dnsLabel,
  defaults: ({ spec }) => {
    if (spec) defaultSpec(spec);
  },
  prepareForCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: ({ spec }, old) =>
    old === undefined
      ? [...validateSpec(spec), ...validateTies(spec), ...validateTemplate(spec)]
      : [
          ...validateSpec(spec),
          // What was stored before the pods of templates were looked into may be changed all the same.
          ...(validateTemplate(old.spec).length === 0
            ? validateTemplate(spec)
            : validateTemplateMeta(spec?.template, 'spec.template')),
          ...validateKept(spec, old.spec),
        ],
  warnings: ({ spec }) => [
    ...templateWarnings(spec?.template, 'spec.template'),
    ...(spec?.volumeClaimTemplates ?? []).flatMap((claim, i) =>
      claimSpecWarnings(claim.spec, `spec.volumeClaimTemplates[${i}].spec`),
    ),
    ...((spec?.revisionHistoryLimit ?? 0) < 0
      ? [
          'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
        ]
      : []),
  ],
  validateStatus: ({ status = { replicas: 0 } }, old) => [
    ...countsNotNegative(status, ['replicas', ...PARTS, 'observedGeneration', 'collisionCount']),
    ...countsWithinReplicas(status, PARTS),
    ...availableWithinReady(status, 'status.readyReplicas'),
    ...collisionsKept(status, old.status),
  ],
});

function defaultSpec(spec: StatefulSetSpec): void {
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  for (const claim of spec.volumeClaimTemplates ?? []) defaultClaimTemplate(claim);
  defaultPodTemplate(spec.template);
}

/** What cannot change later on is checked once: pods carry the Service's name as their subdomain, if there is one. */
function validateTies(spec: Partial<StatefulSetSpec> = {}): FieldError[] {
  const { serviceName, volumeClaimTemplates = [] } = spec;
  return [
    ...obeys(dnsLabel, serviceName || undefined, 'spec.serviceName'),
    ...volumeClaimTemplates.flatMap((claim, i) => [
      ...(claim.metadata?.name ? [] : [required(`spec.volumeClaimTemplates[${i}].metadata.name`)]),
      ...validateClaimSpec(claim.spec, `spec.volumeClaimTemplates[${i}].spec`),
    ]),
  ];
}

/** The template as pods come out of it: each claim is a volume of its name, and takes the place of another one. */
function validateTemplate(spec: Partial<StatefulSetSpec> = {}): FieldError[] {
  const { template } = spec;
  const volumes = withClaims(template?.spec?.volumes ?? [], spec.volumeClaimTemplates ?? []);
  const podSpec = template?.spec && { ...template.spec, volumes };
  return validatePodTemplate({ ...template, spec: podSpec }, 'spec.template');
}

/** The template's own volumes stay in their places, which errors tell of; claims without a name have an error of their own. */
function withClaims(
  volumes: readonly Volume[],
  templates: readonly PersistentVolumeClaim[],
): Volume[] {
  const claims = new Map(
    templates.flatMap(({ metadata }) => {
      const name = metadata?.name;
      return name ? [[name, { name, persistentVolumeClaim: { claimName: name } }]] : [];
    }),
  );
  const replaced = volumes.map((volume) => claims.get(volume.name) ?? volume);
  for (const { name } of volumes) claims.delete(name);
  return [...replaced, ...claims.values()];
}

function validateSpec(spec: Partial<StatefulSetSpec> = {}): FieldError[] {
  const { selector, template, persistentVolumeClaimRetentionPolicy: retention } = spec;
  const kept = ['Retain', 'Delete'];
  const path = 'spec.persistentVolumeClaimRetentionPolicy';
  return [
    ...validateManagement(spec.podManagementPolicy, 'spec.podManagementPolicy'),
    ...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...oneOf(retention?.whenDeleted, kept, `${path}.whenDeleted`),
    ...oneOf(retention?.whenScaled, kept, `${path}.whenScaled`),
    ...notNegative(spec.replicas, 'spec.replicas'),
    ...notNegative(spec.minReadySeconds, 'spec.minReadySeconds'),
    ...notNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit'),
    ...notNegative(spec.ordinals?.start, 'spec.ordinals.start'),
    ...validateSelector(selector, 'StatefulSet'),
    ...validateTemplateFits({ selector, template }),
    ...validateAlwaysRestarts(template, 'StatefulSet'),
  ];
}

function validateManagement(policy: string | undefined, path: string): FieldError[] {
  if (!policy) return [required(path)];
  return policy === 'OrderedReady' || policy === 'Parallel'
    ? []
    : [invalidValue(path, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateStrategy(
  strategy: StatefulSetUpdateStrategy | undefined,
  path: string,
): FieldError[] {
  const { type, rollingUpdate } = strategy ?? {};
  switch (type) {
    case undefined:
    case '':
      return [required(path)];
    case 'OnDelete': {
      if (rollingUpdate === undefined) return [];
      const why = "only allowed for updateStrategy 'RollingUpdate'";
      return [invalidValue(`${path}.rollingUpdate`, rollingUpdate, why)];
    }
    case 'RollingUpdate': {
      const { partition, maxUnavailable } = rollingUpdate ?? {};
      const at = `${path}.rollingUpdate.maxUnavailable`;
      const none = maxUnavailable !== undefined && isNone(maxUnavailable);
      return [
        ...notNegative(partition, `${path}.rollingUpdate.partition`),
        ...countOrPercent(maxUnavailable, at),
        ...(none ? [invalidValue(at, maxUnavailable, 'cannot be 0')] : []),
        ...atMostAll(maxUnavailable, at),
      ];
    }
    default:
      return [invalidValue(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
}

function validateKept(
  now: StatefulSetSpec | undefined,
  before: StatefulSetSpec | undefined,
): FieldError[] {
  const free: Readonly<Record<string, undefined>> = Object.fromEntries(
    MAY_CHANGE.map((field) => [field, undefined]),
  );
  if (sameMeaning({ ...now, ...free }, { ...before, ...free })) return [];
  const [last, ...others] = MAY_CHANGE.map((field) => `'${field}'`).toReversed();
  const why =
    `updates to statefulset spec for fields other than ${others.toReversed().join(', ')} and ${last} ` +
    'are forbidden';
  return [forbiddenField('spec', why)];
}
