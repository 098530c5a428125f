// What happens to an object between decoding and storing, whatever its kind: system fields, defaults, status apart
// from spec, generation, validation. Pure but for the clock and ids that it is given.
// Invariant: a writer cannot set uid, creation time, generation or deletion fields, nor status beside spec.
import { breathe } from '../../base/breathe.ts';
import { type ResourceDefinition, WRITABLE_METADATA } from '../../api/definition.ts';
import { type FieldError, invalid, invalidValue } from '../../api/field-error.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import type { LooseObject, ObjectMeta } from '../../api/meta/object.ts';
import { setOwn } from '../../api/schema/decode.ts';
import { validateMetaOnCreate, validateMetaOnUpdate } from '../../api/meta/validate-meta.ts';

/** Fields of metadata that only the server sets; kept from the stored object on updates. */
const SERVER_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'namespace',
  'name',
  'generateName',
] as const;

/** Fields of metadata that a new object does not have, whatever its writer says. */
const NOT_NEW = [
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'resourceVersion',
  'selfLink',
  'generation',
] as const;

/** Prepares a new object: gives it its identity, and the kind's own resets. Its owners are the caller's to set. */
export function prepareForCreate(
  definition: ResourceDefinition,
  object: LooseObject,
  system: { uid: string; now: string },
): void {
  const { metadata } = object;
  leaveOut(metadata, NOT_NEW);
  leaveOutEmpty(metadata);
  metadata.uid = system.uid;
  metadata.creationTimestamp = system.now;
  if (definition.hasGeneration) metadata.generation = 1;
  if (definition.hasStatus && !definition.createdWithStatus) {
    delete object['status'];
    // A schema of a user's own may give a status that nobody has written yet.
    if (definition.custom) definition.defaults?.(object);
  }
  definition.prepareForCreate?.(object);
}

/** Throws Invalid with every broken rule; a promise where that takes more than a turn of the event loop. */
export function validateCreate(
  definition: ResourceDefinition,
  object: LooseObject,
): void | Promise<void> {
  const { namespaced } = definition.ref;
  const rules = definition.validateName
    ? { namespaced, validateName: (name: string) => definition.validateName?.(name) }
    : { namespaced };
  return holdTo(definition, {
    object,
    old: undefined,
    meta: validateMetaOnCreate(object.metadata, rules),
    own: definition.validate?.(object, undefined) ?? [],
  });
}

