// A few writers, a thousand watchers of one collection: how old an event is when it comes, and what it costs; right after it the same
// on a bare server that hands on what is posted to it.
// Invariant: the pace is the clock's, and an event's age counts from the moment at which it was due: what waits for a slow answer before
// it is written grows older meanwhile. Opening and closing the watches counts for nothing but their own turns of the event loop.
import { systemClock } from '../../base/clock.ts';
import { prepareSetting } from './api-setting.ts';
import { framed, HttpConnection, type Target } from './http-connection.ts';
import { LoadWorker, summary } from './load-fleet.ts';
import type { Note, Part } from './part.ts';
import {
  type BareServer,
  cpuDuring,
  type ServedApi,
  withBareServer,
  withServedApi,
} from './served-api.ts';
import { MARK, monotonicUs } from './watch-readers.ts';

const WATCHERS = 1_000;
const EVENTS_PER_SECOND = 50;
const SECONDS = 10;
const EVENTS = EVENTS_PER_SECOND * SECONDS;
/** Events before those that count: of a server that goes on for days, the seconds in which its code is compiled tell nothing. */
const WARM_UP = EVENTS_PER_SECOND * 3;
/** They take turns, so that the pace holds unless answers take longer than all of their turns: 80 ms. */
const WRITERS = 4;
const NAMESPACE = 'bench-watched';
const PATH = `/api/v1/namespaces/${NAMESPACE}/configmaps`;

/** Whom the events go to, and by what way. */
interface Place {
  readonly pid: number;
  readonly target: Target;
  /** Where they are posted. */
  readonly path: string;
  /** Where they come. */
  readonly watched: string;
  /** The events' bodies are made as long as this. */
  readonly size: number;
}

function eventBody(nth: number, dueUs: number, size: number): string {
  const metadata = `{"name":"event-${nth}"}`;
  const body = `{"apiVersion":"v1","kind":"ConfigMap","metadata":${metadata},"data":{${MARK}${dueUs}"}}`;
  return body.padEnd(size);
}

/** The events from one on: so many, at their pace. */
interface Run {
  readonly from: number;
  readonly count: number;
}

/** Creates every so manyth of the ConfigMaps when it is due, each with that moment inside. */
async function write(
  connection: HttpConnection,
  { path, size }: Place,
  { first, startUs, run }: { first: number; startUs: number; run: Run },
): Promise<void> {
  for (let i = first; i < run.count; i += WRITERS) {
    const dueUs = startUs + Math.round((i * 1e6) / EVENTS_PER_SECOND);
    const earlyUs = dueUs - monotonicUs();
    if (earlyUs > 0) await systemClock.sleep(earlyUs / 1000);
    const body = eventBody(run.from + i, dueUs, size);
    await connection.exchange(framed('POST', path, { body, type: 'application/json' }), 201);
  }
}

/** Writes it all; resolves when the last write is answered. */
async function writeAll(place: Place, run: Run): Promise<void> {
  const connections = await Promise.all(
    Array.from({ length: WRITERS }, () => HttpConnection.open(place.target)),
  );
  const startUs = monotonicUs();
  try {
    await Promise.all(
      connections.map((each, nth) => write(each, place, { first: nth, startUs, run })),
    );
  } finally {
    for (const each of connections) each.close();
  }
}

/** What the server tells of the turns of its event loop; nothing of a bare one. */
type LongestTurn = () => Promise<number>;

async function spread(place: Place, worker: LoadWorker, longestTurn: LongestTurn) {
  const open = Promise.withResolvers<void>();
  const { target, watched: path, pid } = place;
  const seen = worker.order(
    { kind: 'fan-out', target, path, watchers: WATCHERS, warmUp: WARM_UP, events: EVENTS },
    open.resolve,
  );
  await longestTurn();
  await Promise.race([open.promise, seen]);
  const opening = await longestTurn();
  await writeAll(place, { from: 0, count: WARM_UP });
  await longestTurn();
  let turn = 0;
  const { result: report, cpuMs } = await cpuDuring(pid, async () => {
    await writeAll(place, { from: WARM_UP, count: EVENTS });
    turn = await longestTurn();
    return seen;
  });
  const serverCpuUs = (1000 * cpuMs) / report.latencies.length;
  const ofCore = (100 * cpuMs) / report.ms;
  return { report, opening, turn, serverCpuUs, ofCore, ...summary([report]) };
}

async function fanOut(
  { api, bare }: { api: ServedApi; bare: BareServer },
  worker: LoadWorker,
  note: Note,
): Promise<void> {
  const ours = await spread(
    { pid: api.pid, target: api.target, path: PATH, watched: `${PATH}?watch=true`, size: 0 },
    worker,
    () => api.longestTurn(),
  );
  const leaving = await api.longestTurn();
  const place = {
    pid: bare.pid,
    target: { ...api.target, port: bare.port },
    path: '/watch',
    watched: '/watch',
    size: Math.round(ours.bytesEach),
  };
  const floor = await spread(place, worker, () => Promise.resolve(0));
  const what = `watch, ${WATCHERS} watchers x ${EVENTS_PER_SECOND} events/s`;
  const { perSecond, p50, p99, serverCpuUs } = ours;
  const bareLoad = { perSecond: floor.perSecond, serverCpuUs: floor.serverCpuUs };
  const load = { clients: WATCHERS, p99, serverCpuUs, longestTurn: ours.turn, bare: bareLoad };
  note({ what: `${what}: events delivered`, value: perSecond, unit: '/s', load });
  const tell = (told: string, value: number, unit: string) =>
    note({ what: `${what}: ${told}`, value, unit });
  tell('median age of an event', p50, 'ms');
  note({ what: `${what}: 99 of 100 events younger than`, value: p99, unit: 'ms', goal: '< 50' });
  tell('median age, bare node:https', floor.p50, 'ms');
  tell('99 of 100 younger than, bare node:https', floor.p99, 'ms');
  tell('server CPU', ours.ofCore, '% of a core');
  tell('server CPU, bare node:https', floor.ofCore, '% of a core');
  const readers = (100 * ours.report.cpuMs) / ours.report.ms;
  tell("CPU of the watchers' process", readers, '% of a core');
  const turn = `${WATCHERS} watchers: longest turn of the event loop as they`;
  note({ what: `${turn} come, 50 at a time`, value: ours.opening, unit: 'ms' });
  note({ what: `${turn} leave at once`, value: leaving, unit: 'ms' });
}

/** The fan-out of watches. */
export const watch: Part = {
  name: 'watch',
  async measure(note, directory) {
    const worker = new LoadWorker();
    try {
      await withServedApi(directory, async (api) => {
        await prepareSetting(api.client, [NAMESPACE]);
        await withBareServer(directory, (bare) => fanOut({ api, bare }, worker, note));
      });
    } finally {
      await worker.stop();
    }
  },
};
