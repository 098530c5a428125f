// Puts kinds into a cluster: server-side apply of their definitions, and waits until the server serves them.
// Invariant: when it resolves, objects of every kind can be written; what keeps the server from serving one is told.
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
} from '../../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../../api/kinds.ts';
import { findCondition } from '../conditions.ts';
import { isExpired, isInvalid, isNotFound, StatusError } from '../../../api/status.ts';
import { type Clock, systemClock } from '../../../base/clock.ts';
import type { CallOptions, Client, ResourceClient } from '../../../client/rest/client.ts';
import type { DefinitionOptions } from './kind.ts';
import { KindError } from './kind-error.ts';

/** How long a server may take to serve a definition, unless told. */
export const ESTABLISHED_TIMEOUT_MS = 30_000;

/** What installs: a kind that defineKind made. */
export interface Installable {
  readonly kind: string;
  readonly group: string;
  definition(options?: DefinitionOptions): CustomResourceDefinition;
}

/** How to install. */
export interface InstallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** For all kinds together; ESTABLISHED_TIMEOUT_MS unless given. */
  readonly timeoutMs?: number;
  /** Who owns the fields; `pinnace-kinds` unless given. Fields of other owners are taken over. */
  readonly fieldManager?: string;
  /** Where versions are converted. */
  readonly conversion?: (kind: Installable) => CustomResourceConversion | undefined;
}

/** Installs them. Throws KindError with what the server refused, or why it serves a kind not yet. */
export async function installKinds(
  client: Client,
  kinds: readonly Installable[],
  options: InstallOptions = {},
): Promise<void> {
  const { clock = systemClock, signal, timeoutMs = ESTABLISHED_TIMEOUT_MS } = options;
  const late = new AbortController();
  const timer = clock.timer(timeoutMs, () => late.abort(new Error('late')));
  const ending = AbortSignal.any([late.signal, ...(signal ? [signal] : [])]);
  const definitions = client.resource(CustomResourceDefinitions);
  try {
    // All are sent before any is waited for: servers take them in one after the other.
    const applied: CustomResourceDefinition[] = [];
    for (const kind of kinds) applied.push(await apply(definitions, kind, { ...options, ending }));
    for (const definition of applied) await established(definitions, definition, ending);
  } finally {
    timer.cancel();
  }
}

type Definitions = ResourceClient<CustomResourceDefinition>;

async function apply(
  definitions: Definitions,
  kind: Installable,
  { conversion, ending, fieldManager = 'pinnace-kinds' }: InstallOptions & { ending: AbortSignal },
): Promise<CustomResourceDefinition> {
  const body = kind.definition({ conversion: conversion?.(kind) });
  const name = body.metadata.name ?? '';
  try {
    const patch = { type: 'apply', body, force: true } as const;
    return await definitions.patch({ name }, patch, { fieldManager, signal: ending });
  } catch (error) {
    throw isInvalid(error) ? refusal(name, error) : error;
  }
}

/** The server's own words, cause by cause. */
function refusal(name: string, error: unknown): KindError {
  const causes = (error instanceof StatusError && error.details?.causes) || [];
  const faults = causes.map(({ field = '', message = '' }) => ({ path: field, message }));
  const whole = { path: '', message: error instanceof Error ? error.message : String(error) };
  const refused = new KindError(`the server refuses ${name}`, faults.length > 0 ? faults : [whole]);
  refused.cause = error;
  return refused;
}

/** Waits for it. Throws KindError where its names are taken, or time is over. */
async function established(
  definitions: Definitions,
  applied: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<void> {
  let state = applied;
  try {
    await untilServed(definitions, applied, { signal, onState: (now) => (state = now) });
  } catch (error) {
    if (!signal.aborted) throw error;
    if ((signal.reason as Error)?.message !== 'late') throw signal.reason;
    throw new KindError(`${applied.metadata.name} is not served in time`, [
      { path: 'status', message: whyNot(state) },
    ]);
  }
}

/**
 * Waits until the server serves the definition, from its state as it was applied; `onState` is told of later ones. Throws KindError
 * where it never will.
 */
export async function untilServed(
  definitions: Definitions,
  applied: CustomResourceDefinition,
  { signal, onState }: CallOptions & { onState?: (state: CustomResourceDefinition) => void } = {},
): Promise<void> {
  for (let state = applied; !isServed(state); onState?.(state))
    state = await nextState(definitions, state, signal);
}

/** Throws KindError where it never will be. */
function isServed({ metadata, spec, status }: CustomResourceDefinition): boolean {
  const names = findCondition(status?.conditions, 'NamesAccepted');
  if (names?.status === 'False') {
    const message = `${names.reason}: ${names.message}; choose other names, or delete the definition that has them`;
    throw new KindError(`the server does not accept the names of ${metadata.name}`, [
      { path: 'names', message },
    ]);
  }
  const established = findCondition(status?.conditions, 'Established')?.status === 'True';
  return established && status?.acceptedNames?.kind === spec.names.kind;
}

/** The definition after its next change; as it is now where the watch has ended. */
async function nextState(
  definitions: Definitions,
  state: CustomResourceDefinition,
  signal: AbortSignal | undefined,
): Promise<CustomResourceDefinition> {
  const { name = '', resourceVersion } = state.metadata;
  const fieldSelector = `metadata.name=${name}`;
  try {
    for await (const events of definitions.watch({ fieldSelector, resourceVersion, signal }))
      for (const { type, object } of events) {
        if (type === 'DELETED') throw deleted(name);
        if (type !== 'BOOKMARK') return object;
      }
  } catch (error) {
    if (!isExpired(error)) throw error;
  }
  return definitions.get({ name }, { signal }).catch((error: unknown) => {
    throw isNotFound(error) ? deleted(name) : error;
  });
}

const deleted = (name: string): KindError =>
  new KindError(`${name} is not served`, [
    { path: '', message: 'somebody deleted it while it was installed' },
  ]);

function whyNot({ status }: CustomResourceDefinition): string {
  const { message, reason } = findCondition(status?.conditions, 'Established') ?? {};
  if (reason === undefined) return 'the server has not looked at the definition yet';
  return `${reason}: ${message}`;
}
