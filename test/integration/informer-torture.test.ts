// Informers of 10,000 objects over HTTPS, while writers change them, a proxy cuts, delays, truncates and swallows, lines come
// twice or broken, and the server is restarted. At quiet points caches, indexes and what handlers were told are all as the server is.
// 30 s; PINNACE_LONG=1: ten minutes. PINNACE_SEED chooses what happens in which order (not when).
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom, systemRandom } from '../../base/random.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Namespaces } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { expired } from '../../api/status.ts';
import { partialMetadata } from '../../api/wire/table.ts';
import { labelValue } from '../../client/informer/indexes.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import type { OwnedInformerFactory } from '../../client/informer/informer-factory.ts';
import type { Informer, InformerScope } from '../../client/informer/informer.ts';
import type { InformerTuning } from '../../client/informer/options.ts';
import { listAll } from '../../client/rest/list-all.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { InformerWitness } from '../support/informer-witness.ts';
import { mangledLines } from '../support/mangled-lines.ts';
import { RestartedServer } from '../support/restarted-server.ts';
import { until } from '../support/until.ts';

const LONG = process.env['PINNACE_LONG'] === '1';
const SEED = Number(
  process.env['PINNACE_SEED'] ?? (LONG ? Math.floor(systemRandom.next() * 1e9) : 20_261_121),
);
const DURATION_MS = LONG ? 10 * 60_000 : 30_000;
/** Writers and faults go on for so long between two quiet points. */
const ROUND_MS = { least: 3_000, spread: 5_000 };
/** Pauses of reflectors grow to a minute while everything fails. */
const QUIET_CEILING_MS = 150_000;
const OBJECTS = 10_000;
const WRITERS = 4;
const NAMESPACES = ['n0', 'n1', 'n2', 'n3', 'n4'];
const TIERS = ['a', 'b', 'c'];
/** Shorter than by default, so that half a connection is noticed within a round. */
const LIMITS = { watchSilenceMs: 2_000, replySilenceMs: 2_000, requestTimeoutMs: 4_000 };

/** What is followed, and what of the server's objects that is. */
interface Subject {
  readonly scope: InformerScope;
  readonly tuning?: InformerTuning;
  readonly holds?: (object: ConfigMap) => boolean;
  readonly shows?: (object: KubeObject) => KubeObject;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  list: { scope: {} },
  stream: { scope: {}, tuning: { syncMode: 'stream' } },
  selected: {
    scope: { labelSelector: 'tier=a' },
    holds: ({ metadata }) => metadata.labels?.['tier'] === 'a',
  },
  metadata: { scope: { metadataOnly: true }, shows: partialMetadata },
  namespaces: {
    scope: { namespaces: ['n0', 'n3'] },
    holds: ({ metadata }) => metadata.namespace === 'n0' || metadata.namespace === 'n3',
  },
};

interface Followed extends Subject {
  readonly name: string;
  readonly factory: OwnedInformerFactory;
  readonly informer: Informer<KubeObject>;
  readonly quick: InformerWitness;
  readonly slow: InformerWitness;
}

const random = seededRandom(SEED);
const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)] as T;
const stop = new AbortController();
const transports: Transport[] = [];
let server: RestartedServer;
let proxy: FaultyProxy;
/** Are lines mangled now? */
let mangling = false;

beforeAll(async () => {
  server = await RestartedServer.start();
  proxy = await FaultyProxy.open(() => server.port);
});

afterAll(async () => {
  stop.abort(new Error('the test is over'));
  for (const transport of transports) transport.close();
  await proxy.close();
  await server.close();
});

function aMap(name: string, namespace: string): ConfigMap {
  const data = { v: String(random.next()), text: 'x'.repeat(100) };
  const metadata = { name, namespace, labels: { tier: pick(TIERS) } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

async function fill(): Promise<void> {
  const client = createClient(server.transport);
  for (const name of NAMESPACES)
    await client
      .resource(Namespaces)
      .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const open = Array.from({ length: OBJECTS }, (_, i) => i).values();
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (const i of open)
        await client
          .resource(ConfigMaps)
          .create(aMap(`m${i}`, NAMESPACES[i % NAMESPACES.length] as string));
    }),
  );
}

function follow(name: string, subject: Subject): Followed {
  const address = `https://127.0.0.1:${proxy.port}`;
  const http = createHttpTransport({ server: address, ...server.tls, limits: LIMITS });
  transports.push(http);
  const fate = seededRandom(SEED + name.length);
  const next = () => {
    const odds = mangling ? fate.next() : 1;
    if (odds < 0.0005) throw expired('history has moved on');
    if (odds < 0.001) return 'broken';
    if (odds < 0.05) return 'late';
    return odds < 0.1 ? 'twice' : 'none';
  };
  const factory = createInformerFactory({
    client: createClient(mangledLines(http, next, () => fate.next())),
    clock: systemClock,
    random: fate,
    logger: silentLogger,
    ...subject.tuning,
  });
  const informer = factory.informer<KubeObject>(ConfigMaps, subject.scope);
  informer.addIndex('tier', labelValue('tier'));
  const quick = new InformerWitness(informer);
  const slow = new InformerWitness(informer, { slow: true });
  factory.start(stop.signal);
  return { name, ...subject, factory, informer, quick, slow };
}

/** Changes, makes and deletes objects until told to stop; what a restart interrupts is left as it is. */
async function write(writer: number, ended: AbortSignal): Promise<void> {
  for (let i = 0; !ended.aborted; i++)
    try {
      await writeOnce(`w${writer}-${i}`);
    } catch {
      await until(() => server.port !== undefined);
    }
}

