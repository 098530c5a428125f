// Rules of metadata, the same for every kind: on create, and on update against the stored object.
// Pure; the caller fills namespace, uid and times first. Wordings are those API clients know.
import { gather, gatherMembers } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required, tooLong } from '../field-error.ts';
import { deepEqual } from './deep-equal.ts';
import type { NameRule } from './names.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from './names.ts';
import type { ObjectMeta, OwnerReference } from './object.ts';
import { managedFieldsFaults } from './manager-names.ts';
import { validateLabels } from './validate-labels.ts';

/** All annotations of an object together, keys and values, in bytes. */
export const ANNOTATIONS_LIMIT_BYTES = 256 * 1024;

/** What the kind says about its metadata. */
export interface MetaRules {
  readonly namespaced: boolean;
  /** DNS subdomain unless given. */
  readonly validateName?: NameRule | undefined;
}

/** Rules of a new object's metadata. */
export function validateMetaOnCreate(meta: ObjectMeta, rules: MetaRules): FieldError[] {
  return [
    ...validateNames(meta, rules.validateName ?? dnsSubdomain),
    ...validateNamespace(meta, rules.namespaced),
    ...validateContent(meta),
  ];
}

/** Rules of a changed object's metadata. Fields left out by the writer count as kept. */
export function validateMetaOnUpdate(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of IMMUTABLE) {
    const [now, before] = [meta[field], old[field]];
    if (now !== undefined && now !== '' && !deepEqual(now, before)) {
      errors.push(invalidValue(`metadata.${field}`, now, 'field is immutable'));
    }
  }
  if ((meta.generation ?? old.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue('metadata.generation', meta.generation, 'must not be decremented'));
  }
  return [...errors, ...validateContent(meta), ...validateFinalizersKept(meta, old)];
}

const IMMUTABLE = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const satisfies readonly (keyof ObjectMeta)[];

function validateNames(meta: ObjectMeta, rule: NameRule): FieldError[] {
  const { name = '', generateName = '' } = meta;
  const errors: FieldError[] = [];
  if (generateName !== '') {
    // What is generated goes behind, so a dash at the end is no fault.
    const why = rule(generateName.replace(/-$/, 'a'));
    if (why !== undefined) errors.push(invalidValue('metadata.generateName', generateName, why));
  }
  if (name === '') {
    return [...errors, required('metadata.name', 'name or generateName is required')];
  }
  const why = rule(name);
  return why === undefined ? errors : [...errors, invalidValue('metadata.name', name, why)];
}

function validateNamespace(meta: ObjectMeta, namespaced: boolean): FieldError[] {
  const { namespace = '' } = meta;
  if (!namespaced) {
    return namespace === ''
      ? []
      : [forbiddenField('metadata.namespace', 'not allowed on this type')];
  }
  if (namespace === '') return [required('metadata.namespace')];
  const why = dnsLabel(namespace);
  return why === undefined ? [] : [invalidValue('metadata.namespace', namespace, why)];
}

/** What holds on create and update alike. */
function validateContent(meta: ObjectMeta): FieldError[] {
  return [
    ...validateLabels(meta.labels, 'metadata.labels'),
    ...validateAnnotations(meta.annotations, 'metadata.annotations'),
    ...validateOwners(meta.ownerReferences ?? []),
    ...managedFieldsFaults(meta.managedFields, 'metadata.managedFields'),
    ...gather(meta.finalizers, (finalizer) => {
      const why = qualifiedName(finalizer);
      return why === undefined ? [] : [invalidValue('metadata.finalizers', finalizer, why)];
    }),
  ];
}

/** Keys and total size of an annotation map. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  let bytes = 0;
  const errors = gatherMembers(annotations, (key, value) => {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
    const why = qualifiedName(key.toLowerCase());
    return why === undefined ? [] : [invalidValue(path, key, why)];
  });
  return bytes > ANNOTATIONS_LIMIT_BYTES
    ? [...errors, tooLong(path, ANNOTATIONS_LIMIT_BYTES)]
    : errors;
}

function validateOwners(owners: readonly OwnerReference[]): FieldError[] {
  const path = 'metadata.ownerReferences';
  const errors: FieldError[] = gather(owners, (owner) => {
    const missing = (['apiVersion', 'kind', 'name', 'uid'] as const).filter((f) => !owner[f]);
    return missing.map((field) =>
      field === 'apiVersion'
        ? invalidValue(`${path}.apiVersion`, '', 'version must not be empty')
        : invalidValue(`${path}.${field}`, '', `${field} must not be empty`),
    );
  });
  for (const owner of owners) {
    if (owner.kind === 'Event' && owner.apiVersion === 'v1') {
      errors.push(invalidValue(path, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
  }
  const [first, second] = owners.filter((owner) => owner.controller === true);
  if (first && second) {
    const why =
      'Only one reference can have Controller set to true. ' +
      `Found "true" in references for ${first.name ?? ''} and ${second.name ?? ''}`;
    errors.push(invalidValue(path, owners, why));
  }
  return errors;
}

/** An object on its way out takes no further finalizers. */
function validateFinalizersKept(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  if (old.deletionTimestamp === undefined) return [];
  const added = (meta.finalizers ?? []).filter((f) => !(old.finalizers ?? []).includes(f));
  if (added.length === 0) return [];
  const why =
    'no new finalizers can be added if the object is being deleted, ' +
    `found new finalizers ${JSON.stringify(added)}`;
  return [forbiddenField('metadata.finalizers', why)];
}
