// Read your own writes: whatever a program writes, and however late its watch is, its cache never shows it an older state.
// The server is real; the watch is held back between the two, and let through bit by bit.
import { fc } from '../support/properties.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { InformerScope } from '../../client/informer/informer.ts';
import { createInformerFactory } from '../../client/informer/informer-factory.ts';
import { observingClient } from '../../client/informer/observing-client.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { type ClientServer, anApiServer } from '../support/client-server.ts';
import { type Interception, intercepted } from '../support/intercepted-transport.ts';
import { until } from '../support/until.ts';

let server: ClientServer;
beforeAll(async () => {
  server = await anApiServer();
});
afterAll(() => server.close());

/** A transport whose watches pass only as many events as they are let. */
class HeldWatch {
  #allowed = 0;
  #open = false;
  #waiting: (() => void)[] = [];
  readonly transport: Transport;

  constructor(inner: Transport) {
    const pass = () => this.#pass();
    this.transport = {
      request: (request) => inner.request(request),
      async *watch(request) {
        for await (const batch of inner.watch(request))
          for (const event of batch) {
            await pass();
            yield [event];
          }
      },
      stream: (request) => inner.stream(request),
      close: () => undefined,
    };
  }

  /** One more event may pass. */
  let(count: number): void {
    this.#allowed += count;
    this.#wake();
  }

  /** All may pass from now on. */
  open(): void {
    this.#open = true;
    this.#wake();
  }

  async #pass(): Promise<void> {
    while (!this.#open && this.#allowed === 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (!this.#open) this.#allowed--;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const namespace = 'default';
const NAMES = ['a', 'b', 'c'];
const doors = { clock: systemClock, random: systemRandom, logger: silentLogger };

/** A program with a cache of ConfigMaps behind a held watch, and somebody else with none. */
async function aProgram(scope: InformerScope = {}, interception: Interception = {}) {
  const others = createClient(server.transport);
  await others.resource(ConfigMaps).deleteCollection({ namespace });
  const held = new HeldWatch(intercepted(server.transport, interception));
  const direct = createClient(held.transport, { fieldManager: 'test' });
  const informers = createInformerFactory({ client: direct, ...doors });
  const stop = new AbortController();
  const informer = informers.informer(ConfigMaps, { namespace, ...scope });
  informers.start(stop.signal);
  await informer.synced();
  const close = async () => {
    stop.abort(new Error('the test is over'));
    held.open();
    await informers.finished();
  };
  return { held, informer, client: observingClient(direct, informers), others, close };
}

const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** What happens at a step: a write of the program's, one of somebody else's, or some events come in. */
type Step = {
  readonly what:
    | 'create'
    | 'update'
    | 'patch'
    | 'apply'
    | 'delete'
    | 'finalize'
    | 'other'
    | 'otherDelete'
    | 'dry'
    | 'events';
  readonly name: string;
};
const aStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    'create',
    'create',
    'update',
    'patch',
    'apply',
    'delete',
    'delete',
    'finalize',
    'other',
    'otherDelete',
    'dry',
    'events',
    'events',
  ),
  name: fc.constantFrom(...NAMES),
});

let written = 0;
async function take(
  client: Client,
  others: Client,
  { what, name }: Step,
): Promise<ConfigMap | 'gone' | undefined> {
  const configs = client.resource(ConfigMaps);
  const ref = { namespace, name };
  const data = { n: String(++written) };
  const merge = (body: object) => ({ type: 'merge' as const, body });
  switch (what) {
    case 'create':
      return configs.create(configMap(name, data));
    case 'update':
      return configs.update({ ...(await configs.get(ref)), data });
    case 'patch':
      return configs.patch(ref, merge({ data }));
    case 'apply':
      return configs.apply({ metadata: ref, data }, { force: true });
    case 'finalize':
      return configs.patch(ref, merge({ metadata: { finalizers: ['example.com/f'] } }));
    case 'delete': {
      const answer = await configs.delete(ref);
      return answer.kind === 'Status' ? 'gone' : (answer as ConfigMap);
    }
    case 'dry':
      await configs.delete(ref, { dryRun: true });
      await configs.patch(ref, merge({ data }), { dryRun: true });
      return undefined;
    case 'other':
      await others.resource(ConfigMaps).patch(ref, merge({ data, metadata: { finalizers: null } }));
      return undefined;
    case 'otherDelete':
      await others.resource(ConfigMaps).delete(ref);
      return undefined;
    case 'events':
      return undefined;
  }
}

