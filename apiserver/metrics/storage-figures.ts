// Figures of storage, under the names that upstream gives those of etcd.
// Invariant: a write costs one look-up, two looks at the clock and a few additions; what is read from memory asks no storage.
import type { Clock } from '../../base/clock.ts';
import type { Count, Figures, Spread } from '../../base/figures.ts';
import type { NewValue, Storage } from '../storage/storage.ts';

/** Upper bounds, seconds; upstream's. */
const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];

/** Upstream numbers the servers of its storage; here is one. */
const STORAGE_ID = 'etcd-0';

type Operation = 'create' | 'update' | 'delete' | 'list';

interface Series {
  readonly requests: Count;
  readonly errors: Count;
  readonly took: Spread;
}

/** The same storage, its requests counted and timed; a conflict is an answer, not an error. */
export function countedStorage(storage: Storage, figures: Figures, clock: Clock): Storage {
  const meter = new StorageMeter(figures, clock);
  figures.read(
    {
      name: 'apiserver_storage_size_bytes',
      help: 'Bytes that storage takes up where it is kept, history among them.',
      labels: ['storage_cluster_id'],
    },
    () => [[[STORAGE_ID], storage.sizeBytes()]],
  );
  return {
    commit: (key, expected, value) => {
      const operation = operationOf(expected, value);
      return meter.timed(operation, key, () => storage.commit(key, expected, value));
    },
    page: (prefix, options) => meter.timed('list', prefix, () => storage.page(prefix, options)),
    pending: (key) => storage.pending(key),
    barrier: (signal) => storage.barrier(signal),
    watch: (prefix, from, signal) => storage.watch(prefix, from, signal),
    compact: (to) => storage.compact(to),
    range: () => storage.range(),
    sizeBytes: () => storage.sizeBytes(),
    close: () => storage.close(),
  };
}

function operationOf(expected: bigint | 'absent' | 'any', value: NewValue | 'delete'): Operation {
  if (value === 'delete') return 'delete';
  return expected === 'absent' ? 'create' : 'update';
}

class StorageMeter {
  readonly #clock: Clock;
  readonly #families;
  /** By operation and collection. */
  readonly #series = new Map<string, Series>();

  constructor(figures: Figures, clock: Clock) {
    this.#clock = clock;
    const labels = ['operation', 'group', 'resource'] as const;
    this.#families = {
      requests: figures.counter({
        name: 'etcd_requests_total',
        help: 'Requests to storage.',
        labels,
      }),
      errors: figures.counter({
        name: 'etcd_request_errors_total',
        help: 'Requests that storage failed.',
        labels,
      }),
      took: figures.histogram({
        name: 'etcd_request_duration_seconds',
        help: 'Time of requests to storage: of writes, until they are durable.',
        labels,
        buckets: SECONDS,
      }),
    };
  }

  async timed<T>(operation: Operation, key: string, run: () => Promise<T>): Promise<T> {
    const series = this.#seriesOf(operation, key);
    const startedAt = this.#clock.monotonic();
    series.requests.add();
    try {
      return await run();
    } catch (error) {
      series.errors.add();
      throw error;
    } finally {
      series.took.observe((this.#clock.monotonic() - startedAt) / 1000);
    }
  }

  #seriesOf(operation: Operation, key: string): Series {
    const collection = key.slice(0, key.indexOf('/', key.indexOf('/', ROOT.length) + 1));
    const name = operation + collection;
    const known = this.#series.get(name);
    if (known) return known;
    const [group = '', resource = ''] = collection.slice(ROOT.length).split('/');
    const labels = [operation, group === 'core' ? '' : group, resource];
    const { requests, errors, took } = this.#families;
    const series = {
      requests: requests.of(...labels),
      errors: errors.of(...labels),
      took: took.of(...labels),
    };
    this.#series.set(name, series);
    return series;
  }
}

/** What all keys begin with (registry/keys.ts). */
const ROOT = '/registry/';
