// The controller framework against the real API server: what a controller's author relies on.
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import type { ConfigMap, Secret } from '../../api/generated/types.ts';
import { ConfigMaps, Events, Namespaces, Pods, Secrets, ServiceAccounts } from '../../api/kinds.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { reconcileWithFinalizer } from '../../controllers/framework/finalizers.ts';
import type { ControllerCounters } from '../../controllers/framework/loop.ts';
import type { ControllersOptions } from '../../controllers/framework/manager.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { ownerReferenceFor } from '../../controllers/framework/owner.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { done, requeueAfter, TerminalError } from '../../controllers/framework/reconciler.ts';
import { writeStatus } from '../../controllers/framework/status-writer.ts';
import { anApiServer } from '../support/client-server.ts';
import { intercepted } from '../support/intercepted-transport.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function aServer() {
  const server = await anApiServer();
  endings.push(() => server.close());
  const client = createClient(server.transport);
  return { client, configMaps: client.resource(ConfigMaps), secrets: client.resource(Secrets) };
}

/** Runs controllers until the test is over, or until `stop` is called. */
function run(
  factories: readonly ControllerFactory[],
  options: Pick<ControllersOptions, 'client'> & Partial<ControllersOptions>,
) {
  const stop = new AbortController();
  const running = runControllers(
    factories,
    { clock: systemClock, random: systemRandom, logger: silentLogger, ...options },
    stop.signal,
  );
  const end = async () => {
    stop.abort(new Error('the test is over'));
    await running;
  };
  endings.push(end);
  return { stop: end, running };
}

const aConfigMap = (name: string, data?: Record<string, string>): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  ...(data ? { data } : {}),
});

/** Keeps a Secret of the same name for each ConfigMap. */
const mirror = controllerFor(ConfigMaps)
  .named('mirror')
  .owns(Secrets)
  .where((object) => object.metadata.namespace === 'default' && object.data?.mirror === 'yes')
  .reconcile(async (object, { client, informers, events }) => {
    const { namespace, name } = object.metadata;
    const secrets = informers.informer(Secrets);
    if (secrets.get(`${namespace}/${name}`)) return;
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: name ?? '',
        namespace: namespace ?? '',
        ownerReferences: [ownerReferenceFor(object, ConfigMaps)],
      },
    };
    await client.resource(Secrets).create(secret);
    events.event(object, { type: 'Normal', reason: 'Mirrored', message: 'made a Secret' });
  });

