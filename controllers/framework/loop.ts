// The reconcile loop: events become keys, keys go to workers, outcomes go back into the queue.
// Invariant: one key is never reconciled twice at once, and no failure of one key stops the others.
import type { QueueFigures } from '../../client/workqueue/queue-figures.ts';
import { countQueue, tellBoth } from '../../client/workqueue/queue-observer.ts';
import type { QueueCounters } from '../../client/workqueue/queue-observer.ts';
import { RateLimitedQueue } from '../../client/workqueue/rate-limited.ts';
import type { Logger } from '../../base/logger.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import { isConflict, isNamespaceTerminating } from '../../api/status.ts';
import type { ControllerContext, ControllerSpec, Result, Source } from './reconciler.ts';
import { TerminalError } from './reconciler.ts';

/** What a controller has done so far. */
export interface ControllerCounters {
  readonly queue: QueueCounters;
  reconciles: number;
  errors: number;
  terminalErrors: number;
}

/** Hooks of whoever runs a controller. */
export interface ControllerHooks {
  /** Called once with the counters, which go on counting. */
  counters?(name: string, counters: ControllerCounters): void;
  /** Shows the controllers' queues. */
  readonly queues?: QueueFigures | undefined;
}

/**
 * Runs a controller until the signal aborts: waits for its informers, then works through keys.
 * Resolves when the last reconcile has ended. Rejects only for a broken spec, never for a failed key.
 */
export async function runController(
  spec: ControllerSpec,
  context: ControllerContext & { readonly hooks?: ControllerHooks | undefined },
  signal: AbortSignal,
): Promise<void> {
  const { counters: queueCounters, observer: counter } = countQueue();
  const shown = context.hooks?.queues;
  const observer = shown ? tellBoth(counter, shown.observer(spec.name)) : counter;
  const logger = context.logger.child({ controller: spec.name });
  const loop: Loop = {
    spec,
    queue: new RateLimitedQueue({
      clock: context.clock,
      observer: {
        ...observer,
        refused(key) {
          observer.refused(key);
          logger.error('the work queue is full; the key is dropped', { key });
        },
      },
    }),
    logger,
    counters: { queue: queueCounters, reconciles: 0, errors: 0, terminalErrors: 0 },
    signal,
  };
  context.hooks?.counters?.(spec.name, loop.counters);
  shown?.follow(spec.name, loop.queue);
  const unsubscribe = spec.sources.map((source) => subscribe(source, loop, context));
  spec.moreSources?.((source) => {
    const leave = subscribe(source, loop, context);
    unsubscribe.push(leave);
    return () => {
      leave();
      unsubscribe.splice(unsubscribe.indexOf(leave), 1);
      context.informers.release(source.ref, source.scope);
    };
  });
  const onAbort = () => loop.queue.close();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (!(await informersSynced(context, signal))) return;
    loop.logger.debug('the controller starts');
    await Promise.all(Array.from({ length: spec.concurrency ?? 1 }, () => work(loop)));
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const each of unsubscribe) each();
    loop.queue.close();
  }
}

interface Loop {
  readonly spec: ControllerSpec;
  readonly queue: RateLimitedQueue;
  readonly logger: Logger;
  readonly counters: ControllerCounters;
  readonly signal: AbortSignal;
}

/** One worker: a key after the other until the queue closes. */
async function work(loop: Loop): Promise<void> {
  for (let key = await loop.queue.take(); key !== undefined; key = await loop.queue.take()) {
    loop.counters.reconciles++;
    try {
      const logger = loop.logger.child({ key });
      settle(loop, key, await loop.spec.reconcile(key, { signal: loop.signal, logger }));
    } catch (error) {
      settleFailure(loop, key, error);
    } finally {
      loop.queue.finish(key);
    }
  }
}

function settle(loop: Loop, key: string, result: Result): void {
  loop.queue.forget(key);
  if (result.kind === 'requeueAfter') loop.queue.addAfter(key, result.ms);
}

function settleFailure(loop: Loop, key: string, error: unknown): void {
  if (loop.signal.aborted) return;
  // The key's own namespace goes, and the key with it: trying again would only make noise.
  if (isNamespaceTerminating(error) && key.includes('/')) {
    loop.queue.forget(key);
    loop.logger.debug('nothing more is made in a namespace that ends', { key });
    return;
  }
  loop.counters.errors++;
  if (error instanceof TerminalError) {
    loop.counters.terminalErrors++;
    loop.queue.forget(key);
    loop.logger.error('reconcile failed for good; waiting for the object to change', {
      key,
      err: error,
    });
    return;
  }
  const retryInMs = loop.queue.addRateLimited(key);
  // A conflict only means that the cache was behind; the retry reads the newer state.
  const level = isConflict(error) ? 'debug' : 'error';
  loop.logger[level]('reconcile failed; trying again', { key, retryInMs, err: error });
}

function subscribe(source: Source, loop: Loop, context: ControllerContext): () => void {
  const informer = context.informers.informer(source.ref, source.scope);
  const keys = (object: KubeObject, old: KubeObject | undefined) =>
    source.keys ? source.keys(object, old) : [keyOf(object)];
  const enqueue = (
    object: KubeObject,
    old: KubeObject | undefined,
    change: 'add' | 'update' | 'delete',
  ) => {
    if (source.predicate && !source.predicate(object, old, change)) return;
    for (const key of keys(object, old)) loop.queue.add(key);
  };
  return informer.subscribe({
    onAdd: (object) => enqueue(object, undefined, 'add'),
    onUpdate: (object, old) => enqueue(object, old, 'update'),
    onDelete: (object) => enqueue(object, undefined, 'delete'),
  });
}

/** Waits for every informer this controller asked for; false when the signal aborted first. */
async function informersSynced(context: ControllerContext, signal: AbortSignal): Promise<boolean> {
  try {
    await context.informers.synced(signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
