// What is said about a controller, checked before it runs: a mistake here would otherwise show as a controller that does nothing.
// Invariant: throws a TypeError that names the controller and the fix, or answers the spec as it is.
import type { ControllerContext, ControllerFactory, ControllerSpec } from './reconciler.ts';

/** The shortest resync: more often all objects are looked over again for nothing, and changes wait. */
export const MIN_RESYNC_MS = 1_000;
/** The longest time that may be given; a timer of more would be a mistake in units. */
const MAX_MS = 2 ** 31 - 1;

/** A controller that was made, and what it was made with. */
export interface MadeController<C> {
  readonly spec: ControllerSpec;
  readonly context: C;
}

/**
 * Makes controllers by their factories, each with its own context. Their names must differ, since logs, events, figures and
 * queues go by them.
 */
export function makeControllers<C extends ControllerContext>(
  factories: readonly ControllerFactory[],
  contexts: readonly C[],
): MadeController<C>[] {
  const names = new Set<string>();
  return contexts.map((context, at) => {
    const factory = factories[at];
    if (typeof factory !== 'function')
      throw new TypeError(
        `controller ${at + 1} of the list is no controller: end its builder with .reconcile(…)`,
      );
    const spec = checkedSpec(factory(context), at);
    if (names.has(spec.name))
      throw new TypeError(`two controllers are called ${spec.name}: give one another .named(…)`);
    names.add(spec.name);
    return { spec, context };
  });
}

function checkedSpec(spec: ControllerSpec | undefined, at: number): ControllerSpec {
  if (!spec || typeof spec.name !== 'string' || spec.name === '')
    throw new TypeError(
      `controller ${at + 1} of the list has no name: its factory must answer a ControllerSpec`,
    );
  const { name, concurrency = 1, timeoutMs, sources } = spec;
  const wrong = (what: string) => new TypeError(`controller ${name}: ${what}`);
  if (typeof spec.reconcile !== 'function') throw wrong('reconcile must be a function');
  if (!Number.isSafeInteger(concurrency) || concurrency < 1)
    throw wrong(`concurrency is ${concurrency}, and must be a whole number of workers, 1 or more`);
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= MAX_MS))
    throw wrong(`the timeout is ${timeoutMs}, and must be milliseconds, more than 0`);
  for (const { ref, resyncMs } of sources)
    if (resyncMs !== undefined && !(resyncMs >= MIN_RESYNC_MS && resyncMs <= MAX_MS))
      throw wrong(
        `the resync of ${ref.kind} is ${resyncMs}, and must be ${MIN_RESYNC_MS} ms or more`,
      );
  return spec;
}
