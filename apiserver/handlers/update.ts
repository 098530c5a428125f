// PUT of an object, of its status, and the common way of every change: prepare, admit, validate, store.
import { invalid, invalidValue } from '../../api/field-error.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import {
  checkIdentity,
  prepareForUpdate,
  structuredCopy,
  validateStatusUpdate,
  validateUpdate,
  withStatusOf,
} from '../registry/preparation.ts';
import type { Change, Written } from '../registry/registry.ts';
import { NOTHING_TAKEN } from '../registry/strategies.ts';
import { createDecoded } from './create.ts';
import { createOrChange } from './create-or-change.ts';
import { decodeBody } from './decoding.ts';
import { keepOwners, type Part, setOwners, writerOf } from './ownership.ts';
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
  throw invalid(definition.ref, name, [invalidValue('metadata.resourceVersion', 0, why)]);
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
  readonly own: (prepared: LooseObject) => void;
}

/** As changeObject, for writers that know themselves who owns what. */
export async function changeOwned(
  exchange: Exchange,
  part: Part,
  next: (old: LooseObject) => Promise<OwnedChange>,
): Promise<Written> {
  const { definition, info, request, server } = exchange;
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
    changed.own(object);
    if (strategy) undo = strategy.allocate(object, old).undo;
    await admitUpdate(exchange, { object, old }, () => validateUpdate(definition, object, old));
    return isGone(object) ? { kind: 'delete' } : { kind: 'put', object };
  };
  try {
    const written = await server.registry.update(at, change, { dryRun: isDryRun(request.query) });
    const kept = written.kind === 'stored' && !isDryRun(request.query);
    if (kept && before) strategy?.settle(written.stored.object(), before);
    if (written.kind === 'deleted' && !isDryRun(request.query))
      strategy?.release(written.stored.object());
    return written;
  } finally {
    // A refused write gives back what it took; of a stored one, settle holds what it has in the write's place.
    undo();
  }
}

async function changeStatus(
  exchange: Exchange,
  { object, own }: OwnedChange,
  old: LooseObject,
): Promise<Change> {
  const next = withStatusOf(object, old);
  setOwners(next, undefined);
  // A copy: defaults and admission may change it, and the old object is shared and frozen.
  const changed = structuredCopy(next);
  exchange.definition.defaults?.(changed);
  exchange.definition.prepareForStatus?.(changed, old, exchange.info.subresource ?? '');
  own(changed);
  await admitUpdate(exchange, { object: changed, old }, () =>
    validateStatusUpdate(exchange.definition, changed, old),
  );
  return { kind: 'put', object: changed };
}

async function admitUpdate(
  exchange: Exchange,
  { object, old }: { object: LooseObject; old: LooseObject },
  validate: () => void,
): Promise<void> {
  const { definition, info, request, server, user } = exchange;
  const admission = {
    operation: 'update' as const,
    definition,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name ?? '',
    user,
    object,
    old,
    dryRun: isDryRun(request.query),
    get signal() {
      return request.signal;
    },
  };
  await server.admission.mutate(admission);
  validate();
  await server.admission.validate(admission);
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
