// DELETE of an object: preconditions, finalizers, propagation, grace.
// Invariant: an object with finalizers or grace left is marked, not removed; a second delete never lengthens the grace.
import type { ResourceDefinition } from '../../api/definition.ts';
import { invalidValue, notSupported } from '../../api/field-error.ts';
import type { Pod } from '../../api/generated/types.ts';
import type { LooseObject, ObjectMeta } from '../../api/meta/object.ts';
import { formatTime } from '../../api/meta/time.ts';
import { badRequest, conflict } from '../../api/status.ts';
import type { Reply } from '../../api/wire/exchange.ts';
import type { Exchange } from '../exchange.ts';
import type { Change, Written } from '../registry/registry.ts';
import { objectReply, successStatus } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import { dryRunFaults, wrongOptions } from './write-options.ts';
import { admissionOf } from './admission-request.ts';
import { objectPresenter } from './presentation.ts';

/** DeleteOptions as far as they are known here; from the body, or from the query. */
export interface DeleteOptions {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly dryRun: boolean;
  /** It is the second half of an eviction, which admission was asked about. */
  readonly evicts?: true;
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const;
/** As refusals name them: upstream counts none among them. */
const KNOWN_POLICIES = [...POLICIES, 'nil'];
/** Finalizers that the garbage collector takes off again. */
const FINALIZERS = { Orphan: 'orphan', Foreground: 'foregroundDeletion' } as const;
const DEFAULT_GRACE_SECONDS = 30;

/** Deletes one object. */
export async function remove(exchange: Exchange): Promise<Reply> {
  const { definition, info } = exchange;
  const show = objectPresenter(exchange);
  const options = readDeleteOptions(exchange);
  const { warning } = definition.orphansByDefault ?? {};
  if (warning !== undefined && options.propagation === undefined) exchange.warnings.push(warning);
  const written = await removeObject(exchange, info.name ?? '', options);
  if (written.kind !== 'deleted' || definition.returnsDeleted) return show(written.stored);
  const object = written.stored.object();
  const { group, plural } = definition.ref;
  return objectReply(
    successStatus({
      name: info.name ?? '',
      ...(group === '' ? {} : { group }),
      kind: plural,
      uid: object.metadata.uid ?? '',
    }),
  );
}

/** Deletes an object by name; what is answered tells whether it is gone or only marked. */
export async function removeObject(
  exchange: Exchange,
  name: string,
  options: DeleteOptions,
): Promise<Written> {
  const { definition, info, server } = exchange;
  const released = server.strategies.get(`${definition.ref.group}/${definition.ref.plural}`);
  const written = await server.registry.update(
    { definition, namespace: info.namespace, name },
    async (old) => {
      checkPreconditions(exchange, name, { old, options });
      if (!options.evicts) await admitDelete(exchange, name, { old, options });
      const asked = withDefaultPropagation(options, definition, old);
      return decide(withFinalizers(old, definition), asked, server.clock.now());
    },
    { dryRun: options.dryRun },
  );
  if (written.kind === 'deleted' && !options.dryRun) released?.release?.(written.stored.object());
  return written;
}

async function admitDelete(
  exchange: Exchange,
  name: string,
  { old, options }: { old: LooseObject; options: DeleteOptions },
): Promise<void> {
  const { admission } = exchange.server;
  const { dryRun } = options;
  const deleteOptions = asSent(options);
  const subject = { operation: 'delete', name, object: old, old, dryRun, deleteOptions } as const;
  const request = admissionOf(exchange, subject);
  await admission.mutate(request);
  await admission.validate(request);
}

function asSent({ gracePeriodSeconds, propagation, uid, resourceVersion, dryRun }: DeleteOptions) {
  const resting = uid !== undefined || resourceVersion !== undefined;
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    ...(resting ? { preconditions: { uid, resourceVersion } } : {}),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  };
}

