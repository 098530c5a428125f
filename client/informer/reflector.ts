// Drives the reflector machine: does what its state says and feeds it what came of that.
// Invariant: no failure is silent (each is logged and counted), and only the signal ends the loop.
import { backoffDelay } from '../../base/backoff.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { isExpired, StatusError } from '../../api/status.ts';
import type { StatusReason } from '../../api/status.ts';
import type { ResourceClient, WatchEvent } from '../rest/client.ts';
import { LIST_PAGE_SIZE, listPages } from '../rest/list-all.ts';
import { isMalformed } from '../transport/connection-error.ts';
import type { InformerScope } from './informer.ts';
import { REFLECTOR_BACKOFF, WATCH_TIMEOUT_SECONDS } from './options.ts';
import type { InformerCounters, InformerFactoryOptions } from './options.ts';
import { initialState, step } from './reflector-machine.ts';
import type { ReflectorInput, ReflectorState } from './reflector-machine.ts';

/** Where a reflector puts what it reads. */
export interface ReflectorTarget<T> {
  /** The whole collection at a revision. */
  replace(objects: readonly T[], resourceVersion: string): void;
  /** Events in order; bookmarks included. */
  apply(events: readonly WatchEvent<T>[]): void;
}

/** What a reflector is given. */
export interface ReflectorParts<T extends KubeObject> {
  readonly resource: ResourceClient<T>;
  readonly scope: InformerScope;
  readonly target: ReflectorTarget<T>;
  readonly options: InformerFactoryOptions;
  readonly counters: InformerCounters;
}

/** Set on the bookmark that ends the initial events of a streamed list. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Answers of a watch after which the whole collection is read again, since the revision itself may be at fault. */
const REASONS_FOR_GAP: readonly StatusReason[] = [
  'BadRequest',
  'Invalid',
  'NotFound',
  'Timeout',
  'InternalError',
];

/** Keeps `target` a copy of the collection until the signal aborts. Never rejects. */
export async function runReflector<T extends KubeObject>(
  parts: ReflectorParts<T>,
  signal: AbortSignal,
): Promise<void> {
  let state = initialState(parts.options.syncMode ?? 'list');
  while (state.kind !== 'stopped') {
    try {
      state = await act(parts, state, signal);
    } catch (error) {
      if (!signal.aborted) report(parts, error, state);
      state = step(state, signal.aborted ? { kind: 'stop' } : inputOf(error, state));
    }
    if (signal.aborted) state = step(state, { kind: 'stop' });
  }
}

function act<T extends KubeObject>(
  parts: ReflectorParts<T>,
  state: Exclude<ReflectorState, { kind: 'stopped' }>,
  signal: AbortSignal,
): Promise<ReflectorState> {
  switch (state.kind) {
    case 'syncing':
      return state.mode === 'list' ? list(parts, state, signal) : follow(parts, state, signal);
    case 'watching':
      return follow(parts, state, signal);
    case 'waiting':
      return wait(parts, state, signal);
  }
}

async function list<T extends KubeObject>(
  parts: ReflectorParts<T>,
  state: ReflectorState,
  signal: AbortSignal,
): Promise<ReflectorState> {
  parts.counters.lists++;
  const limit = parts.options.pageSize ?? LIST_PAGE_SIZE;
  const objects: T[] = [];
  let resourceVersion = '';
  for await (const page of listPages(parts.resource, { ...parts.scope, limit, signal })) {
    for (const item of page.items) objects.push(item);
    resourceVersion = page.metadata.resourceVersion ?? resourceVersion;
  }
  parts.target.replace(objects, resourceVersion);
  return step(state, { kind: 'synced', resourceVersion });
}

/** Watches on from the state's revision, or (syncing) from nothing with the initial events first. */
async function follow<T extends KubeObject>(
  parts: ReflectorParts<T>,
  from: ReflectorState & { kind: 'watching' | 'syncing' },
  signal: AbortSignal,
): Promise<ReflectorState> {
  parts.counters.watches++;
  let state: ReflectorState = from;
  const initial = new Map<string, T>();
  const { random } = parts.options;
  const { least, spread } = WATCH_TIMEOUT_SECONDS;
  const start =
    from.kind === 'watching'
      ? { resourceVersion: from.resourceVersion }
      : { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' as const };
  const watch = parts.resource.watch({
    ...parts.scope,
    ...start,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.floor(least + spread * random.next()),
    signal,
  });
  try {
    for await (const batch of watch) {
      const rest: readonly WatchEvent<T>[] =
        state.kind === 'syncing' ? gather(parts, initial, batch) : batch;
      if (state.kind === 'syncing' && rest === batch) continue;
      const last = rest.at(-1) ?? batch.at(-1);
      if (last === undefined) continue;
      parts.counters.events += rest.length;
      parts.target.apply(rest);
      state = step(state, progressTo(last));
    }
  } catch (error) {
    if (signal.aborted) throw error;
    report(parts, error, state);
    return step(state, inputOf(error, state));
  }
  return step(state, { kind: 'ended' });
}

const progressTo = (event: WatchEvent<KubeObject>): ReflectorInput => ({
  kind: 'progress',
  resourceVersion: event.object.metadata.resourceVersion ?? '',
});

/**
 * Gathers initial events. Answers the same batch while they go on; once the bookmark that ends them is
 * there, puts them into the target and answers what follows it.
 */
function gather<T extends KubeObject>(
  parts: ReflectorParts<T>,
  initial: Map<string, T>,
  batch: readonly WatchEvent<T>[],
): readonly WatchEvent<T>[] {
  for (const [at, event] of batch.entries()) {
    const { metadata } = event.object;
    const key = `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
    if (event.type === 'BOOKMARK') {
      if (metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') continue;
      parts.target.replace([...initial.values()], metadata.resourceVersion ?? '');
      return batch.slice(at + 1);
    }
    if (event.type === 'DELETED') initial.delete(key);
    else initial.set(key, event.object);
  }
  return batch;
}

async function wait<T extends KubeObject>(
  parts: ReflectorParts<T>,
  state: ReflectorState & { kind: 'waiting' },
  signal: AbortSignal,
): Promise<ReflectorState> {
  const { clock, random } = parts.options;
  await clock.sleep(backoffDelay(state.failures - 1, REFLECTOR_BACKOFF, random), signal);
  return step(state, { kind: 'resumed' });
}

function inputOf(error: unknown, state: ReflectorState): ReflectorInput {
  if (isMalformed(error)) return { kind: 'malformed' };
  if (isExpired(error)) return { kind: 'gap' };
  if (!(error instanceof StatusError)) return { kind: 'failed' };
  const refused = error.reason === 'Invalid' || error.reason === 'BadRequest';
  if (refused && state.kind === 'syncing' && state.mode === 'stream')
    return { kind: 'streamRefused' };
  return { kind: REASONS_FOR_GAP.includes(error.reason) ? 'gap' : 'failed' };
}

function report<T extends KubeObject>(
  parts: ReflectorParts<T>,
  error: unknown,
  state: ReflectorState,
): void {
  const { counters, options, resource } = parts;
  counters.failures++;
  if (isMalformed(error)) counters.malformed++;
  // An expired revision is how a server ends a watcher that fell behind: nothing to worry about.
  const level = isExpired(error) ? 'debug' : 'warn';
  options.logger[level]('the copy of a collection is interrupted; trying again', {
    resource: resource.ref.plural,
    state: state.kind,
    err: error,
  });
}
