// A few writers, a thousand watchers of one collection: how old an event is when it comes, and what it costs.
// Invariant: the pace is the clock's, and an event's age counts from the moment at which it was due: what waits for a slow answer before
// it is written grows older meanwhile. Opening and closing the watches counts for nothing but their own turns of the event loop.
import { systemClock } from '../../base/clock.ts';
import { prepareSetting } from './api-setting.ts';
import { framed, HttpConnection, type Target } from './http-connection.ts';
import { LoadWorker, summary } from './load-fleet.ts';
import type { Note, Part } from './part.ts';
import { cpuDuring, type ServedApi, withServedApi } from './served-api.ts';
import { MARK, monotonicUs } from './watch-readers.ts';

const WATCHERS = 1_000;
const EVENTS_PER_SECOND = 50;
const SECONDS = 10;
/** They take turns, so that the pace holds unless answers take longer than all of their turns: 80 ms. */
const WRITERS = 4;
const NAMESPACE = 'bench-watched';
const PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

/** Creates every so manyth of the ConfigMaps when it is due, each with that moment inside. */
async function write(connection: HttpConnection, first: number, startUs: number): Promise<void> {
  for (let i = first; i < EVENTS_PER_SECOND * SECONDS; i += WRITERS) {
    const dueUs = startUs + Math.round((i * 1e6) / EVENTS_PER_SECOND);
    const earlyUs = dueUs - monotonicUs();
    if (earlyUs > 0) await systemClock.sleep(earlyUs / 1000);
    const metadata = `{"name":"event-${i}"}`;
    const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":${metadata},"data":{${MARK}${dueUs}"}}`;
    await connection.exchange(framed('POST', PATH, { body, type: 'application/json' }), 201);
  }
}

/** Writes it all; resolves when the last write is answered. */
async function writeAll(target: Target): Promise<void> {
  const connections = await Promise.all(
    Array.from({ length: WRITERS }, () => HttpConnection.open(target)),
  );
  const startUs = monotonicUs();
  try {
    await Promise.all(connections.map((each, nth) => write(each, nth, startUs)));
  } finally {
    for (const each of connections) each.close();
  }
}

async function fanOut(api: ServedApi, worker: LoadWorker, note: Note): Promise<void> {
  const events = EVENTS_PER_SECOND * SECONDS;
  const path = `${PATH}?watch=true`;
  const open = Promise.withResolvers<void>();
  const seen = worker.order(
    { kind: 'fan-out', target: api.target, path, watchers: WATCHERS, events },
    open.resolve,
  );
  await api.longestTurn();
  await Promise.race([open.promise, seen]);
  const opening = await api.longestTurn();
  let longestTurn = 0;
  const { result: report, cpuMs } = await cpuDuring(api.pid, async () => {
    await writeAll(api.target);
    longestTurn = await api.longestTurn();
    return seen;
  });
  const { perSecond, p50, p99 } = summary([report]);
  const what = `watch, ${WATCHERS} watchers x ${EVENTS_PER_SECOND} events/s`;
  const load = {
    clients: WATCHERS,
    p99,
    serverCpuUs: (1000 * cpuMs) / report.latencies.length,
    longestTurn,
  };
  note({ what: `${what}: events delivered`, value: perSecond, unit: '/s', load });
  note({ what: `${what}: median age of an event`, value: p50, unit: 'ms' });
  note({ what: `${what}: 99 of 100 events younger than`, value: p99, unit: 'ms', goal: '< 50' });
  const share = (100 * cpuMs) / report.ms;
  note({ what: `${what}: server CPU`, value: share, unit: '% of a core' });
  const readers = (100 * report.cpuMs) / report.ms;
  note({ what: `${what}: CPU of the watchers' process`, value: readers, unit: '% of a core' });
  const turn = `${WATCHERS} watchers: longest turn of the event loop as they`;
  note({ what: `${turn} come, 50 at a time`, value: opening, unit: 'ms' });
  note({ what: `${turn} leave at once`, value: await api.longestTurn(), unit: 'ms' });
}

/** The fan-out of watches. */
export const watch: Part = {
  name: 'watch',
  async measure(note, directory) {
    const worker = new LoadWorker();
    try {
      await withServedApi(directory, async (api) => {
        await prepareSetting(api.client, [NAMESPACE]);
        await fanOut(api, worker, note);
      });
    } finally {
      await worker.stop();
    }
  },
};
