// Controllers that wake themselves without end: on a virtual clock nothing else would ever happen, not even the test's own time limit.
// Invariant: a key that is reconciled as often as the limit says while time stands still is reconciled no more, and the fault is told.
import type { Clock } from '../../base/clock.ts';
import {
  type ControllerFactory,
  type ControllerSpec,
  TerminalError,
} from '../../controllers/framework/reconciler.ts';

/** Reconciles of one key at one moment of its clock; more would be made of no changes that a test can mean. */
export const MAX_TURNS_AT_A_MOMENT = 5_000;

/** The controller, which fails where its work does not end; `tell` is called each time. */
export function endingWork(
  factory: ControllerFactory,
  tell: (fault: Error) => void,
): ControllerFactory {
  return (context) => {
    const spec = factory(context);
    const turn = turnsOn(context.clock);
    const reconcile: ControllerSpec['reconcile'] = (key, about) => {
      if (turn(key) <= MAX_TURNS_AT_A_MOMENT) return spec.reconcile(key, about);
      const fault = new TerminalError(
        `controller ${spec.name} reconciled ${key} ${MAX_TURNS_AT_A_MOMENT} times while time stood still: ` +
          'its own writes wake it each time; write only what differs',
      );
      tell(fault);
      throw fault;
    };
    return Object.assign(Object.create(spec) as ControllerSpec, { reconcile });
  };
}

/** Counts by key what happens at one moment. */
function turnsOn(clock: Clock): (key: string) => number {
  const counts = new Map<string, number>();
  let moment = clock.monotonic();
  return (key) => {
    if (clock.monotonic() !== moment) counts.clear();
    moment = clock.monotonic();
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };
}
