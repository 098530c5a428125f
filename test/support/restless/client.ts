// The clients of a cluster that is being killed: load on a Service, acknowledged writes, pods that come and go, and informers
// that must not miss anything. A program of its own, so that it runs inside the cluster's network namespace:
// `client.ts JSON`. Tells what happens as JSON lines; "rest" on standard input ends churn and writes, the input's end all.
// Invariant: every line is a Said; the report is made only when nothing writes any more.
import { createInterface } from 'node:readline';
import type { Lease, Pod } from '../../../api/generated/types.ts';
import { seededRandom } from '../../../base/random.ts';
import {
  type Client,
  ConfigMaps,
  createClient,
  createHttpTransport,
  createInformerFactory,
  type Informer,
  type KindRef,
  type KubeObject,
  Leases,
  loadKubeconfig,
  Pods,
  silentLogger,
  systemClock,
  systemRandom,
} from '../../../client/index.ts';
import { until } from '../until.ts';
import { startChurn } from './churn.ts';
import { type Served, startLoad } from './load.ts';
import { pause } from './pause.ts';
import { isPassing, startWrites, type Writes, WRITES_NAMESPACE } from './writes.ts';

/** What the program is asked. */
export interface ClientOrder {
  readonly kubeconfig: string;
  readonly seed: number;
  /** Asked without end. */
  readonly urls: readonly string[];
  /** Label `app` of the pods that answer: Ready now, and from now on. */
  readonly stable: string;
  /** Directory that containers leave their marks in. */
  readonly marks: string;
}

/** What is found once everything has come to rest; all lists are empty when all is well. */
export interface Report {
  readonly acknowledged: number;
  /** Acknowledged writes that are not as acknowledged. */
  readonly lost: readonly string[];
  /** Containers that were started again. */
  readonly restarted: readonly string[];
  /** Pods behind the Service that were called unready at any time. */
  readonly unready: readonly string[];
  /** Events that went back in time. */
  readonly backwards: readonly string[];
  /** What an informer has and a list has not, or the other way round. */
  readonly missed: readonly string[];
}

/** A line of standard output; times are of the wall clock. */
export type Said =
  | { readonly kind: 'acknowledged'; readonly begunAt: number }
  | { readonly kind: 'pod' }
  | { readonly kind: 'lease'; readonly renewedAt: number }
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'served'; readonly served: Served };

const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

/** What an informer told, added up event by event. */
class Ledger<T extends KubeObject> {
  readonly backwards: string[] = [];
  readonly #told = new Map<string, string>();
  readonly #informer: Informer<T>;

