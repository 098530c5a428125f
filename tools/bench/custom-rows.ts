// A custom resource beside a ConfigMap of the same size: the same requests of both, in turn, within one run.
// Invariant: the ratio is one of CPU time, each side's the median of its rounds, so that what else runs on the host falls out.
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CUSTOM_GROUP, prepareSetting } from './api-setting.ts';
import { framed, HttpConnection } from './http-connection.ts';
import { type LoadResult, LoadWorker, loadBy, summary } from './load-fleet.ts';
import type { RequestPlan } from './load-order.ts';
import { median, type Note } from './part.ts';
import { cpuDuring, type ServedApi } from './served-api.ts';
import { define } from './define.ts';
import { MARK, monotonicUs } from './watch-readers.ts';

const SCRATCH = 'bench-scratch';
const LISTED = 'bench-listed';
const LISTED_OBJECTS = 500;
const ROUNDS = 3;
const CLIENTS = 16;
const WATCHERS = 16;
const EVENTS = 1_000;
const JSON_TYPE = 'application/json';
const TEXT = 'x'.repeat(1_000);

const text = { type: 'string' };
const CARD: CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `cards.${CUSTOM_GROUP}` },
  spec: {
    group: CUSTOM_GROUP,
    scope: 'Namespaced',
    names: { kind: 'Card', plural: 'cards' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['data'],
            properties: {
              data: {
                type: 'object',
                required: ['n'],
                properties: {
                  text: { ...text, maxLength: 4_096 },
                  'written-at-us': text,
                  n: { ...text, pattern: '^[0-9-]+$' },
                  kind: { ...text, enum: ['one', 'two'] },
                  items: { type: 'array', items: { type: 'object', properties: { name: text } } },
                },
              },
              status: { type: 'object', properties: { phase: text } },
            },
          },
        },
      },
    ],
  },
};

interface Side {
  readonly kind: string;
  readonly apiVersion: string;
  path(namespace: string): string;
}

const SIDES: readonly Side[] = [
  {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    path: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
  },
  {
    kind: 'Card',
    apiVersion: `${CUSTOM_GROUP}/v1`,
    path: (namespace) => `/apis/${CUSTOM_GROUP}/v1/namespaces/${namespace}/cards`,
  },
];

function bodyOf({ kind, apiVersion }: Side, name: string, n = '{i}'): string {
  return JSON.stringify({ apiVersion, kind, metadata: { name }, data: { text: TEXT, n } });
}

interface Row {
  readonly what: string;
  readonly count: number;
  plan(side: Side): Omit<RequestPlan, 'objects' | 'type'>;
}

const ROWS: readonly Row[] = [
  {
    what: 'create',
    count: 3_000,
    plan: (side) => ({
      method: 'POST',
      path: side.path(SCRATCH),
      body: bodyOf(side, 'object-{i}'),
      status: 201,
    }),
  },
  {
    what: 'get',
    count: 6_000,
    plan: (side) => ({ method: 'GET', path: `${side.path(LISTED)}/object-{o}`, status: 200 }),
  },
  {
    what: `list of ${LISTED_OBJECTS}`,
    count: 200,
    plan: (side) => ({ method: 'GET', path: side.path(LISTED), status: 200 }),
  },
];

/** The rows: what the custom resource gets, and the ratio. */
export async function customRows(api: ServedApi, note: Note): Promise<void> {
  const watched = Array.from({ length: ROUNDS }, (_, round) => watchedIn(round));
  await prepareSetting(api.client, [SCRATCH, LISTED, ...watched]);
  await define(api.client, [CARD]);
  const worker = new LoadWorker();
  try {
    for (const side of SIDES) await fill(api, worker, side);
    for (const row of ROWS) await compared(note, row.what, rowRun(api, worker, row));
    await compared(note, `created and seen by ${WATCHERS} watchers`, watchRun(api, worker));
  } finally {
    await worker.stop();
  }
}

async function fill(api: ServedApi, worker: LoadWorker, side: Side): Promise<void> {
  const request = {
    method: 'POST',
    path: side.path(LISTED),
    body: bodyOf(side, 'object-{i}'),
    type: JSON_TYPE,
    objects: LISTED_OBJECTS,
    status: 201,
  };
  await loadBy([worker], {
    target: api.target,
    request,
    clients: CLIENTS,
    first: 0,
    count: LISTED_OBJECTS,
  });
}

/** One round of one side: what came of it, and the server's CPU for each request, µs. */
type Run = (side: Side, round: number) => Promise<{ result: LoadResult; cpuUs: number }>;

function rowRun(api: ServedApi, worker: LoadWorker, row: Row): Run {
  return async (side, round) => {
    const plan = row.plan(side);
    const request = { ...plan, type: JSON_TYPE, objects: LISTED_OBJECTS };
    const first = (round + 1) * row.count;
    const { count } = row;
    const order = { target: api.target, request, clients: CLIENTS, first, count };
    const { result, cpuMs } = await cpuDuring(api.pid, () => loadBy([worker], order));
    return { result, cpuUs: (1000 * cpuMs) / count };
  };
}

/** Objects that one client makes and WATCHERS see. */
function watchRun(api: ServedApi, worker: LoadWorker): Run {
  return async (side, round) => {
    const connection = await HttpConnection.open(api.target);
    const open = Promise.withResolvers<void>();
    const path = side.path(watchedIn(round));
    const order = { target: api.target, path: `${path}?watch=true`, watchers: WATCHERS };
    const seen = worker.order(
      { ...order, kind: 'fan-out', warmUp: 0, events: EVENTS },
      open.resolve,
    );
    await Promise.race([open.promise, seen]);
    const { result, cpuMs } = await cpuDuring(api.pid, async () => {
      for (let i = 0; i < EVENTS; i++) {
        const body = bodyOf(side, `object-${i}`, String(i)).replace(
          '"data":{',
          `"data":{${MARK}${monotonicUs()}",`,
        );
        await connection.exchange(framed('POST', path, { body, type: JSON_TYPE }), 201);
      }
      return seen;
    });
    connection.close();
    return { result: summary([result]), cpuUs: (1000 * cpuMs) / (EVENTS * WATCHERS) };
  };
}

const watchedIn = (round: number): string => `bench-watched-${round}`;

/** Both sides in turn, and what one costs of the other. */
async function compared(note: Note, what: string, run: Run): Promise<void> {
  const rounds: { result: LoadResult; cpuUs: number }[][] = SIDES.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [nth, side] of SIDES.entries()) rounds[nth]?.push(await run(side, round));
  const cpu = rounds.map((side) => median(side.map(({ cpuUs }) => cpuUs)));
  const [of, than] = [cpu[1] ?? Number.NaN, cpu[0] ?? Number.NaN];
  const perSecond = median((rounds[1] ?? []).map(({ result }) => result.perSecond));
  note({ what: `custom resource of 1 KB: ${what}`, value: perSecond, unit: '/s' });
  note({ what: `custom resource of 1 KB: ${what}, server CPU`, value: of, unit: 'µs' });
  const ratio = `custom resource of 1 KB: ${what}, CPU of that of a ConfigMap`;
  note({ what: ratio, value: of / than, unit: 'times', goal: '<= 1.5' });
}
