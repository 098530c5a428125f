// Rules of PersistentVolumeClaims, and what claims and volumes share: access modes and volume modes.
// Invariant: a claim changes no more than its size, its attributes and, once, its volume and class.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimStatus,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '../generated/types.ts';
import { deepEqual, sameMeaning } from '../meta/deep-equal.ts';
import { changedFields, obeys, unchanged } from '../meta/field-rules.ts';
import { dnsLabel, dnsSubdomain } from '../meta/names.ts';
import { oneOf, quantityNotNegative } from '../meta/numbers.ts';
import type { Quantity } from '../meta/quantity.ts';
import { compareQuantities, tryParseQuantity, ZERO_QUANTITY } from '../meta/quantity.ts';
import { validateLabels, validateLabelSelector } from '../meta/validate-labels.ts';
import { validateAnnotations } from '../meta/validate-meta.ts';

/** Where a claim's or volume's class stood before spec had a field for it. */
export const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];
const ALONE = 'ReadWriteOncePod';
const RESIZES = [
  'ControllerResizeFailed',
  'ControllerResizeInProgress',
  'NodeResizeFailed',
  'NodeResizeInProgress',
  'NodeResizePending',
];

/** Known modes; the one for a single pod stands alone. `none` is the text for an empty list. */
export function validateAccessModes(
  modes: readonly string[],
  path: string,
  none: string,
): FieldError[] {
  const errors = modes.flatMap((mode) => oneOf(mode, ACCESS_MODES, path));
  const others = modes.some((mode) => mode !== ALONE && ACCESS_MODES.includes(mode));
  if (modes.includes(ALONE) && others) {
    errors.push(forbiddenField(path, `may not use ${ALONE} with other access modes`));
  }
  return modes.length === 0 ? [required(path, none), ...errors] : errors;
}

/** Files or a block device. */
export function validateVolumeMode(mode: string | undefined, path: string): FieldError[] {
  return oneOf(mode, VOLUME_MODES, path);
}

/** An amount above zero. */
export function quantityPositive(value: string | undefined, path: string): FieldError[] {
  const quantity = tryParseQuantity(value ?? '');
  return quantity !== undefined && quantity.nanos <= 0n
    ? [invalidValue(path, value, 'must be greater than zero')]
    : quantityNotNegative(value, path);
}

/** Rules of a claim, new or changed. */
export function validateClaim(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim | undefined,
): FieldError[] {
  const errors = validateClaimSpec(claim.spec, 'spec');
  return old === undefined ? errors : [...errors, ...validateClaimUpdate(claim, old)];
}

/** Rules of what a pod's own claim is made from: labels and annotations, and a claim's specification. */
export function validateClaimTemplate(
  { metadata = {}, spec }: PersistentVolumeClaimTemplate,
  path: string,
): FieldError[] {
  const { labels, annotations, ...others } = metadata;
  return [
    ...validateAnnotations(annotations, `${path}.metadata.annotations`),
    ...validateLabels(labels, `${path}.metadata.labels`),
    ...Object.entries(others)
      .filter(([, value]) => value)
      .map(([field]) => forbiddenField(`${path}.metadata.${field}`, 'cannot be set')),
    ...validateClaimSpec(spec, `${path}.spec`),
  ];
}

/** Rules of what a claim asks for, its own or a template's. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec | undefined,
  path: string,
): FieldError[] {
  const { accessModes = [], selector, resources, dataSource, dataSourceRef } = spec ?? {};
  const storage = resources?.requests?.['storage'];
  const at = `${path}.resources[storage]`;
  return [
    ...validateAccessModes(
      accessModes,
      `${path}.accessModes`,
      'at least 1 access mode is required',
    ),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...(storage === undefined ? [required(at)] : quantityPositive(storage, at)),
    ...obeys(dnsSubdomain, spec?.storageClassName || undefined, `${path}.storageClassName`),
    ...validateVolumeMode(spec?.volumeMode, `${path}.volumeMode`),
    ...validateSource(dataSource, `${path}.dataSource`),
    ...validateSource(dataSourceRef, `${path}.dataSourceRef`),
    ...validateSourcesAgree(spec ?? {}, path),
    ...obeys(
      dnsSubdomain,
      spec?.volumeAttributesClassName || undefined,
      `${path}.volumeAttributesClassName`,
    ),
  ];
}

function validateSource(source: TypedObjectReference | undefined, path: string): FieldError[] {
  if (source === undefined) return [];
  const { apiGroup, kind, name, namespace } = source;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  if (!kind) errors.push(required(`${path}.kind`));
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalidValue(path, kind ?? '', why));
  }
  return [
    ...errors,
    ...obeys(dnsSubdomain, apiGroup || undefined, `${path}.apiGroup`),
    ...obeys(dnsLabel, namespace || undefined, `${path}.namespace`),
  ];
}

/** Both ways of naming the source say the same; one in another namespace has the newer way only. */
function validateSourcesAgree(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource === undefined || dataSourceRef === undefined) return [];
  if (dataSourceRef.namespace) {
    const why = 'may not be specified when dataSourceRef.namespace is specified';
    return [invalidValue(path, `${path}.dataSource`, why)];
  }
  const { namespace: _none, ...reference } = dataSourceRef;
  return deepEqual(dataSource, reference)
    ? []
    : [invalidValue(path, `${path}.dataSource`, 'must match dataSourceRef')];
}