const revision = (object: ConfigMap | undefined) => Number(object?.metadata.resourceVersion ?? 0);

/** Plays the steps; after each, the cache is held against everything that this program has written. */
async function play(steps: readonly Step[]): Promise<void> {
  const { held, informer, client, others, close } = await aProgram();
  const newest = new Map<string, number>();
  const gone = new Set<string>();
  try {
    for (const step of steps) {
      const before = await others
        .resource(ConfigMaps)
        .get({ namespace, name: step.name })
        .catch(() => undefined);
      if (step.what === 'events') {
        held.let(2);
        await Promise.resolve();
      }
      const outcome = await take(client, others, step).catch(() => undefined);
      if (outcome === 'gone') gone.add(before?.metadata.uid ?? '');
      else if (outcome) newest.set(outcome.metadata.uid ?? '', revision(outcome));
      for (const name of NAMES) {
        const seen = informer.get(`${namespace}/${name}`);
        const uid = seen?.metadata.uid ?? '';
        expect(gone).not.toContain(uid);
        if (seen) expect(revision(seen)).toBeGreaterThanOrEqual(newest.get(uid) ?? 0);
      }
      if (outcome && outcome !== 'gone')
        expect(informer.get(`${namespace}/${step.name}`)).toMatchObject({
          data: outcome.data ?? {},
        });
    }
    held.open();
    const { items } = await others.resource(ConfigMaps).list({ namespace });
    const states = (all: readonly ConfigMap[]) =>
      all
        .map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`)
        .sort()
        .join();
    await until(() => states(informer.list(namespace)) === states(items));
  } finally {
    await others
      .resource(ConfigMaps)
      .list({ namespace })
      .then(({ items }) =>
        Promise.all(
          items.map(({ metadata: { name = '' } }) =>
            others
              .resource(ConfigMaps)
              .patch(
                { namespace, name },
                { type: 'merge', body: { metadata: { finalizers: null } } },
              )
              .catch(() => undefined),
          ),
        ),
      );
    await close();
  }
}

describe('a client beside informers', () => {
  it('never lets its cache show an older state than its own writes made', async () => {
    await fc.assert(fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 25 }), play), {
      numRuns: 60,
    });
  });

  it('shows a made, changed and deleted object at once, with the watch wholly silent', async () => {
    const { informer, client, close } = await aProgram();
    const configs = client.resource(ConfigMaps);
    const key = `${namespace}/own`;
    const told: string[] = [];
    informer.subscribe({
      onAdd: ({ data }) => told.push(`+${data?.['n']}`),
      onUpdate: ({ data }) => told.push(`~${data?.['n']}`),
      onDelete: ({ data }) => told.push(`-${data?.['n']}`),
    });
    const made = await configs.create(configMap('own', { n: '1' }));
    expect(informer.get(key)?.metadata.uid).toBe(made.metadata.uid);
    await configs.update({ ...made, data: { n: '2' } });
    expect(informer.get(key)?.data).toEqual({ n: '2' });
    await configs.delete({ namespace, name: 'own' });
    expect(informer.get(key)).toBeUndefined();
    const again = await configs.create(configMap('own', { n: '3' }));
    expect(informer.get(key)?.metadata.uid).toBe(again.metadata.uid);
    expect(told).toEqual(['+1', '~2', '-2', '+3']);
    await close();
  });

  it('takes an object that a delete answers for gone, unless something holds it still', async () => {
    // As upstream's servers answer for pods and services: with the object, whatever became of it.
    const form: { last: KubeObject | undefined } = { last: undefined };
    const { informer, client, close } = await aProgram(
      {},
      {
        async request(request, send) {
          const reply = await send();
          const { last } = form;
          if (request.method !== 'DELETE' || reply.object().kind !== 'Status' || !last)
            return reply;
          return { ...reply, object: () => last as LooseObject };
        },
      },
    );
    const configs = client.resource(ConfigMaps);
    const ended = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 };
    for (const more of [{}, ended]) {
      const made = await configs.create(configMap('own'));
      form.last = { ...made, metadata: { ...made.metadata, ...more } };
      expect((await configs.delete({ namespace, name: 'own' })).kind).toBe('ConfigMap');
      expect(informer.list()).toEqual([]);
    }
    const finalizers = ['example.com/held'];
    await configs.create({ ...configMap('own'), metadata: { name: 'own', namespace, finalizers } });
    await configs.delete({ namespace, name: 'own' });
    expect(informer.get(`${namespace}/own`)?.metadata).toMatchObject({ finalizers });
    const released = { type: 'merge', body: { metadata: { finalizers: null } } } as const;
    await configs.patch({ namespace, name: 'own' }, released);
    await close();
  });

  it('knows by itself what comes into the labels that it is to hold, and what leaves them', async () => {
    const { held, informer, client, others, close } = await aProgram({
      labelSelector: 'app in (a)',
    });
    const configs = client.resource(ConfigMaps);
    const key = `${namespace}/own`;
    const labelled = (app: string) => ({
      ...configMap('own'),
      metadata: { name: 'own', namespace, labels: { app } },
    });
    const told: string[] = [];
    informer.subscribe({
      onAdd: ({ metadata }) => told.push(`+${metadata.labels?.['app']}`),
      onDelete: ({ metadata }) => told.push(`-${metadata.labels?.['app']}`),
    });
    await configs.create({ ...configMap('other'), metadata: { name: 'other', namespace } });
    expect(informer.list()).toEqual([]);
    await configs.create(labelled('a'));
    expect(informer.get(key)?.metadata.labels).toEqual({ app: 'a' });
    await others
      .resource(ConfigMaps)
      .patch({ namespace, name: 'own' }, { type: 'merge', body: { data: { n: 'others' } } });
    await configs.update(labelled('b'));
    expect(informer.get(key)).toBeUndefined();
    // What the others wrote while it was within the labels comes late, and is over.
    held.let(2);
    await configs.get({ namespace, name: 'own' });
    expect(informer.get(key)).toBeUndefined();
    held.open();
    await configs.update(labelled('a'));
    expect(informer.get(key)?.metadata.labels).toEqual({ app: 'a' });
    await others.resource(ConfigMaps).delete({ namespace, name: 'own' });
    await until(() => informer.get(key) === undefined);
    expect(told).toEqual(['+a', '-b', '+a', '-a']);
    await close();
  });

  it('knows by itself the name that it is to hold', async () => {
    const named = await aProgram({ fieldSelector: 'metadata.name=own' });
    const configs = named.client.resource(ConfigMaps);
    await configs.create(configMap('other'));
    const made = await configs.create(configMap('own', { n: '1' }));
    expect(named.informer.list().map(({ metadata }) => metadata.uid)).toEqual([made.metadata.uid]);
    await configs.delete({ namespace, name: 'own' });
    expect(named.informer.list()).toEqual([]);
    await named.close();
  });

  it('waits for the server to say whether other fields are within', async () => {
    const held = new HeldWatch(server.transport);
    const direct = createClient(held.transport);
    const informers = createInformerFactory({ client: direct, ...doors });
    const stop = new AbortController();
    const fieldSelector = 'metadata.name=own,type=example.com/a';
    const informer = informers.informer(Secrets, { namespace, fieldSelector });
    informers.start(stop.signal);
    await informer.synced();
    const secrets = observingClient(direct, informers).resource(Secrets);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'own', namespace } };
    await secrets.create({ ...secret, type: 'example.com/b' });
    expect(informer.list()).toEqual([]);
    await secrets.delete({ namespace, name: 'own' });
    const { metadata } = await secrets.create({ ...secret, type: 'example.com/a' });
    held.open();
    await until(() => informer.get(`${namespace}/own`)?.metadata.uid === metadata.uid);
    await secrets.delete({ namespace, name: 'own' });
    expect(informer.list()).toEqual([]);
    stop.abort(new Error('the test is over'));
    await informers.finished();
  });

  it('takes no answer of another kind, nor of another kind of objects, for the object', async () => {
    const { informer, client, close } = await aProgram();
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'own', namespace } };
    await client.resource(Secrets).create(secret);
    expect(informer.list()).toEqual([]);
    await client.resource(Secrets).delete({ namespace, name: 'own' });
    await close();
  });
});
