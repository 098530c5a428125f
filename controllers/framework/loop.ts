// The reconcile loop: events become keys, keys go to workers, outcomes go back into the queue.
// Invariant: one key is never reconciled twice at once, and no failure of one key stops the others.
import type { ElectionFigures } from '../../client/election/election-figures.ts';
import type { OwnedInformerFactory } from '../../client/informer/informer-factory.ts';
import type { QueueFigures } from '../../client/workqueue/queue-figures.ts';
import { countQueue, tellBoth } from '../../client/workqueue/queue-observer.ts';
import { RateLimitedQueue } from '../../client/workqueue/rate-limited.ts';
import type { Logger } from '../../base/logger.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { checkedResult } from './checked-result.ts';
import { HotKeys } from './hot-keys.ts';
import type { ControllerCounters, OutcomeParts } from './outcomes.ts';
import { noCounts, settle, settleFailure } from './outcomes.ts';
import { oversee } from './overseer.ts';
import type { Outcome, ReconcileFigures } from './reconcile-figures.ts';
import { unobserved } from './reconcile-figures.ts';
import type { ControllerContext, ControllerSpec, Result } from './reconciler.ts';
import { subscribe } from './wakers.ts';

export type { ControllerCounters } from './outcomes.ts';

/** How long reconciles may go on after the stop, as upstream's graceful shutdown. */
export const STOP_GRACE_MS = 30_000;

/** Hooks of whoever runs a controller. */
export interface ControllerHooks {
  /** Called once with the counters, which go on counting. */
  counters?(name: string, counters: ControllerCounters): void;
  /** Called once the controller's caches are filled and its workers begin. */
  started?(name: string): void;
  /** Shows the controllers' queues. */
  readonly queues?: QueueFigures | undefined;
  /** Shows the controllers' reconciles. */
  readonly reconciles?: ReconcileFigures | undefined;
  /** Called once with the caches of the controllers that run together, anew in each term. */
  informers?(informers: Pick<OwnedInformerFactory, 'counters' | 'synced'>): void;
  /** Shows who leads, where there is an election. */
  readonly elections?: ElectionFigures | undefined;
}

/**
 * Runs a controller until the signal aborts: waits for its informers, then works through keys.
 * Resolves when the last reconcile has ended. Rejects only for a broken spec and for reconciles that do not end within
 * STOP_GRACE_MS of the stop (naming their keys), never for a failed key.
 */
export async function runController(
  spec: ControllerSpec,
  context: ControllerContext & { readonly hooks?: ControllerHooks | undefined },
  signal: AbortSignal,
): Promise<void> {
  const loop = loopOf(spec, context, signal);
  const wakers = {
    ...loop,
    unread() {
      loop.counters.unreadChanges++;
      loop.observer.changeUnread();
    },
  };
  const unsubscribe = spec.sources.map((source) => subscribe(source, wakers, context));
  spec.moreSources?.((source) => {
    const leave = subscribe(source, wakers, context);
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
    context.hooks?.started?.(spec.name);
    await endedInTime(loop, Promise.all(Array.from({ length: loop.workers }, () => work(loop))));
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const each of unsubscribe) each();
    loop.queue.close();
  }
}

interface Loop extends OutcomeParts {
  readonly spec: ControllerSpec;
  readonly context: ControllerContext;
  readonly logger: Logger;
  readonly workers: number;
  readonly hot: HotKeys;
  /** Keys with a worker now. */
  readonly working: Set<string>;
  /** The object of a key, where keys are those of a kind's objects. */
  subject(key: string): KubeObject | undefined;
  /** What reconciles of this run are called, so that lines of a log can be put together. */
  nextId(): string;
}

