// Rules of PersistentVolumes: one source each, which stays as it was made.
// Sources that nothing here can mount are checked for the fields that they cannot do without.
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, notSupported, required } from '../field-error.ts';
import type {
  FlockerVolumeSource,
  PersistentVolume,
  PersistentVolumeSpec,
} from '../generated/types.ts';
import { sameMeaning } from '../meta/deep-equal.ts';
import { changedFields, obeys, unchanged } from '../meta/field-rules.ts';
import { dnsSubdomain } from '../meta/names.ts';
import { oneOf } from '../meta/numbers.ts';
import { validateDriver } from '../storage/storage-rules.ts';
import { quantityPositive, validateAccessModes, validateVolumeMode } from './claim-validation.ts';
import { validateNodeSelector } from './placement-validation.ts';
import { validateHostPath } from './volume-validation.ts';

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

/** Kinds of sources, each with what it cannot do without. Upstream calls one of them otherwise in its errors. */
const SOURCES = {
  hostPath: [],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  nfs: ['server', 'path'],
  rbd: ['monitors', 'image'],
  quobyte: ['registry', 'volume'],
  cephfs: ['monitors'],
  iscsi: ['targetPortal', 'iqn'],
  cinder: ['volumeID'],
  fc: [],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  storageos: [],
  csi: ['volumeHandle'],
} as const satisfies Partial<Record<keyof PersistentVolumeSpec, readonly string[]>>;

type SourceName = keyof typeof SOURCES;
const SOURCE_NAMES = Object.keys(SOURCES) as SourceName[];

const isSource = (name: string): name is SourceName => name in SOURCES;

/** Rules of a volume, new or changed. */
export function validatePersistentVolume(
  { spec = {} }: PersistentVolume,
  old: PersistentVolume | undefined,
): FieldError[] {
  const errors = validateSpec(spec, 'spec');
  return old === undefined ? errors : [...errors, ...validateKept(spec, old.spec ?? {})];
}