describe('controllers', () => {
  it('act on what is there and what comes, and put back what they own', async () => {
    const { client, configMaps, secrets } = await aServer();
    await configMaps.create(aConfigMap('a', { mirror: 'yes' }));
    run([mirror], { client });
    await configMaps.create(aConfigMap('b', { mirror: 'yes' }));
    await configMaps.create(aConfigMap('c'));
    const names = async () =>
      (await secrets.list({ namespace: 'default' })).items.map(({ metadata }) => metadata.name);
    await until(async () => (await names()).length === 2);
    await secrets.delete({ namespace: 'default', name: 'a' });
    await until(async () => (await names()).length === 2);
    expect(await names()).toEqual(['a', 'b']);
    const told = client.resource(Events);
    await until(async () => (await told.list({ namespace: 'default' })).items.length >= 2);
    const [event] = (await told.list({ namespace: 'default' })).items;
    expect(event).toMatchObject({ reason: 'Mirrored', source: { component: 'mirror' } });
  });

  it('read their own writes and deletes while no watch tells of them', async () => {
    const { client, configMaps } = await aServer();
    const deaf = intercepted(client.transport, {
      seen: (object) => (object.kind === 'Secret' ? undefined : object),
    });
    const seen = Promise.withResolvers<readonly (string | undefined)[]>();
    const careful = controllerFor(ConfigMaps)
      .owns(Secrets)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile(async (_, { client: own, informers }) => {
        const secrets = informers.informer(Secrets);
        const ref = { name: 'own', namespace: 'default' };
        const shown = () => secrets.get('default/own')?.data?.['n'];
        const object = { apiVersion: 'v1', kind: 'Secret', metadata: ref };
        const steps = [shown()];
        const made = await own.resource(Secrets).create({ ...object, data: { n: 'MQ==' } });
        steps.push(shown());
        await own.resource(Secrets).update({ ...made, data: { n: 'Mg==' } });
        steps.push(shown());
        await own.resource(Secrets).delete(ref);
        steps.push(shown());
        seen.resolve(steps);
      });
    run([careful], { client: createClient(deaf) });
    await configMaps.create(aConfigMap('a'));
    expect(await seen.promise).toEqual([undefined, 'MQ==', 'Mg==', undefined]);
  });

  it('try a failed key again after growing waits, and the others meanwhile', async () => {
    const { client, configMaps } = await aServer();
    const attempts: number[] = [];
    const others: string[] = [];
    let counters: ControllerCounters | undefined;
    const flaky = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile((object) => {
        if (object.metadata.name !== 'bad') others.push(object.metadata.name ?? '');
        else if (attempts.push(performance.now()) < 5) throw new Error('not yet');
        return Promise.resolve();
      });
    run([flaky], {
      client,
      hooks: {
        counters: (_, all) => {
          counters = all;
        },
      },
    });
    await configMaps.create(aConfigMap('bad'));
    await configMaps.create(aConfigMap('good'));
    await until(() => attempts.length === 5 && others.includes('good'));
    // 5 + 10 + 20 + 40 ms between the five attempts.
    expect((attempts[4] ?? 0) - (attempts[0] ?? 0)).toBeGreaterThan(70);
    expect(counters).toMatchObject({ errors: 4, terminalErrors: 0, queue: { retries: 4 } });
  });

  it('do not try again what failed for good, until the object changes', async () => {
    const { client, configMaps } = await aServer();
    const seen: (string | undefined)[] = [];
    const stubborn = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile((object) => {
        if (object.metadata.name === 'other') return Promise.resolve(done);
        seen.push(object.data?.k);
        throw new TerminalError('no use');
      });
    run([stubborn], { client });
    const made = await configMaps.create(aConfigMap('a', { k: '1' }));
    await until(() => seen.length === 1);
    await configMaps.update({ ...made, data: { k: '2' } });
    await until(() => seen.length === 2);
    expect(seen).toEqual(['1', '2']);
  });

  it('let go of what cannot be made any more since its namespace ends', async () => {
    const { client, configMaps } = await aServer();
    const namespaces = client.resource(Namespaces);
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } });
    const held = { metadata: { namespace: 'going', name: 'held', finalizers: ['test.dev/held'] } };
    await configMaps.create({ ...aConfigMap('held'), ...held });
    await namespaces.delete({ name: 'going' });
    let turns = 0;
    let counters: ControllerCounters | undefined;
    const maker = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'going')
      .reconcile(async () => {
        turns++;
        const { metadata, ...more } = aConfigMap('made');
        await configMaps.create({ ...more, metadata: { ...metadata, namespace: 'going' } });
        return done;
      });
    run([maker], { client, hooks: { counters: (_name, counts) => (counters = counts) } });
    const labelled = { type: 'merge', body: { metadata: { labels: { a: 'b' } } } } as const;
    await until(() => turns === 1);
    await configMaps.patch({ namespace: 'going', name: 'held' }, labelled);
    await until(() => turns === 2);
    expect(counters).toMatchObject({ errors: 0, queue: { retries: 0 } });
  });

  it('try again what another namespace than the key’s own refuses while it ends', async () => {
    const { client, configMaps } = await aServer();
    const namespaces = client.resource(Namespaces);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } };
    await namespaces.create(namespace);
    const held = { metadata: { namespace: 'going', name: 'held', finalizers: ['test.dev/held'] } };
    await configMaps.create({ ...aConfigMap('held'), ...held });
    await namespaces.delete({ name: 'going' });
    const { metadata, ...made } = aConfigMap('made');
    let turns = 0;
    const maker = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile(async () => {
        turns++;
        await configMaps.create({ ...made, metadata: { ...metadata, namespace: 'going' } });
      });
    await configMaps.create(aConfigMap('asks'));
    run([maker], { client });
    await until(() => turns >= 3);
  });

  it('look again when they asked to, on the clock', async () => {
    const { client, configMaps } = await aServer();
    let turns = 0;
    const ticking = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile(() => Promise.resolve(++turns < 4 ? requeueAfter(5) : done));
    run([ticking], { client });
    await configMaps.create(aConfigMap('a'));
    await until(() => turns === 4);
  });

  it('wake for kinds they watch, for the keys of the old state and the new', async () => {
    const { client, configMaps, secrets } = await aServer();
    const woken: string[] = [];
    const follower = controllerFor(ConfigMaps)
      .where(() => false)
      .watches(Secrets, ({ metadata }) =>
        metadata.labels?.for ? [`default/${metadata.labels.for}`] : [],
      )
      .reconcile((object) => {
        woken.push(object.metadata.name ?? '');
        return Promise.resolve();
      });
    await configMaps.create(aConfigMap('a'));
    await configMaps.create(aConfigMap('b'));
    run([follower], { client });
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', namespace: 'default', labels: { for: 'a' } },
    };
    const made = await secrets.create(secret);
    await until(() => woken.length === 1);
    const labels = { for: 'b' };
    await secrets.update({ ...made, metadata: { ...made.metadata, labels } });
    await until(() => woken.length === 3);
    expect(woken.toSorted()).toEqual(['a', 'a', 'b']);
  });

  it('finish the reconcile they are at before they have stopped', async () => {
    const { client, configMaps } = await aServer();
    const steps: string[] = [];
    const slow = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile(async (_, { signal }) => {
        steps.push('begun');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        await new Promise<void>((resolve) => setImmediate(resolve));
        steps.push('ended');
      });
    const { stop } = run([slow], { client });
    await configMaps.create(aConfigMap('a'));
    await until(() => steps.length === 1);
    await stop();
    expect(steps).toEqual(['begun', 'ended']);
  });

  it('are all stopped when one cannot be made', async () => {
    const { client } = await aServer();
    const broken: ControllerFactory = () => {
      throw new Error('cannot be made');
    };
    const options = { client, clock: systemClock, random: systemRandom, logger: silentLogger };
    const never = new AbortController().signal;
    await expect(runControllers([mirror, broken], options, never)).rejects.toThrow(
      'cannot be made',
    );
  });

  it('clean up before an object goes, by a finalizer', async () => {
    const { client, configMaps } = await aServer();
    const outside = new Set<string>();
    const keeper = controllerFor(ConfigMaps)
      .where((object) => object.metadata.namespace === 'default')
      .reconcile((object, { resource }) =>
        reconcileWithFinalizer({ resource, finalizer: 'example.com/keeper' }, object, {
          apply: (live) => {
            outside.add(live.metadata.name ?? '');
            return Promise.resolve(done);
          },
          cleanup: (live) => {
            outside.delete(live.metadata.name ?? '');
            return Promise.resolve();
          },
        }),
      );
    run([keeper], { client });
    await configMaps.create(aConfigMap('a'));
    await until(() => outside.has('a'));
    const left = await configMaps.delete({ namespace: 'default', name: 'a' });
    expect(left.metadata.deletionTimestamp).toBeDefined();
    await until(async () => {
      const { items } = await configMaps.list({ namespace: 'default' });
      return !items.some(({ metadata }) => metadata.name === 'a');
    });
    expect(outside.size).toBe(0);
  });
});

