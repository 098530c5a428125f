// Faults put between a program and its server: each one befalls what it is to befall, and controllers of the framework get over it.
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Namespaces, Secrets } from '../../api/kinds.ts';
import { isAlreadyExists, isConflict, isExpired, type StatusError } from '../../api/status.ts';
import { seededRandom } from '../../base/random.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import {
  type Fault,
  type FaultRule,
  faults,
  startCluster,
  type TestCluster,
  withFaults,
} from '../../testing/index.ts';
import '../../testing/vitest.ts';

const clusters: TestCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function aCluster(): Promise<TestCluster> {
  const cluster = await startCluster({ clock: 'virtual', controllers: 'none', scheduler: false });
  clusters.push(cluster);
  return cluster;
}

const aConfigMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const at = (name: string) => ({ namespace: 'default', name });

/** Keeps a Secret with the same text for each ConfigMap: created where it is missing, else updated. */
const mirror = controllerFor(ConfigMaps)
  .named('mirror')
  .where(({ metadata }) => metadata.namespace === 'default')
  .reconcile(async ({ metadata, data }, { client, informers, key }) => {
    const stringData = { text: data?.['text'] ?? '' };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: at(metadata.name ?? '') };
    const there = informers.informer(Secrets).get(key);
    const secrets = client.resource(Secrets);
    if (there) await secrets.update({ ...there, stringData });
    else await secrets.create({ ...object, stringData });
  });

/** The builder asks for informers when it is run; this one is asked for before. */
const mirrorWithSecrets: typeof mirror = (context) => {
  context.informers.informer(Secrets);
  return mirror(context);
};

const textOf = (text: string) => ({ data: { text: Buffer.from(text).toString('base64') } });

/** Faults of each kind, at the moments at which they hurt most. */
const HURTING: readonly { readonly what: string; readonly rules: readonly FaultRule[] }[] = [
  { what: 'a create that is lost', rules: [{ fault: faults.loseRequest, verb: 'create', nth: 1 }] },
  {
    what: 'a create whose answer is lost',
    rules: [{ fault: faults.loseReply, verb: 'create', nth: 1 }],
  },
  { what: 'a create that comes late', rules: [{ fault: faults.delay(5_000), verb: 'create' }] },
  { what: 'a create that comes twice', rules: [{ fault: faults.duplicate, verb: 'create' }] },
  {
    what: 'updates that meet conflicts',
    rules: [{ fault: faults.conflict, verb: 'update', nth: [1, 2] }],
  },
  {
    what: 'writes that are put off',
    rules: [{ fault: faults.tooManyRequests(7), verb: ['create', 'update'], times: 12 }],
  },
  {
    what: 'a server with faults of its own',
    rules: [{ fault: faults.internalError, probability: 0.5, times: 20 }],
  },
  {
    what: 'a server that is not able to answer',
    rules: [{ fault: faults.unavailable, times: 20 }],
  },
  { what: 'lists that are lost', rules: [{ fault: faults.loseRequest, verb: 'list', times: 6 }] },
  { what: 'watches that expire', rules: [{ fault: faults.expired, verb: 'watch', nth: [1, 2] }] },
  { what: 'watches that break', rules: [{ fault: faults.cutStream(1), verb: 'watch', times: 4 }] },
  {
    what: 'watches that break in a line',
    rules: [{ fault: faults.truncatedLine(), verb: 'watch', times: 4 }],
  },
  {
    what: 'watches that are garbled',
    rules: [{ fault: faults.garbledLine(1), verb: 'watch', times: 4 }],
  },
  { what: 'watches that lag', rules: [{ fault: faults.delay(3_000), verb: 'watch' }] },
  {
    what: 'watches that say everything twice',
    rules: [{ fault: faults.duplicate, verb: 'watch' }],
  },
];

describe('a controller of the framework gets over', () => {
  it.each(HURTING)('$what', async ({ rules }) => {
    const cluster = await aCluster();
    const client = withFaults(cluster.client, rules);
    cluster.run([mirrorWithSecrets], { client });
    await cluster.apply(aConfigMap('one', { text: 'first' }));
    await expect(cluster.client).toEventually(Secrets, at('one'), textOf('first'));
    await cluster.client.resource(ConfigMaps).update(aConfigMap('one', { text: 'second' }));
    await expect(cluster.client).toEventually(Secrets, at('one'), textOf('second'));
    await cluster.client.resource(ConfigMaps).update(aConfigMap('one', { text: 'third' }));
    await expect(cluster.client).toEventually(Secrets, at('one'), textOf('third'));
    expect(client.injected.length).toBeGreaterThan(0);
    expect(client.injected.map(({ fault }) => fault)).toContainEqual(rules[0]?.fault);
  });
});