async function writeOnce(newName: string): Promise<void> {
  const maps = createClient(server.transport).resource(ConfigMaps);
  const at = Math.floor(random.next() * OBJECTS);
  const namespace = NAMESPACES[at % NAMESPACES.length] as string;
  const ref = { namespace, name: `m${at}` };
  const odds = random.next();
  const body = { metadata: { labels: { tier: pick(TIERS) } }, data: { v: String(odds) } };
  if (odds < 0.8) await maps.patch(ref, { type: 'merge', body });
  else if (odds < 0.9) {
    // Deleted and made anew under the same name, at once or a while later.
    await maps.delete(ref);
    await maps.create(aMap(ref.name, namespace));
  } else {
    await maps.create(aMap(newName, namespace));
    await maps.delete({ namespace, name: newName });
  }
}

const FAULTS: readonly (() => Promise<void> | void)[] = [
  () => proxy.cut(),
  () => proxy.truncate(Math.floor(random.next() * 30_000)),
  () => proxy.delay(50 + Math.floor(random.next() * 500)),
  () => proxy.swallow(),
  async () => {
    proxy.down = true;
    proxy.cut();
    await systemClock.sleep(random.next() * 500);
    proxy.down = false;
  },
  () => server.restart(),
];

async function disturb(ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await systemClock.sleep(200 + random.next() * 1_000);
    await pick(FAULTS)();
  }
}

/** Writers and faults for a while; afterwards nothing is odd any more. */
async function round(): Promise<void> {
  const ended = new AbortController();
  systemClock.timer(ROUND_MS.least + random.next() * ROUND_MS.spread, () => ended.abort());
  mangling = true;
  const writing = Array.from({ length: WRITERS }, (_, i) => write(i, ended.signal));
  await Promise.all([disturb(ended.signal), ...writing]);
  mangling = false;
}

/** What each cache has to hold now, by key. */
async function truth(): Promise<ReadonlyMap<string, ConfigMap>> {
  const all = new Map<string, ConfigMap>();
  for await (const map of listAll(createClient(server.transport).resource(ConfigMaps)))
    all.set(keyOf(map), map);
  return all;
}

const stateOf = (object: KubeObject): string => {
  const { managedFields: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
};

const held = (followed: Followed, all: ReadonlyMap<string, ConfigMap>): readonly ConfigMap[] =>
  [...all.values()].filter((map) => followed.holds?.(map) ?? true);

/** Does the cache have every object of the server's, at its revision, and no other; and have all handlers been told? */
function isThere(followed: Followed, all: ReadonlyMap<string, ConfigMap>): boolean {
  const { informer, factory, slow, quick } = followed;
  const expected = held(followed, all);
  return (
    informer.list().length === expected.length &&
    slow.view.size === quick.view.size &&
    factory.counters().every(({ backlog }) => backlog === 0) &&
    expected.every(
      (map) => informer.get(keyOf(map))?.metadata.resourceVersion === map.metadata.resourceVersion,
    )
  );
}

function check(followed: Followed, all: ReadonlyMap<string, ConfigMap>): void {
  const { name, informer, quick, slow, shows = (object: KubeObject) => object } = followed;
  const expected = held(followed, all);
  const differing = expected.filter(
    (map) => stateOf(informer.get(keyOf(map)) as KubeObject) !== stateOf(shows(map)),
  );
  expect(differing.map(keyOf), `${name}: objects`).toEqual([]);
  for (const tier of TIERS) {
    const keys = expected.filter(({ metadata }) => metadata.labels?.['tier'] === tier).map(keyOf);
    const indexed = informer.byIndex('tier', tier);
    expect(indexed.map(keyOf).toSorted(), `${name}: index`).toEqual(keys.toSorted());
    expect(indexed.every((object) => informer.get(keyOf(object)) === object)).toBe(true);
  }
  for (const witness of [quick, slow]) {
    expect(witness.faults, `${name}: handlers`).toEqual([]);
    const odd = [...witness.view].filter(([key, object]) => informer.get(key) !== object);
    expect(
      odd.map(([key]) => key),
      `${name}: handlers`,
    ).toEqual([]);
    expect(witness.view.size).toBe(expected.length);
  }
}

async function quiet(subjects: readonly Followed[]): Promise<void> {
  const all = await truth();
  const due = systemClock.monotonic() + QUIET_CEILING_MS;
  for (const followed of subjects) {
    while (!isThere(followed, all) && systemClock.monotonic() < due) await systemClock.sleep(50);
    check(followed, all);
  }
}

it(
  `caches of ${OBJECTS} objects are as the server is, whatever happened between (seed ${SEED})`,
  async () => {
    await fill();
    const subjects = Object.entries(SUBJECTS).map(([name, subject]) => follow(name, subject));
    const due = systemClock.monotonic() + DURATION_MS;
    let rounds = 0;
    // A slow host comes to few rounds, and what befalls them is chosen: as many as it takes for each to have lost its watch.
    const isSpared = ({ factory }: Followed) => !factory.counters()[0]?.counters.transitions.lost;
    while (systemClock.monotonic() < due || subjects.some(isSpared)) {
      await round();
      await quiet(subjects);
      rounds++;
    }
    for (const { name, factory, quick, slow } of subjects) {
      const [report] = factory.counters();
      const told = `${name}: told ${quick.told} changes, ${slow.told} slowly`;
      if (LONG) process.stdout.write(`${told}; ${JSON.stringify(report?.counters)}\n`);
      expect(report?.counters.transitions.lost, told).toBeGreaterThan(0);
      expect(slow.told, told).toBeLessThanOrEqual(quick.told);
    }
    if (LONG) process.stdout.write(`seed ${SEED}: ${rounds} rounds\n`);
  },
  DURATION_MS + 2 * QUIET_CEILING_MS,
);