/** Prepares a change of everything but status. */
export function prepareForUpdate(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void {
  keepServerFields(object.metadata, old.metadata);
  if (definition.hasStatus) {
    if (old['status'] === undefined) delete object['status'];
    else object['status'] = structuredCopy(old['status']);
  }
  definition.prepareForUpdate?.(object, old);
  bumpGeneration(definition, object, old);
}

/** The stored object with nothing replaced but its status, and of metadata what the kind does not keep. */
export function withStatusOf(
  { keptByStatus = [] }: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): LooseObject {
  const status = object['status'];
  const metadata: Record<string, unknown> = { ...old.metadata };
  for (const field of WRITABLE_METADATA) {
    if (keptByStatus.includes(field)) continue;
    const value = object.metadata[field];
    if (value === undefined || isEmpty(value)) delete metadata[field];
    else metadata[field] = value;
  }
  const next: LooseObject = { ...old, metadata };
  if (status === undefined) delete next['status'];
  else next['status'] = status;
  return next;
}

/** Throws Invalid with every broken rule of a change; as validateCreate. */
export function validateUpdate(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void | Promise<void> {
  const meta = validateMetaOnUpdate(object.metadata, old.metadata);
  return holdTo(definition, { object, old, meta, own: definition.validate?.(object, old) ?? [] });
}

/** Throws Invalid with every broken rule of a status; as validateCreate. */
export function validateStatusUpdate(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void | Promise<void> {
  const meta = validateMetaOnUpdate(object.metadata, old.metadata);
  const own = definition.validateStatus?.(object, old) ?? [];
  return holdTo(definition, { object, old, meta, own });
}

interface Held {
  readonly object: LooseObject;
  readonly old: LooseObject | undefined;
  /** Errors of metadata, and of the kind's own rules. */
  readonly meta: readonly FieldError[];
  readonly own: readonly FieldError[];
}

function holdTo(
  definition: ResourceDefinition,
  { object, old, meta, own }: Held,
): void | Promise<void> {
  const asking = definition.validateLong?.(object, old, own);
  const finish = (more: readonly FieldError[]) =>
    refuse(definition, object, [...meta, ...own, ...more]);
  if (asking === undefined) return finish([]);
  const first = asking.next();
  return first.done ? finish(first.value) : inTurns(asking).then(finish);
}

/** The rest, with others in between. */
async function inTurns<T>(asking: Generator<undefined, T>): Promise<T> {
  for (;;) {
    await breathe();
    const step = asking.next();
    if (step.done) return step.value;
  }
}

/** A change names the object that is there: another uid is another object. */
export function checkIdentity(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void {
  const { uid } = object.metadata;
  if (uid !== undefined && uid !== '' && uid !== old.metadata.uid)
    refuse(definition, object, [invalidValue('metadata.uid', uid, 'field is immutable')]);
}

/** Fields that say which object it is, and since when: what was changed after the writer's own change is found here. */
const IDENTITY_FIELDS = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** Throws Invalid where a prepared object says of itself what the stored one does not. What is left out is as it was. */
export function checkSystemFields(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void {
  const changed = IDENTITY_FIELDS.filter((field) => {
    const value = object.metadata[field];
    return value !== undefined && value !== old.metadata[field];
  });
  const why = 'field is immutable';
  const errors = changed.map((field) =>
    invalidValue(`metadata.${field}`, object.metadata[field], why),
  );
  refuse(definition, old, errors);
}

function keepServerFields(metadata: ObjectMeta, old: ObjectMeta): void {
  for (const field of SERVER_FIELDS)
    if (old[field] !== undefined) (metadata as Record<string, unknown>)[field] = old[field];
    else if (field in metadata) delete metadata[field];
  leaveOut(metadata, NOT_KEPT);
  leaveOutEmpty(metadata);
}

/** Fields of metadata that no change keeps; its owners are written down after it. */
const NOT_KEPT = ['managedFields', 'selfLink'] as const;

/** Without these fields. Most objects have none of them, and to delete what is not there takes longer than to see that. */
function leaveOut(metadata: ObjectMeta, fields: readonly (keyof ObjectMeta)[]): void {
  for (const field of fields) if (field in metadata) delete metadata[field];
}

/** Without what there is nothing in, as upstream writes objects. */
function leaveOutEmpty(metadata: ObjectMeta): void {
  for (const field of WRITABLE_METADATA) {
    const value = metadata[field];
    if (value !== undefined && isEmpty(value)) delete metadata[field];
  }
}

/** Nothing in it; the first key found settles it. */
function isEmpty(collection: object): boolean {
  for (const _key in collection) return false;
  return true;
}

function bumpGeneration(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): void {
  if (!definition.hasGeneration) return;
  const spec = ({ metadata: _m, status, ...rest }: LooseObject) =>
    definition.hasStatus ? rest : { ...rest, status };
  if (!deepEqual(spec(object), spec(old)))
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function refuse(
  definition: ResourceDefinition,
  object: LooseObject,
  errors: readonly FieldError[],
): void {
  if (errors.length > 0) throw invalid(definition.ref, object.metadata.name ?? '', errors);
}

/** A deep copy of a JSON value. */
export function structuredCopy<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item: unknown) => structuredCopy(item)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const key in value) setOwn(copy, key, structuredCopy((value as typeof copy)[key]));
  return copy as T;
}