  constructor(informer: Informer<T>, onEvent: (object: T) => void) {
    this.#informer = informer;
    const take = (object: T) => {
      const { uid = '', name, resourceVersion = '' } = object.metadata;
      const before = Number(this.#told.get(uid) ?? 0);
      if (Number(resourceVersion) < before)
        this.backwards.push(`${informer.ref.plural} ${name}: ${resourceVersion} after ${before}`);
      this.#told.set(uid, resourceVersion);
      onEvent(object);
    };
    informer.subscribe({
      onAdd: take,
      onUpdate: (object, old) => {
        if (object.metadata.uid !== old.metadata.uid) this.#told.delete(old.metadata.uid ?? '');
        take(object);
      },
      onDelete: (object) => {
        this.#told.delete(object.metadata.uid ?? '');
        onEvent(object);
      },
    });
  }

  /** What differs between a fresh list, the cache, and the sum of the events. */
  differences(fresh: readonly T[]): string[] {
    const listed = revisions(fresh);
    const { plural } = this.#informer.ref;
    const against = (what: string, other: ReadonlyMap<string, string>) =>
      [...new Set([...listed.keys(), ...other.keys()])]
        .filter((uid) => listed.get(uid) !== other.get(uid))
        .map((uid) => `${plural} ${uid}: list ${listed.get(uid)}, ${what} ${other.get(uid)}`);
    return [
      ...against('cache', revisions(this.#informer.list())),
      ...against('events', this.#told),
    ];
  }
}

const revisions = (objects: readonly KubeObject[]): ReadonlyMap<string, string> =>
  new Map(objects.map(({ metadata }) => [metadata.uid ?? '', metadata.resourceVersion ?? '']));

/** A list, however often it takes. */
async function listOf<T extends KubeObject>(client: Client, ref: KindRef<T>): Promise<T[]> {
  for (;;)
    try {
      return [...(await client.resource(ref).list({ namespace: WRITES_NAMESPACE })).items];
    } catch (error) {
      if (!isPassing(error)) throw error;
      await pause(50);
    }
}

async function lostWrites(client: Client, { keys, violations }: Writes): Promise<string[]> {
  const found = new Map<string, string | undefined>();
  for (const { metadata, data } of await listOf(client, ConfigMaps))
    if (metadata.labels?.['written']) found.set(metadata.name ?? '', data?.['value']);
  const wrong = [...keys].filter(([name, maybe]) => !maybe.has(found.get(name) ?? null));
  const unknown = [...found.keys()].filter((name) => !keys.has(name));
  return [
    ...violations,
    ...wrong.map(([name, maybe]) => `${name}: ${found.get(name)}, not ${[...maybe].join(' or ')}`),
    ...unknown.map((name) => `${name}: nobody wrote it`),
  ];
}

const order = JSON.parse(process.argv[2] ?? '{}') as ClientOrder;
const { transport } = await loadKubeconfig(order.kubeconfig);
const client = createClient(createHttpTransport(transport));
const random = seededRandom(order.seed);
const doors = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
const informers = createInformerFactory(doors);
const scope = { namespace: WRITES_NAMESPACE };
const restarted = new Set<string>();
const unready = new Set<string>();
const isReady = ({ status }: Pod) =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
const configs = new Ledger(informers.informer(ConfigMaps, scope), () => undefined);
const pods = new Ledger(informers.informer(Pods, scope), (pod) => {
  const { metadata, status } = pod;
  say({ kind: 'pod' });
  if (metadata.labels?.['app'] === order.stable && !isReady(pod))
    unready.add(`${metadata.name}: ${JSON.stringify(status?.conditions)}`);
  for (const { name, restartCount } of status?.containerStatuses ?? [])
    if (restartCount > 0) restarted.add(`${metadata.name} ${name}`);
});
const leases = informers.informer(Leases, { namespace: 'kube-node-lease' });
const renewed = ({ spec }: Lease) => {
  say({ kind: 'lease', renewedAt: Date.parse(spec?.renewTime ?? '') });
};
leases.subscribe({ onAdd: renewed, onUpdate: renewed });
const ending = new AbortController();
informers.start(ending.signal);
await informers.synced();

const load = startLoad(order.urls);
const churn = startChurn({ client, random, marks: order.marks });
const writes = startWrites(client, random, (begunAt) => say({ kind: 'acknowledged', begunAt }));

async function rest(): Promise<void> {
  await Promise.all([churn.rest(), writes.stop()]);
  let missed: string[] = [];
  // Pods still change for a while: what counts is that both come to the same.
  const agree = async () => {
    missed = [
      ...configs.differences(await listOf(client, ConfigMaps)),
      ...pods.differences(await listOf(client, Pods)),
    ];
    return missed.length === 0;
  };
  await until(agree).catch(() => undefined);
  const report: Report = {
    acknowledged: writes.acknowledged,
    lost: await lostWrites(client, writes),
    restarted: [...restarted],
    unready: [...unready],
    backwards: [...configs.backwards, ...pods.backwards],
    missed,
  };
  say({ kind: 'report', report });
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (line === 'rest') void rest();
});
input.on('close', () => {
  void load.stop().then((served) => {
    ending.abort();
    process.stdout.write(`${JSON.stringify({ kind: 'served', served } satisfies Said)}\n`, () =>
      process.exit(0),
    );
  });
});