/** What a call comes to, with its time on the cluster's clock. */
async function outcomeOf(cluster: TestCluster, fault: Fault, verb: FaultRule['verb'] = 'create') {
  const client = withFaults(cluster.client, [{ fault, verb, nth: 1 }]);
  const began = cluster.clock.monotonic();
  let ms = 0;
  const call = client
    .resource(ConfigMaps)
    .create(aConfigMap('one'))
    .catch((error: unknown) => error)
    .finally(() => {
      ms = cluster.clock.monotonic() - began;
    });
  await cluster.advance(60_000);
  const there = await cluster.client.resource(ConfigMaps).list({ namespace: 'default' });
  return { outcome: await call, ms, isThere: there.items.length === 1 };
}

describe('a fault', () => {
  it('loses the request before, or the answer after the server has acted', async () => {
    const before = await outcomeOf(await aCluster(), faults.loseRequest);
    expect(before.outcome).toBeInstanceOf(ConnectionError);
    expect(before.isThere).toBe(false);
    const after = await outcomeOf(await aCluster(), faults.loseReply);
    expect(after.outcome).toBeInstanceOf(ConnectionError);
    expect(after.isThere).toBe(true);
  });

  it('delays by the cluster’s clock, and sends twice', async () => {
    const late = await outcomeOf(await aCluster(), faults.delay(5_000));
    expect(late).toMatchObject({ outcome: { kind: 'ConfigMap' }, ms: 5_000, isThere: true });
    const twice = await outcomeOf(await aCluster(), faults.duplicate);
    expect(isAlreadyExists(twice.outcome)).toBe(true);
    expect(twice.isThere).toBe(true);
  });

  it('refuses without having done anything; what says when to come back is tried again then', async () => {
    const refused = async (fault: Fault) => {
      const { outcome, isThere } = await outcomeOf(await aCluster(), fault);
      expect(isThere).toBe(false);
      return outcome as StatusError;
    };
    expect(isConflict(await refused(faults.conflict))).toBe(true);
    expect(isExpired(await refused(faults.expired))).toBe(true);
    expect((await refused(faults.internalError)).code).toBe(500);
    expect((await refused(faults.unavailable)).code).toBe(503);
    const putOff = await outcomeOf(await aCluster(), faults.tooManyRequests(9));
    expect(putOff).toMatchObject({ outcome: { kind: 'ConfigMap' }, ms: 9_000, isThere: true });
  });

  it('befalls what its rule names and nothing else, so often and no more', async () => {
    const { client: inner } = await aCluster();
    const rule: FaultRule = {
      fault: faults.conflict,
      ref: ConfigMaps,
      name: 'one',
      verb: 'update',
    };
    const client = withFaults(inner, [
      { ...rule, times: 2 },
      { ...rule, nth: 4 },
    ]);
    const configMaps = client.resource(ConfigMaps);
    await configMaps.create(aConfigMap('one'));
    await configMaps.create(aConfigMap('two'));
    await configMaps.update(aConfigMap('two'));
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++)
      await configMaps.update(aConfigMap('one')).then(
        () => outcomes.push('done'),
        () => outcomes.push('refused'),
      );
    expect(outcomes).toEqual(['refused', 'refused', 'done', 'refused', 'done']);
    expect(client.injected.map(({ target }) => target)).toEqual(
      Array.from({ length: 3 }, () => ({
        verb: 'update',
        group: '',
        resource: 'configmaps',
        subresource: '',
        namespace: 'default',
        name: 'one',
      })),
    );
  });

  it('that is likely strikes the same requests from the same seed', async () => {
    const { client } = await aCluster();
    const struck = async (seed: number) => {
      const rules = [{ fault: faults.conflict, verb: 'patch', probability: 0.3 }] as const;
      const faulty = withFaults(client, rules, { random: seededRandom(seed) });
      const outcomes: boolean[] = [];
      for (let i = 0; i < 50; i++) {
        const patch = { type: 'merge', body: { data: {} } } as const;
        const call = faulty.resource(ConfigMaps).patch(at('none'), patch);
        outcomes.push(isConflict(await call.catch((error: unknown) => error)));
      }
      return outcomes;
    };
    const first = await struck(5);
    expect(first).toContain(true);
    expect(first).toContain(false);
    expect(await struck(5)).toEqual(first);
    expect(await struck(6)).not.toEqual(first);
  });

  it('befalls every program of a cluster that is started with it', async () => {
    const who = new Set<string>();
    const cluster = await startCluster({
      clock: 'virtual',
      controllers: ['namespace-controller'],
      transport: (inner, name) => {
        who.add(name);
        return name === 'controllers' ? withFaults(inner, [{ fault: faults.loseRequest }]) : inner;
      },
    });
    clusters.push(cluster);
    const { client } = cluster;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'doomed' } };
    await cluster.apply(namespace);
    await client.resource(Namespaces).delete({ name: 'doomed' });
    await cluster.advance(600_000);
    expect((await client.resource(Namespaces).get({ name: 'doomed' })).status?.phase).toBe(
      'Terminating',
    );
    expect([...who].sort()).toEqual([
      'admin',
      'controllers',
      'fake-nodes',
      'scheduler',
      'system:node:node-1',
    ]);
  });
});
