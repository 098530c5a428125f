// One writer, a thousand watchers of one collection: how old an event is when it comes, and what it costs.
// Invariant: the writer's pace is the clock's; what a slow answer held up is written at once afterwards, and an event's age counts
// from its writing.
import { performance } from 'node:perf_hooks';
import { systemClock } from '../../base/clock.ts';
import { prepareSetting } from './api-setting.ts';
import { framed, HttpConnection } from './http-connection.ts';
import { LoadWorker, summary } from './load-fleet.ts';
import type { Note, Part } from './part.ts';
import { cpuDuring, type ServedApi, withServedApi } from './served-api.ts';
import { MARK, monotonicUs } from './watch-readers.ts';

const WATCHERS = 1_000;
const EVENTS_PER_SECOND = 50;
const SECONDS = 10;
const NAMESPACE = 'bench-watched';
const PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

/** Creates ConfigMaps at an even pace, each with the time of its writing inside. */
async function write(connection: HttpConnection): Promise<void> {
  const startedAt = performance.now();
  for (let i = 0; i < EVENTS_PER_SECOND * SECONDS; i++) {
    const early = startedAt + (i * 1000) / EVENTS_PER_SECOND - performance.now();
    if (early > 0) await systemClock.sleep(early);
    const metadata = `{"name":"event-${i}"}`;
    const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":${metadata},"data":{${MARK}${monotonicUs()}"}}`;
    await connection.exchange(framed('POST', PATH, { body, type: 'application/json' }), 201);
  }
}

async function fanOut(api: ServedApi, worker: LoadWorker, note: Note): Promise<void> {
  const connection = await HttpConnection.open(api.target);
  const events = EVENTS_PER_SECOND * SECONDS;
  const path = `${PATH}?watch=true`;
  const open = Promise.withResolvers<void>();
  const seen = worker.order(
    { kind: 'fan-out', target: api.target, path, watchers: WATCHERS, events },
    open.resolve,
  );
  await Promise.race([open.promise, seen]);
  await api.longestTurn();
  const { result: report, cpuMs } = await cpuDuring(api.pid, async () => {
    await write(connection);
    return seen;
  });
  connection.close();
  const { perSecond, p50, p99 } = summary([report]);
  const what = `watch, ${WATCHERS} watchers x ${EVENTS_PER_SECOND} events/s`;
  const load = {
    clients: WATCHERS,
    p99,
    serverCpuUs: (1000 * cpuMs) / report.latencies.length,
    longestTurn: await api.longestTurn(),
  };
  note({ what: `${what}: events delivered`, value: perSecond, unit: '/s', load });
  note({ what: `${what}: median age of an event`, value: p50, unit: 'ms' });
  note({ what: `${what}: 99 of 100 events younger than`, value: p99, unit: 'ms', goal: '< 50' });
  const share = (100 * cpuMs) / report.ms;
  note({ what: `${what}: server CPU`, value: share, unit: '% of a core' });
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