function loopOf(
  spec: ControllerSpec,
  context: ControllerContext & { readonly hooks?: ControllerHooks | undefined },
  signal: AbortSignal,
): Loop {
  const { clock, hooks, informers, random } = context;
  const { counters: queueCounters, observer: counter } = countQueue();
  const observer = hooks?.queues ? tellBoth(counter, hooks.queues.observer(spec.name)) : counter;
  const logger = context.logger.child({ controller: spec.name });
  const refused = (key: string) => {
    observer.refused(key);
    logger.error('the work queue is full; the key is dropped', { key });
  };
  const queue = new RateLimitedQueue({ clock, observer: { ...observer, refused } });
  const counters = noCounts(queueCounters);
  hooks?.counters?.(spec.name, counters);
  hooks?.queues?.follow(spec.name, queue);
  const workers = spec.concurrency ?? 1;
  const own = spec.sources.find((source) => source.keys === undefined);
  const subjects = own && informers.informer(own.ref, own.scope);
  const run = random.uuid().slice(0, 8);
  let turns = 0;
  return {
    spec,
    context,
    signal,
    logger,
    queue,
    counters,
    workers,
    observer: hooks?.reconciles?.observer(spec.name, workers) ?? unobserved,
    hot: new HotKeys(),
    working: new Set(),
    subject: (key) => subjects?.get(key),
    nextId: () => `${run}-${++turns}`,
  };
}

/** One worker: a key after the other until the queue closes. */
async function work(loop: Loop): Promise<void> {
  for (let key = await loop.queue.take(); key !== undefined; key = await loop.queue.take()) {
    loop.working.add(key);
    try {
      await reconcileOnce(loop, key);
    } finally {
      loop.working.delete(key);
      loop.queue.finish(key);
    }
  }
}

async function reconcileOnce(loop: Loop, key: string): Promise<void> {
  const { spec, counters, observer, signal } = loop;
  const { clock } = loop.context;
  const object = loop.subject(key);
  const resourceVersion = object?.metadata.resourceVersion;
  const logger = loop.logger.child({ key, reconcileID: loop.nextId(), resourceVersion });
  const overseen = oversee({ clock, logger, signal, timeoutMs: spec.timeoutMs });
  const startedAt = clock.monotonic();
  counters.reconciles++;
  observer.started();
  let outcome: Outcome | undefined;
  let result: Result | undefined;
  try {
    result = checkedResult(await spec.reconcile(key, { signal: overseen.signal, logger }));
    outcome = settle(loop, key, result);
  } catch (error) {
    if (!signal.aborted) outcome = settleFailure(loop, { key, logger }, error);
  }
  overseen.end();
  if (overseen.timedOut) {
    counters.timeouts++;
    observer.timedOut();
  }
  const nowMs = clock.monotonic();
  observer.ended(outcome, nowMs - startedAt);
  logger.debug('reconciled', { outcome, durationMs: nowMs - startedAt });
  const againInMs = result?.kind === 'requeueAfter' ? result.ms : undefined;
  tellIfHot(loop, logger, { key, nowMs, object, againInMs });
}

function tellIfHot(loop: Loop, logger: Logger, turn: Parameters<HotKeys['turn']>[0]): void {
  const found = loop.hot.turn(turn);
  if (!found) return;
  loop.counters.hotKeys++;
  loop.observer.foundHot();
  logger.warn(
    found.fields.length > 0
      ? 'a key keeps itself busy: an own write that changes these fields wakes it each time; write only what differs'
      : 'a key keeps itself busy: it asks to come again at once; answer a longer requeueAfter, or wait for a change',
    { ...found },
  );
}

/** Waits for the workers; past STOP_GRACE_MS after the stop throws instead, naming the keys that do not end. */
async function endedInTime(loop: Loop, workers: Promise<unknown>): Promise<void> {
  const { signal, context, spec } = loop;
  const late = Promise.withResolvers<never>();
  const giveUp = () => {
    const keys = [...loop.working].join(', ');
    const fix = "give the context's signal to what they wait for";
    late.reject(
      new Error(`${spec.name}: reconciles did not end within ${STOP_GRACE_MS} ms: ${keys}; ${fix}`),
    );
  };
  let cancel = (): void => undefined;
  const onAbort = () => {
    const timer = context.clock.timer(STOP_GRACE_MS, giveUp);
    cancel = () => timer.cancel();
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([workers, late.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    cancel();
  }
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