describe('leadership', () => {
  it('lets one program act at a time, and another once the first has let go', async () => {
    const { client, configMaps } = await aServer();
    const acted: string[] = [];
    const program = (identity: string) => {
      const factory = controllerFor(ConfigMaps)
        .where((object) => object.metadata.namespace === 'default')
        .reconcile(() => {
          acted.push(identity);
          return Promise.resolve();
        });
      const leaderElection = { namespace: 'kube-system', name: 'test', identity };
      return run([factory], { client, leaderElection });
    };
    await configMaps.create(aConfigMap('a'));
    const first = program('first');
    await until(() => acted.length === 1);
    program('second');
    await configMaps.create(aConfigMap('b'));
    await until(() => acted.length === 2);
    await first.stop();
    await until(() => acted.includes('second'));
    expect(acted.slice(0, 2)).toEqual(['first', 'first']);
  });
});

describe('writeStatus', () => {
  it('writes nothing where nothing changes, and again where somebody wrote meanwhile', async () => {
    const { client } = await aServer();
    const pods = client.resource(Pods);
    await client.resource(ServiceAccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
    const made = await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    });
    const write = (from: typeof made, message: string) =>
      writeStatus({ resource: pods }, from, (pod) => ({ ...pod.status, message }));
    const first = await write(made, 'one');
    expect(first.status?.message).toBe('one');
    expect(await write(first, 'one')).toBe(first);
    await pods.patch(
      { namespace: 'default', name: 'p' },
      { type: 'merge', body: { metadata: { labels: { touched: 'yes' } } } },
    );
    const second = await write(first, 'two');
    expect([second.status?.message, second.metadata.labels]).toEqual(['two', { touched: 'yes' }]);
    await pods.delete({ namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 });
    await pods.create({ ...made, metadata: { name: 'p', namespace: 'default' } });
    await expect(write(second, 'three')).rejects.toMatchObject({ code: 409 });
  });
});
