// What /metrics shows of work queues, under upstream's names.
// Invariant: a step of a queue costs a few additions; what is being worked on now is looked at only when somebody asks.
import type { Count, Family, Figures, Spread } from '../../base/figures.ts';
import type { QueueObserver } from './queue-observer.ts';

/** Upper bounds of waits and work, seconds: 10 ns to 1000 s, as upstream. */
const SECONDS = Array.from({ length: 12 }, (_, i) => 10 ** (i - 8));

/** What is asked of a queue at each look. */
export interface WorkingQueue {
  /** How long each key now with a worker has been there, milliseconds. */
  workingMs(): readonly number[];
}

interface Families {
  readonly depth: Family<Count>;
  readonly adds: Family<Count>;
  readonly retries: Family<Count>;
  readonly waits: Family<Spread>;
  readonly work: Family<Spread>;
}

/** The figures of a program's queues, by their names. */
export class QueueFigures {
  readonly #families: Families;
  readonly #queues = new Map<string, WorkingQueue>();

  constructor(figures: Figures) {
    const labels = ['name'] as const;
    const counted = (name: string, help: string) => ({ name: `workqueue_${name}`, help, labels });
    const timed = (name: string, help: string) => ({ ...counted(name, help), buckets: SECONDS });
    this.#families = {
      depth: figures.level(counted('depth', 'Keys that wait.')),
      adds: figures.counter(counted('adds_total', 'Keys taken in.')),
      retries: figures.counter(counted('retries_total', 'Keys that come again after a failure.')),
      waits: figures.histogram(
        timed('queue_duration_seconds', 'How long keys waited for a worker.'),
      ),
      work: figures.histogram(timed('work_duration_seconds', 'How long keys were worked on.')),
    };
    const look = (sum: (ms: readonly number[]) => number) => () =>
      Array.from(this.#queues, ([name, queue]) => [[name], sum(queue.workingMs()) / 1000] as const);
    figures.read(
      counted('unfinished_work_seconds', 'Time that keys now worked on have taken, added up.'),
      look((ms) => ms.reduce((sum, each) => sum + each, 0)),
    );
    figures.read(
      counted('longest_running_processor_seconds', 'Time of the key that is worked on longest.'),
      look((ms) => Math.max(0, ...ms)),
    );
  }

  /** What a queue of this name is to tell. */
  observer(name: string): QueueObserver {
    const { depth, adds, retries, waits, work } = this.#families;
    const [level, added, again] = [depth.of(name), adds.of(name), retries.of(name)];
    const [waited, worked] = [waits.of(name), work.of(name)];
    return {
      added(now) {
        added.add();
        level.value = now;
      },
      started(ms, now) {
        waited.observe(ms / 1000);
        level.value = now;
      },
      finished: (ms) => worked.observe(ms / 1000),
      retried: () => again.add(),
      refused: () => undefined,
    };
  }

  /** Looks at this queue under this name from now on, in place of one before. */
  follow(name: string, queue: WorkingQueue): void {
    this.#queues.set(name, queue);
  }
}