const storageOf = (list: Readonly<Record<string, string>> | undefined): Quantity =>
  tryParseQuantity(list?.['storage'] ?? '') ?? ZERO_QUANTITY;

function validateClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}];
  const errors: FieldError[] = [];
  const frozen = frozenSpec(claim, old);
  if (!sameMeaning(frozen, before)) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName ' +
      `for bound claims\n${changedFields(frozen, before, 'spec')}`;
    errors.push(forbiddenField('spec', why));
  }
  const size = storageOf(spec.resources?.requests);
  const smaller = compareQuantities(size, storageOf(before.resources?.requests)) < 0;
  if (smaller && compareQuantities(size, storageOf(old.status?.capacity)) <= 0) {
    const why = 'field can not be less than status.capacity';
    errors.push(forbiddenField('spec.resources.requests.storage', why));
  }
  return [
    ...annotationKept(claim, old),
    ...errors,
    ...unchanged(spec.volumeMode, before.volumeMode, 'volumeMode'),
    ...validateAttributesClassKept(spec, before),
  ];
}

/** The new spec with all that may change set back: equal to the old one if nothing else changed. */
function frozenSpec(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): PersistentVolumeClaimSpec {
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}];
  const written = old.metadata.annotations?.[CLASS_ANNOTATION];
  const classNamed =
    before.storageClassName === undefined &&
    spec.storageClassName !== undefined &&
    (written === undefined || written === spec.storageClassName);
  const { requests } = spec.resources ?? {};
  const bound = claim.status?.phase === 'Bound' && requests !== undefined;
  return {
    ...spec,
    ...(before.volumeName ? {} : { volumeName: before.volumeName }),
    ...(classNamed ? { storageClassName: before.storageClassName } : {}),
    volumeAttributesClassName: before.volumeAttributesClassName,
    ...(bound
      ? { resources: { ...spec.resources, requests: withStorageOf(requests, before) } }
      : {}),
  };
}

function withStorageOf(
  requests: Record<string, string>,
  before: PersistentVolumeClaimSpec,
): Record<string, string> {
  const { storage: _new, ...others } = requests;
  const storage = before.resources?.requests?.['storage'];
  return storage === undefined ? others : { ...others, storage };
}

/** The old way of naming a class stays as it was, unless it gives way to the field. */
function annotationKept(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [now, before] = [claim, old].map((one) => one.metadata.annotations?.[CLASS_ANNOTATION]);
  const upgraded =
    before !== undefined &&
    old.spec?.storageClassName === undefined &&
    claim.spec?.storageClassName === before &&
    (now === undefined || now === before);
  return upgraded ? [] : unchanged(now, before, `metadata.annotations[${CLASS_ANNOTATION}]`);
}

function validateAttributesClassKept(
  { volumeAttributesClassName: now }: PersistentVolumeClaimSpec,
  { volumeAttributesClassName: before }: PersistentVolumeClaimSpec,
): FieldError[] {
  if (before === undefined || now === before || (now !== undefined && now !== '')) return [];
  const what = now === undefined ? 'nil' : 'an empty string';
  const why = `update from non-nil value to ${what} is forbidden`;
  return [forbiddenField('spec.volumeAttributesClassName', why)];
}

/** Rules of a claim's status. */
export function validateClaimStatus({ status = {} }: PersistentVolumeClaim): FieldError[] {
  return [
    ...validateAmounts(status.capacity, 'status.capacity'),
    ...validateResizes(status),
    ...validateAmounts(status.allocatedResources, 'status.allocatedResources'),
  ];
}

function validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, amount]) =>
    quantityNotNegative(amount, `${path}[${name}]`),
  );
}

function validateResizes({ allocatedResourceStatuses }: PersistentVolumeClaimStatus): FieldError[] {
  return Object.entries(allocatedResourceStatuses ?? {})
    .filter(([, state]) => !RESIZES.includes(state))
    .map(([name]) => notSupported('status.allocatedResourceStatus', name, RESIZES));
}
