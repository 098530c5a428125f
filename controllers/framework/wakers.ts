// From changes to keys: a controller's sources, subscribed to their informers.
// Invariant: nothing that a source's own functions do wrong reaches the informer, the queue or another change.
import type { Logger } from '../../base/logger.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { SubscribeOptions } from '../../client/informer/informer.ts';
import type { DelayingQueue } from '../../client/workqueue/delaying.ts';
import type { Lane } from '../../client/workqueue/queue.ts';
import type { ControllerContext, ObjectChange, Source } from './reconciler.ts';

/** The share of the resync period by which those of several controllers are spread. */
const RESYNC_JITTER = 0.1;

/** Where keys go, and who is told of what goes wrong. */
export interface Wakers {
  readonly queue: Pick<DelayingQueue, 'add' | 'addAfter'>;
  readonly logger: Logger;
  /** A map function or a predicate threw. */
  unread(): void;
}

/** Lets the source wake keys until what it answers is called. What is there already comes at once, in the background. */
export function subscribe(source: Source, wakers: Wakers, context: ControllerContext): () => void {
  const informer = context.informers.informer(source.ref, source.scope);
  let replaying = true;
  // What a first list brings is no change that anybody waits for.
  const lane = (): Lane => (replaying || !informer.hasSynced ? 'background' : 'change');
  const wake = (object: KubeObject, change: Change) =>
    enqueue(source, wakers, { object, ...change });
  const leave = informer.subscribe(
    {
      onAdd: (object) => wake(object, { change: 'add', lane: lane() }),
      onUpdate: (object, old) =>
        wake(object, { change: 'update', old, lane: object === old ? 'background' : lane() }),
      onDelete: (object) => wake(object, { change: 'delete', lane: lane() }),
    },
    resyncOf(source, context),
  );
  replaying = false;
  return leave;
}

function resyncOf({ resyncMs }: Source, { random }: ControllerContext): SubscribeOptions {
  return resyncMs === undefined ? {} : { resyncMs: resyncMs * (1 + RESYNC_JITTER * random.next()) };
}

interface Change {
  readonly change: ObjectChange;
  readonly old?: KubeObject | undefined;
  readonly lane: Lane;
}

function enqueue(source: Source, wakers: Wakers, change: Change & { object: KubeObject }): void {
  const { object, old } = change;
  if (!counts(source, wakers, change)) return;
  try {
    for (const key of source.keys ? keysIn(source.keys(object, old)) : [keyOf(object)]) {
      const ms = source.waitMs?.(key, object, old) ?? 0;
      if (ms > 0) wakers.queue.addAfter(key, ms, change.lane);
      else wakers.queue.add(key, change.lane);
    }
  } catch (err) {
    const about = { resource: source.ref.plural, object: keyOf(object), err };
    wakers.unread();
    wakers.logger.error('a map function threw; whom the change concerns is not woken by it', about);
  }
}

/** What the predicate says; a change that it cannot read counts, for a needless reconcile does no harm. */
function counts(source: Source, wakers: Wakers, change: Change & { object: KubeObject }): boolean {
  const { object, old } = change;
  try {
    return source.predicate?.(object, old, change.change) ?? true;
  } catch (err) {
    const about = { resource: source.ref.plural, object: keyOf(object), err };
    wakers.unread();
    wakers.logger.error('a predicate threw; the change counts', about);
    return true;
  }
}

/** Programs without types answer a bare text, or nothing. */
function keysIn(answer: unknown): readonly string[] {
  if (Array.isArray(answer) && answer.every((key) => typeof key === 'string' && key !== ''))
    return answer;
  throw new TypeError(
    `a map function answers a list of keys (NAMESPACE/NAME, or NAME), not ${JSON.stringify(answer) ?? typeof answer}`,
  );
}