function checkPreconditions(
  { definition }: Exchange,
  name: string,
  { old, options }: { old: LooseObject; options: DeleteOptions },
): void {
  const { uid, resourceVersion } = old.metadata;
  if (options.uid !== undefined && options.uid !== uid)
    throw conflict(
      definition.ref,
      name,
      `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`,
    );
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion)
    throw conflict(
      definition.ref,
      name,
      `Precondition failed: ResourceVersion in precondition: ${options.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`,
    );
}

/** The first delete brings the kind's own finalizers; a later one finds them, or finds them taken off. */
function withFinalizers(
  old: LooseObject,
  { finalizersOnDelete = [] }: ResourceDefinition,
): LooseObject {
  const { metadata } = old;
  if (finalizersOnDelete.length === 0 || metadata.deletionTimestamp !== undefined) return old;
  const finalizers = [...new Set([...(metadata.finalizers ?? []), ...finalizersOnDelete])];
  return { ...old, metadata: { ...metadata, finalizers } };
}

/** What a delete does to an object in this state. Pure. */
export function decide(old: LooseObject, options: DeleteOptions, nowMs: number): Change {
  const finalizers = finalizersAfter(old.metadata.finalizers ?? [], options.propagation);
  const grace = graceOf(old, options.gracePeriodSeconds);
  const held = finalizers.length > 0 || namespaceFinalizers(old) > 0;
  if (grace === 0 && !held) return { kind: 'delete' };
  const { metadata } = old;
  const begun = begunAt(metadata);
  if (begun !== undefined) {
    const left = metadata.deletionGracePeriodSeconds ?? 0;
    const same = left > 0 || sameList(finalizers, metadata.finalizers ?? []);
    if (grace >= left && same) return { kind: 'keep' };
  }
  const marked: ObjectMeta = {
    ...metadata,
    deletionTimestamp: formatTime((begun ?? nowMs) + grace * 1000),
    deletionGracePeriodSeconds: grace,
  };
  if (finalizers.length > 0) marked.finalizers = finalizers;
  else delete marked.finalizers;
  if (metadata.generation !== undefined && metadata.deletionTimestamp === undefined)
    marked.generation = metadata.generation + 1;
  return { kind: 'put', object: terminating({ ...old, metadata: marked }) };
}

/** When the deletion was first asked for, in milliseconds; its grace counts from there. Undefined where it was not. */
function begunAt({ deletionTimestamp, deletionGracePeriodSeconds = 0 }: ObjectMeta) {
  if (deletionTimestamp === undefined) return undefined;
  return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
}

/** Some kinds leave their dependents unless the writer, or somebody before him, said otherwise. */
function withDefaultPropagation(
  options: DeleteOptions,
  { orphansByDefault }: ResourceDefinition,
  { metadata: { finalizers = [] } }: LooseObject,
): DeleteOptions {
  const said = Object.values(FINALIZERS).some((finalizer) => finalizers.includes(finalizer));
  if (orphansByDefault === undefined || options.propagation !== undefined || said) return options;
  return { ...options, propagation: 'Orphan' };
}

function finalizersAfter(
  present: readonly string[],
  propagation: DeleteOptions['propagation'],
): string[] {
  if (propagation === undefined) return [...present];
  const ours = new Set<string>(Object.values(FINALIZERS));
  const others = present.filter((finalizer) => !ours.has(finalizer));
  return propagation === 'Background' ? others : [...others, FINALIZERS[propagation]];
}

