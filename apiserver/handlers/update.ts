// PUT of an object, of its status, and the common way of every change: prepare, admit, validate, store.
import { invalid, invalidBecause } from '../../api/field-error.ts';
import type { MaybePromise, ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import {
  checkIdentity,
  checkSystemFields,
  prepareForUpdate,
  structuredCopy,
  validateStatusUpdate,
  validateUpdate,
  withStatusOf,
} from '../registry/preparation.ts';
import type { Change, Written } from '../registry/registry.ts';
import { NOTHING_TAKEN } from '../registry/strategies.ts';
import { admissionOf } from './admission-request.ts';
import { createDecoded } from './create.ts';
import { createOrChange } from './create-or-change.ts';
import { decodeBody } from './decoding.ts';
import { keepOwners, keepSoundOwners, type Part, setOwners, writerOf } from './ownership.ts';
import { objectPresenter } from './presentation.ts';
import { isDryRun } from './write-options.ts';

/** Replaces an object, or its status. */
export function update(part: Part): (exchange: Exchange) => Promise<Reply> {
  return async (exchange) => {
    const show = objectPresenter(exchange);
    const object = decodeBody(exchange);
    const { managedFields, ...metadata } = object.metadata;
    const { resourceVersion: asked } = metadata;
    const bare: LooseObject = { ...object, metadata };
    const next: Next = (old) => {
      checkVersion(exchange, asked, old);
      checkUid(exchange, object, old);
      const copy = structuredCopy(bare);
      // Long, and never changed in place.
      if (managedFields) copy.metadata.managedFields = managedFields;
      return copy;
    };
    const change = async () => show((await changeObject(exchange, part, next)).stored);
    if (!exchange.definition.createdByPut || exchange.info.subresource !== undefined)
      return change();
    const create = async () => show((await createByUpdate(exchange, object)).stored, 201);
    return createOrChange(exchange, { create, change });
  };
}

/** Makes what is not there, for who may also create. Throws Conflict where the object names one that was there. */
function createByUpdate(exchange: Exchange, object: LooseObject): Promise<Written> {
  const { info, server, user } = exchange;
  checkUid(exchange, object, undefined);
  server.authorize(user, { ...info, verb: 'create' });
  return createDecoded(exchange, writerOf(exchange, 'all but status'), structuredCopy(object));
}

/** A replacement rests on the newest version, or on none where its kind allows that. */
function checkVersion({ definition, info }: Exchange, asked: string | undefined, old: LooseObject) {
  const name = info.name ?? '';
  if (asked && asked !== old.metadata.resourceVersion) throw conflict(definition.ref, name);
  if (asked || !definition.putNeedsVersion) return;
  const why = 'must be specified for an update';
  // Upstream names the resource, where other refusals of this sort name the kind.
  const { group, plural } = definition.ref;
  const error = invalidBecause('metadata.resourceVersion', `0x0: ${why}`);
  throw invalid({ group, kind: plural }, name, [error]);
}

/** A replacement of an object that was made anew meanwhile is a conflict, as a stale version is. */
function checkUid(
  { definition, info }: Exchange,
  object: LooseObject,
  old: LooseObject | undefined,
): void {
  const { uid } = object.metadata;
  if (!uid || uid === old?.metadata.uid) return;
  const why = `UID in precondition: ${uid}, UID in object meta: ${old?.metadata.uid ?? ''}`;
  throw conflict(definition.ref, info.name ?? '', `Precondition failed: ${why}`);
}

/** Changes an object by a function of its newest state; the result is prepared, admitted, validated and stored. */
export async function changeObject(exchange: Exchange, part: Part, next: Next): Promise<Written> {
  const writer = writerOf(exchange, part);
  return changeOwned(exchange, part, async (old) => {
    const object = await next(old);
    const submitted = object.metadata.managedFields;
    return { object, own: (after) => keepOwners(writer, { before: old, after, submitted }) };
  });
}

/** What an object is to be, from what it is. */
type Next = (old: LooseObject) => LooseObject | Promise<LooseObject>;

/** What an object is to be, and how its owners are written down once it is prepared. */
export interface OwnedChange {
  readonly object: LooseObject;
  readonly own: (prepared: LooseObject) => MaybePromise<void>;
}

/** As changeObject, for writers that know themselves who owns what. */
export async function changeOwned(
  exchange: Exchange,
  part: Part,
  next: (old: LooseObject) => Promise<OwnedChange>,
): Promise<Written> {
  const { definition, info, request, server, warnings } = exchange;
  const at = { definition, namespace: info.namespace, name: info.name ?? '' };
  const strategy = server.strategies.get(`${definition.ref.group}/${definition.ref.plural}`);
  let undo: () => void = NOTHING_TAKEN.undo;
  let before: LooseObject | undefined;
  const change = async (old: LooseObject): Promise<Change> => {
    undo();
    undo = NOTHING_TAKEN.undo;
    before = old;
    const changed = await next(old);
    const { object } = changed;
    checkIdentity(definition, object, old);
    if (part === 'status') return changeStatus(exchange, changed, old);
    definition.defaults?.(object);
    prepareForUpdate(definition, object, old);
    await changed.own(object);
    const owners = object.metadata.managedFields;
    const admission = admissionOf(exchange, { operation: 'update', object, old });
    const outside = server.admission.mutate(admission);
    if (typeof outside === 'boolean' ? outside : await outside)
      prepareAgain(exchange, { object, old, owners });
    if (strategy) undo = strategy.allocate(object, old).undo;
    const checking = validateUpdate(definition, object, old);
    if (checking) await checking;
    const admitting = server.admission.validate(admission);
    if (admitting) await admitting;
    warnings.push(...warningsOfChange(definition, object, old));
    return isGone(object) ? { kind: 'delete' } : { kind: 'put', object };
  };
  try {
    const written = await server.registry.update(at, change, { dryRun: isDryRun(request.query) });
    const kept = written.kind === 'stored' && !isDryRun(request.query);
    if (kept && before) strategy?.settle?.(written.stored.object(), before);
    if (written.kind === 'deleted' && !isDryRun(request.query))
      strategy?.release?.(written.stored.object());
    return written;
  } finally {
    // A refused write gives back what it took; of a stored one, settle holds what it has in the write's place.
    undo();
  }
}

function warningsOfChange(
  definition: ResourceDefinition,
  object: LooseObject,
  old: LooseObject,
): string[] {
  const { hasGeneration } = definition;
  const same = hasGeneration && object.metadata.generation === old.metadata.generation;
  return same ? [] : (definition.warnings?.(object, old) ?? []);
}

async function changeStatus(
  exchange: Exchange,
  { object, own }: OwnedChange,
  old: LooseObject,
): Promise<Change> {
  const { definition, info, server } = exchange;
  const next = withStatusOf(definition, object, old);
  setOwners(next, undefined);
  // A copy: defaults and admission may change it, and the old object is shared and frozen.
  const changed = structuredCopy(next);
  definition.defaults?.(changed);
  definition.prepareForStatus?.(changed, old, info.subresource ?? '');
  await own(changed);
  const owners = changed.metadata.managedFields;
  const admission = admissionOf(exchange, { operation: 'update', object: changed, old });
  const outside = server.admission.mutate(admission);
  if (typeof outside === 'boolean' ? outside : await outside)
    keepToStatus(exchange, { object: changed, old, owners });
  const checking = validateStatusUpdate(definition, changed, old);
  if (checking) await checking;
  const admitting = server.admission.validate(admission);
  if (admitting) await admitting;
  return isGone(changed) ? { kind: 'delete' } : { kind: 'put', object: changed };
}

interface ChangedOutside {
  readonly object: LooseObject;
  readonly old: LooseObject;
  /** The owners as they were before. */
  readonly owners: readonly ManagedFieldsEntry[] | undefined;
}

/** What admission from outside made of a change is prepared as any change. Throws Invalid where it is of another object. */
function prepareAgain({ definition }: Exchange, { object, old, owners }: ChangedOutside): void {
  checkSystemFields(definition, object, old);
  const before = object.metadata.managedFields;
  prepareForUpdate(definition, object, old);
  setOwners(object, before);
  keepSoundOwners(object, owners);
}

/** As prepareAgain, of a status: the rest is as it was, but for the owners. */
function keepToStatus(
  { definition, info }: Exchange,
  { object, old, owners }: ChangedOutside,
): void {
  checkSystemFields(definition, object, old);
  const before = object.metadata.managedFields;
  const next = structuredCopy(withStatusOf(definition, object, old));
  for (const key of Object.keys(object)) if (!(key in next)) delete object[key];
  Object.assign(object, next);
  definition.prepareForStatus?.(object, old, info.subresource ?? '');
  setOwners(object, before);
  keepSoundOwners(object, owners);
}

/** An object that is being deleted goes when its last finalizer does, its grace being over. */
export function isGone({ metadata, ...rest }: LooseObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  const spec = rest['spec'] as { finalizers?: unknown[] } | undefined;
  const namespaceFinalizers = rest.kind === 'Namespace' ? (spec?.finalizers?.length ?? 0) : 0;
  return (
    (metadata.finalizers?.length ?? 0) === 0 &&
    namespaceFinalizers === 0 &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0
  );
}
