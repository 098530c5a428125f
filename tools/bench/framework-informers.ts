// What a cache of 10,000 Pods costs whoever holds it: memory, the time until it is filled, and how long it holds the event loop.
// Invariant: memory is what is left after a collection, with the cache and without; in process the server's own is there before.
import { performance } from 'node:perf_hooks';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { Pod } from '../../api/generated/types.ts';
import { Pods } from '../../api/kinds.ts';
import { cacheable } from '../../client/informer/freeze.ts';
import type { InformerScope } from '../../client/informer/informer.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { InformerTuning } from '../../client/informer/options.ts';
import type { Client } from '../../client/rest/client.ts';
import { startCluster } from '../../testing/cluster/start-cluster.ts';
import { prepareSetting } from './api-setting.ts';
import { benchPodJson, benchPodStatusJson } from './bench-objects.ts';
import { heldMb } from './heap.ts';
import type { Note } from './part.ts';
import { withServedApi } from './served-api.ts';

const OBJECTS = 10_000;
const AT_ONCE = 32;
const NAMESPACE = 'bench';
const GOALS = { memory: '< 60', turn: '< 10' };

/** Measures both ways; the server of the second leaves its files in `directory`. */
export async function measureInformers(note: Note, directory: string): Promise<void> {
  freezing(note);
  const cluster = await startCluster({ controllers: 'none', scheduler: false, nodes: 0 });
  await fill(cluster.client);
  await measure(note, cluster.client, { way: 'in process' });
  await cluster.close();
  await withServedApi(directory, async ({ client }) => {
    await fill(client);
    await measure(note, client, { way: 'over HTTPS' });
    await measure(note, client, { way: 'over HTTPS, streamed', tuning: { syncMode: 'stream' } });
    const metadata = { way: 'over HTTPS, metadata only', scope: { metadataOnly: true } };
    await measure(note, client, metadata);
  });
}

interface Way {
  readonly way: string;
  readonly scope?: InformerScope;
  readonly tuning?: InformerTuning;
}

/** One informer from nothing to filled; it is gone afterwards. */
async function measure(note: Note, client: Client, { way, scope, tuning }: Way): Promise<void> {
  const before = heldMb();
  const doors = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
  const factory = createInformerFactory({ ...doors, ...tuning });
  const informer = factory.informer(Pods, { namespace: NAMESPACE, ...scope });
  const stop = new AbortController();
  const turns = new TurnProbe();
  const startedAt = performance.now();
  factory.start(stop.signal);
  await informer.synced();
  const filledMs = performance.now() - startedAt;
  const longest = turns.end();
  const what = `a cache of ${OBJECTS.toLocaleString('en')} Pods, ${way}`;
  const memory = heldMb() - before;
  if (informer.list().length !== OBJECTS) throw new Error(`${what}: not all are there`);
  note({ what: `${what}: memory`, value: memory, unit: 'MB', goal: GOALS.memory });
  note({ what: `${what}: until it is filled`, value: filledMs, unit: 'ms' });
  note({ what: `${what}: longest turn, CPU`, value: longest, unit: 'ms', goal: GOALS.turn });
  stop.abort(new Error('measured'));
  await factory.finished();
}

/** The longest turn of the event loop, in CPU time of this thread: what others on the host do does not count. */
class TurnProbe {
  #longestUs = 0;
  #looks = true;
  #last = process.threadCpuUsage();

  constructor() {
    this.#look();
  }

  /** Looks no more; milliseconds. */
  end(): number {
    this.#looks = false;
    return this.#longestUs / 1000;
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#last);
    this.#longestUs = Math.max(this.#longestUs, user + system);
    this.#last = process.threadCpuUsage();
    if (this.#looks) setImmediate(() => this.#look());
  }
}

async function fill(client: Client): Promise<void> {
  await prepareSetting(client, [NAMESPACE]);
  const pods = client.resource(Pods);
  const open = Array.from({ length: OBJECTS }, (_, i) => String(i)).values();
  const made = async () => {
    for (const i of open) {
      const name = `payment-${i}`;
      const parsed = (json: string) => JSON.parse(json.replaceAll('{i}', i)) as Pod;
      const pod = parsed(benchPodJson(name));
      await pods.create({ ...pod, metadata: { ...pod.metadata, namespace: NAMESPACE } });
      const { status } = parsed(benchPodStatusJson(name)) as { status?: object };
      const ref = { namespace: NAMESPACE, name };
      await pods.patch(ref, { type: 'merge', body: { status } }, { subresource: 'status' });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, made));
}

/** What freezing costs, which is done to each object as it comes off the wire. */
function freezing(note: Note): void {
  const json = benchPodJson('payment');
  const rounds = () => Array.from({ length: OBJECTS }, () => JSON.parse(json) as Pod);
  for (const pod of rounds()) cacheable(pod);
  const all = rounds();
  const startedAt = performance.now();
  for (const pod of all) cacheable(pod);
  const each = ((performance.now() - startedAt) * 1000) / OBJECTS;
  note({ what: 'freezing a Pod off the wire', value: each, unit: 'µs' });
}