/** Only pods have grace: on a node, and still running. One below nothing is a second; one that runs only gets shorter. */
function graceOf(old: LooseObject, asked: number | undefined): number {
  if (old.kind !== 'Pod') return 0;
  const { spec, status } = old as unknown as Pod;
  if (!spec?.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
  const { deletionTimestamp, deletionGracePeriodSeconds: left = 0 } = old.metadata;
  const wanted = asked ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
  const seconds = wanted < 0 ? 1 : wanted;
  if (deletionTimestamp === undefined) return seconds;
  return asked === undefined ? left : Math.min(seconds, left);
}

function namespaceFinalizers(old: LooseObject): number {
  if (old.kind !== 'Namespace') return 0;
  return (old['spec'] as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0;
}

/** A namespace shows that it ends. */
function terminating(object: LooseObject): LooseObject {
  if (object.kind !== 'Namespace') return object;
  return { ...object, status: { ...(object['status'] as object), phase: 'Terminating' } };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

interface Preconditions {
  readonly uid?: string | null;
  readonly resourceVersion?: string | null;
}

/** Reads DeleteOptions from body and query. Throws BadRequest. */
export function readDeleteOptions({ request }: Pick<Exchange, 'request'>): DeleteOptions {
  const body = deleteBody(parseBody(request).value ?? {});
  const { query } = request;
  const preconditions = (body['preconditions'] ?? {}) as Preconditions;
  return {
    gracePeriodSeconds: seconds(body['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds')),
    propagation: policy(body, query),
    uid: preconditions.uid ?? undefined,
    resourceVersion: preconditions.resourceVersion ?? undefined,
    dryRun: isDryRunOf([...dryRunIn(body), ...query.getAll('dryRun')]),
  };
}

/** Throws BadRequest for what is not DeleteOptions: a delete with options that are not understood does not happen. */
function deleteBody(value: unknown): Readonly<Record<string, unknown>> {
  const body = value as Readonly<Record<string, unknown>>;
  if (typeof value !== 'object' || Array.isArray(value))
    throw badRequest('the body of a delete is not DeleteOptions');
  const { kind = 'DeleteOptions', preconditions = {} } = body;
  if (kind !== 'DeleteOptions')
    throw badRequest(`the body of a delete is DeleteOptions, not ${JSON.stringify(kind)}`);
  if (typeof preconditions !== 'object' || Array.isArray(preconditions))
    throw badRequest('preconditions: Invalid value: an object is needed');
  for (const field of ['uid', 'resourceVersion'] as const) {
    const asked = (preconditions as Readonly<Record<string, unknown>> | null)?.[field];
    if (!isUnset(asked) && typeof asked !== 'string')
      throw badRequest(
        `preconditions.${field}: Invalid value: ${JSON.stringify(asked)}: must be a string`,
      );
  }
  return body;
}

function dryRunIn({ dryRun: values }: Readonly<Record<string, unknown>>): string[] {
  if (values === undefined || values === null) return [];
  if (!Array.isArray(values)) throw badRequest('dryRun: Invalid value: a list is needed');
  const odd = values.find((each) => typeof each !== 'string');
  if (odd === undefined) return values as string[];
  throw badRequest(`dryRun: Invalid value: ${JSON.stringify(odd)}: must be a string`);
}

function isDryRunOf(values: readonly string[]): boolean {
  const faults = dryRunFaults(values);
  if (faults.length > 0) throw wrongOptions('DeleteOptions', faults);
  return values.includes('All');
}

function seconds(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = Number(value);
  if (Number.isInteger(number)) return number;
  throw badRequest(`gracePeriodSeconds: Invalid value: ${JSON.stringify(value)}`);
}

function policy(
  body: Readonly<Record<string, unknown>>,
  query: URLSearchParams,
): DeleteOptions['propagation'] {
  const asked = body['propagationPolicy'] ?? query.get('propagationPolicy');
  const orphan = body['orphanDependents'] ?? query.get('orphanDependents');
  if (isUnset(asked)) {
    if (isUnset(orphan)) return undefined;
    return orphan === true || orphan === 'true' ? 'Orphan' : 'Background';
  }
  if (typeof asked !== 'string')
    throw badRequest(`${POLICY}: Invalid value: ${JSON.stringify(asked)}: must be a string`);
  const known = POLICIES.find((each) => each === asked);
  if (!known) throw wrongOptions('DeleteOptions', [notSupported(POLICY, asked, KNOWN_POLICIES)]);
  if (isUnset(orphan)) return known;
  const why = 'orphanDependents and deletionPropagation cannot be both set';
  throw wrongOptions('DeleteOptions', [invalidValue(POLICY, known, why)]);
}

const isUnset = (value: unknown) => value === undefined || value === null || value === '';

const POLICY = 'propagationPolicy';
