// PUT of an object, of its status, and the common way of every change: prepare, admit, validate, store.
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
import { decodeBody, isDryRun } from './decoding.ts';
import { objectPresenter } from './presentation.ts';

/** Which part of an object a write may change. */
export type Part = 'all but status' | 'status';

/** Replaces an object, or its status. */
export function update(part: Part): (exchange: Exchange) => Promise<Reply> {
  return async (exchange) => {
    const show = objectPresenter(exchange);
    const object = decodeBody(exchange);
    const asked = object.metadata.resourceVersion;
    const written = await changeObject(exchange, part, (old) => {
      if (asked && asked !== old.metadata.resourceVersion)
        throw conflict(exchange.definition.ref, exchange.info.name ?? '');
      checkUid(exchange, object, old);
      return structuredCopy(object);
    });
    return show(written.stored);
  };
}

/** A replacement of an object that was made anew meanwhile is a conflict, as a stale version is. */
function checkUid({ definition, info }: Exchange, object: LooseObject, old: LooseObject): void {
  const { uid } = object.metadata;
  if (!uid || uid === old.metadata.uid) return;
  const why = `UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`;
  throw conflict(definition.ref, info.name ?? '', `Precondition failed: ${why}`);
}

/** Changes an object by a function of its newest state; the result is prepared, admitted, validated and stored. */
export async function changeObject(
  exchange: Exchange,
  part: Part,
  next: (old: LooseObject) => LooseObject | Promise<LooseObject>,
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
    const object = await next(old);
    checkIdentity(definition, object, old);
    if (part === 'status') return changeStatus(exchange, object, old);
    definition.defaults?.(object);
    prepareForUpdate(definition, object, old);
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
  object: LooseObject,
  old: LooseObject,
): Promise<Change> {
  // A copy: defaults and admission may change it, and the old object is shared and frozen.
  const changed = structuredCopy(withStatusOf(object, old));
  exchange.definition.defaults?.(changed);
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
    signal: request.signal,
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