function validateSpec(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { nodeAffinity, hostPath, persistentVolumeReclaimPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (policy === 'Recycle' && hostPath?.path && /^\/+(\.?\/*)*$/.test(hostPath.path)) {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbiddenField(`${path}.persistentVolumeReclaimPolicy`, why));
  }
  return [
    ...validateAccessModes(spec.accessModes ?? [], `${path}.accessModes`, ''),
    ...validateCapacity(spec.capacity ?? {}, `${path}.capacity`),
    ...oneOf(policy || undefined, RECLAIM_POLICIES, `${path}.persistentVolumeReclaimPolicy`),
    ...(nodeAffinity && !nodeAffinity.required
      ? [required(`${path}.nodeAffinity.required`, 'must specify required node constraints')]
      : validateNodeSelector(nodeAffinity?.required, `${path}.nodeAffinity.required`)),
    ...validateSources(spec, path),
    ...errors,
    ...obeys(dnsSubdomain, spec.storageClassName || undefined, `${path}.storageClassName`),
    ...validateVolumeMode(spec.volumeMode, `${path}.volumeMode`),
    ...validateAttributesClass(spec, path),
  ];
}

function validateCapacity(capacity: Readonly<Record<string, string>>, path: string): FieldError[] {
  const names = Object.keys(capacity);
  const onlyStorage = names.length === 1 && names[0] === 'storage';
  return [
    ...(names.length === 0 ? [required(path)] : []),
    ...(onlyStorage ? [] : [notSupported(path, capacity, ['storage'])]),
    ...Object.entries(capacity).flatMap(([name, amount]) =>
      quantityPositive(amount, `${path}[${name}]`),
    ),
  ];
}

function validateAttributesClass(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const { volumeAttributesClassName: name, csi } = spec;
  if (name === undefined) return [];
  const at = `${path}.volumeAttributesClassName`;
  const errors =
    name === '' ? [required(at, 'an empty string is disallowed')] : obeys(dnsSubdomain, name, at);
  const why = 'has to be specified when using volumeAttributesClassName';
  return csi === undefined ? [...errors, required(`${path}.csi`, why)] : errors;
}

function validateSources(spec: PersistentVolumeSpec, path: string): FieldError[] {
  const [first, ...others] = SOURCE_NAMES.filter((name) => spec[name] !== undefined);
  if (first === undefined) return [required(path, 'must specify a volume type')];
  return [
    ...validateSource(spec, first, path),
    ...others.map((name) =>
      forbiddenField(`${path}.${name}`, 'may not specify more than 1 volume type'),
    ),
  ];
}

function validateSource(spec: PersistentVolumeSpec, name: SourceName, path: string): FieldError[] {
  const at = `${path}.${name === 'gcePersistentDisk' ? 'persistentDisk' : name}`;
  const fields = Object.entries(spec[name] ?? {});
  const written = new Map<string, unknown>(fields);
  const isEmpty = (value: unknown) =>
    value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  const missing = SOURCES[name]
    .filter((field) => isEmpty(written.get(field)))
    .map((field) => required(`${at}.${field}`));
  return [...missing, ...validateParticulars(spec, name, at)];
}

/** What single sources must satisfy besides. */
function validateParticulars(
  spec: PersistentVolumeSpec,
  name: SourceName,
  path: string,
): FieldError[] {
  const { hostPath } = spec;
  switch (name) {
    case 'hostPath':
      return hostPath ? validateHostPath(hostPath, path) : [];
    case 'nfs':
      return validateAbsolute(spec.nfs?.path ?? '', `${path}.path`);
    case 'local':
      return validateLocal(spec.local?.path ?? '', spec, path);
    case 'csi':
      return validateDriver(spec.csi?.driver, `${path}.driver`);
    case 'flocker':
      return validateFlocker(spec.flocker ?? {}, path);
    default:
      return [];
  }
}

function validateAbsolute(place: string, path: string): FieldError[] {
  const relative = place !== '' && !place.startsWith('/');
  return relative ? [invalidValue(path, place, 'must be an absolute path')] : [];
}

function validateFlocker(
  { datasetName, datasetUUID }: FlockerVolumeSource,
  path: string,
): FieldError[] {
  if (!datasetName && !datasetUUID) {
    return [required(path, 'one of datasetName and datasetUUID is required')];
  }
  const why = 'datasetName and datasetUUID can not be specified simultaneously';
  return datasetName && datasetUUID ? [invalidValue(path, 'resource', why)] : [];
}

/** A disk of one node says of which. */
function validateLocal(
  place: string,
  { nodeAffinity }: PersistentVolumeSpec,
  path: string,
): FieldError[] {
  const up = place.split('/').includes('..');
  const root = path.slice(0, path.lastIndexOf('.'));
  return [
    ...(up ? [invalidValue(`${path}.path`, place, "must not contain '..'")] : []),
    ...(nodeAffinity === undefined
      ? [required(`${root}.nodeAffinity`, 'Local volume requires node affinity')]
      : []),
  ];
}

function validateKept(now: PersistentVolumeSpec, before: PersistentVolumeSpec): FieldError[] {
  const errors: FieldError[] = [];
  const [source, old] = [sourceOf(withSecretOf(now, before)), sourceOf(before)];
  if (!sameMeaning(source, old)) {
    const why = 'spec.persistentvolumesource is immutable after creation';
    const changes = changedFields(source, old, 'spec');
    errors.push(forbiddenField('spec.persistentvolumesource', `${why}\n${changes}`));
  }
  if (before.nodeAffinity !== undefined && !sameMeaning(now.nodeAffinity, before.nodeAffinity)) {
    const why = 'field is immutable, except for updating from beta label to GA';
    errors.push(invalidValue('nodeAffinity', now.nodeAffinity ?? null, why));
  }
  if (
    before.volumeAttributesClassName !== undefined &&
    now.volumeAttributesClassName === undefined
  ) {
    const why = 'update from non-nil value to nil is forbidden';
    errors.push(forbiddenField('spec.volumeAttributesClassName', why));
  }
  return [...errors, ...unchanged(now.volumeMode, before.volumeMode, 'volumeMode')];
}

function sourceOf(spec: PersistentVolumeSpec): PersistentVolumeSpec {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => isSource(name)));
}

/** A driver's secret for growing may be named later, once. */
function withSecretOf(now: PersistentVolumeSpec, before: PersistentVolumeSpec) {
  if (!now.csi || !before.csi || before.csi.controllerExpandSecretRef) return now;
  const { controllerExpandSecretRef: _new, ...csi } = now.csi;
  return { ...now, csi };
}
