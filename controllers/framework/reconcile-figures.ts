// What /metrics shows of controllers, under the names of Go's controller-runtime.
// Invariant: a reconcile costs a few additions; every controller that runs shows noughts before anything went wrong.
import type { Count, Family, Figures, Spread } from '../../base/figures.ts';

/** How a reconcile ended, as the label `result` has it. */
export type Outcome = 'success' | 'requeue_after' | 'error';

/** Upper bounds of a reconcile's time, seconds; controller-runtime's. */
const SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
  1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
const OUTCOMES: readonly Outcome[] = ['success', 'requeue_after', 'error'];

/** What one controller tells. */
export interface ReconcileObserver {
  started(): void;
  /** Without an outcome: the controller stopped meanwhile. */
  ended(outcome: Outcome | undefined, tookMs: number): void;
  /** It failed for good (counted beside the outcome). */
  failedForGood(): void;
  timedOut(): void;
  /** A map function or a predicate threw over a change. */
  changeUnread(): void;
  /** A key keeps itself busy. */
  foundHot(): void;
}

interface Families {
  readonly total: Family<Count>;
  readonly times: Family<Spread>;
  readonly active: Family<Count>;
  readonly workers: Family<Count>;
  readonly errors: Family<Count>;
  readonly terminal: Family<Count>;
  readonly timeouts: Family<Count>;
  readonly unread: Family<Count>;
  readonly hot: Family<Count>;
}

/** The figures of a program's controllers, by their names. */
export class ReconcileFigures {
  readonly #families: Families;

  constructor(figures: Figures) {
    const labels = ['controller'] as const;
    const of = (name: string, help: string) => ({ name, help, labels });
    const runtime = (name: string, help: string) => of(`controller_runtime_${name}`, help);
    const { name, help } = runtime('reconcile_total', 'Reconciles by how they ended.');
    this.#families = {
      total: figures.counter({ name, help, labels: ['controller', 'result'] }),
      times: figures.histogram({
        ...runtime('reconcile_time_seconds', 'How long reconciles took.'),
        buckets: SECONDS,
      }),
      active: figures.level(runtime('active_workers', 'Reconciles that run now.')),
      workers: figures.level(runtime('max_concurrent_reconciles', 'How many may run at once.')),
      errors: figures.counter(runtime('reconcile_errors_total', 'Reconciles that failed.')),
      terminal: figures.counter(
        runtime('terminal_reconcile_errors_total', 'Reconciles that failed for good.'),
      ),
      timeouts: figures.counter(
        runtime('reconcile_timeouts_total', 'Reconciles that went beyond the time they have.'),
      ),
      unread: figures.counter(
        of(
          'pinnace_controller_unread_changes_total',
          'Changes over which a map or predicate threw.',
        ),
      ),
      hot: figures.counter(
        of('pinnace_controller_hot_keys_total', 'Keys found to keep themselves busy.'),
      ),
    };
  }

  /** What a controller of this name, with so many workers, is to tell. */
  observer(name: string, workers: number): ReconcileObserver {
    const families = this.#families;
    const totals = new Map(OUTCOMES.map((each) => [each, families.total.of(name, each)]));
    const [times, active] = [families.times.of(name), families.active.of(name)];
    const [errors, terminal] = [families.errors.of(name), families.terminal.of(name)];
    const [timeouts, unread] = [families.timeouts.of(name), families.unread.of(name)];
    const hot = families.hot.of(name);
    families.workers.of(name).value = workers;
    return {
      started: () => active.add(),
      ended(outcome, tookMs) {
        active.add(-1);
        if (outcome) totals.get(outcome)?.add();
        times.observe(tookMs / 1000);
        if (outcome === 'error') errors.add();
      },
      failedForGood: () => terminal.add(),
      timedOut: () => timeouts.add(),
      changeUnread: () => unread.add(),
      foundHot: () => hot.add(),
    };
  }
}

/** Tells nobody. */
export const unobserved: ReconcileObserver = {
  started: () => undefined,
  ended: () => undefined,
  failedForGood: () => undefined,
  timedOut: () => undefined,
  changeUnread: () => undefined,
  foundHot: () => undefined,
};
