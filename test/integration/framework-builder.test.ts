// What the builder's sentences mean: finalizers, indexes, resyncs, lanes, keys that cannot be.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { ConfigMap, Secret } from '../../api/generated/types.ts';
import { ConfigMaps, Namespaces, Secrets } from '../../api/kinds.ts';
import { keyOf } from '../../api/meta/object.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { type ControllersOptions, runControllers } from '../../controllers/framework/manager.ts';
import { generationChanged } from '../../controllers/framework/predicates.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { requeueAfter } from '../../controllers/framework/reconciler.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';
import { recordedLogger } from '../support/recorded-logger.ts';
import { until } from '../support/until.ts';

let server: ClientServer;
beforeEach(async () => {
  server = await anApiServer();
});
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  await server.close();
});

const inDefault = ({ metadata }: ConfigMap) => metadata.namespace === 'default';

function run(factory: ControllerFactory, options: Pick<ControllersOptions, 'namespaces'> = {}) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const { logger, lines } = recordedLogger();
  const client = createClient(server.transport);
  const started = Promise.withResolvers<void>();
  const hooks = { started: () => started.resolve() };
  const doors = { clock, random: seededRandom(1), logger };
  const ended = runControllers([factory], { client, ...doors, ...options, hooks }, stop.signal);
  endings.push(async () => {
    stop.abort(new Error('the test is over'));
    await ended;
  });
  return { clock, lines, started: started.promise };
}

const resources = () => {
  const client = createClient(server.transport);
  return { configs: client.resource(ConfigMaps), secrets: client.resource(Secrets) };
};
const config = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const secret = (name: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
});

describe('withFinalizer', () => {
  it('holds an object until its clean-up says done, however often that takes', async () => {
    const { configs } = resources();
    const steps: string[] = [];
    const keeper = controllerFor(ConfigMaps)
      .where(inDefault)
      .withFinalizer('example.com/keeper', () => {
        steps.push('clean up');
        return Promise.resolve(steps.length < 4 ? requeueAfter(1000) : undefined);
      })
      .reconcile(({ metadata }) => {
        steps.push(`with ${metadata.finalizers?.join()}`);
        return Promise.resolve();
      });
    const { clock } = run(keeper);
    await configs.create(config('a'));
    await until(() => steps.length > 0);
    expect(steps[0]).toBe('with example.com/keeper');
    steps.length = 1;
    await configs.delete({ namespace: 'default', name: 'a' });
    await until(() => steps.includes('clean up'));
    await configs.get({ namespace: 'default', name: 'a' });
    await until(async () => {
      await clock.advance(1000);
      return !(await configs.list({ namespace: 'default' })).items.some(inDefault);
    });
    expect(steps.filter((step) => step === 'clean up').length).toBeGreaterThan(1);
  });
});

describe('selecting', () => {
  const labelled = (name: string, labels: Record<string, string>) => ({
    ...config(name),
    metadata: { name, namespace: 'default', labels },
  });

  it('reads and reconciles the objects with the labels of every selector, as they come to have them', async () => {
    const { configs, secrets } = resources();
    const seen: string[] = [];
    const held = Promise.withResolvers<() => string[]>();
    const chosen = controllerFor(ConfigMaps)
      .selecting('app=shop')
      .selecting('tier in (a,b)')
      .watches(Secrets, () => ['default/all', 'default/some'])
      .reconcile(({ metadata }, { informer }) => {
        seen.push(metadata.name ?? '');
        held.resolve(() => informer.list().map(keyOf));
        return Promise.resolve();
      });
    await configs.create(labelled('some', { app: 'shop' }));
    await configs.create(labelled('all', { app: 'shop', tier: 'a' }));
    await run(chosen).started;
    const cached = await held.promise;
    expect(cached()).toEqual(['default/all']);
    await secrets.create(secret('wakes'));
    await until(() => seen.length > 1);
    const body = { metadata: { labels: { tier: 'b' } } };
    await configs.patch({ namespace: 'default', name: 'some' }, { type: 'merge', body });
    await until(() => seen.includes('some'));
    expect(seen.slice(0, seen.indexOf('some')).every((name) => name === 'all')).toBe(true);
    const leaves = { metadata: { labels: { app: 'other' } } };
    await configs.patch({ namespace: 'default', name: 'all' }, { type: 'merge', body: leaves });
    await until(() => cached().join() === 'default/some');
  });

  it('refuses what is no selector, when it is said', () => {
    expect(() => controllerFor(ConfigMaps).selecting('app=(')).toThrow(
      /^a controller of ConfigMap: \.selecting\("app=\("\): unable to parse/,
    );
  });
});

describe('namespaces', () => {
  it('keep what controllers read, as their own kind or beside it, where they name none themselves', async () => {
    const { configs, secrets } = resources();
    const there = { namespace: 'kube-system' };
    const seen: string[] = [];
    const keeper = controllerFor(ConfigMaps)
      .watches(Secrets, ({ metadata }) => [`default/${metadata.name}`])
      .reconcile((_, { key, informers, informer }) => {
        const all = [informer, informers.informer(Secrets), informers.informer(Namespaces)];
        const elsewhere = informers.informer(Secrets, there);
        seen.push([key, ...all.map((each) => each.list().length), elsewhere.list().length].join());
        return Promise.resolve();
      });
    await configs.create(config('a'));
    await configs.create({ ...config('b'), metadata: { name: 'b', ...there } });
    await secrets.create(secret('a'));
    await secrets.create({ ...secret('a'), metadata: { name: 'a', ...there } });
    const both: ControllerFactory = (context) => {
      context.informers.informer(Namespaces);
      context.informers.informer(Secrets, there);
      return keeper(context);
    };
    await run(both, { namespaces: ['default'] }).started;
    await until(() => seen.length > 0);
    await configs.create({ ...config('c'), metadata: { name: 'c', ...there } });
    await configs.create(config('d'));
    await until(() => seen.some((line) => line.startsWith('default/d')));
    expect(seen.filter((line) => line.startsWith('kube-system'))).toEqual([]);
    // The one secret of its namespace, all four namespaces, and the secret that it asked for by name.
    expect(seen[0]).toBe('default/a,1,1,4,1');
  });

  it('are refused where none is named, or one is no name', async () => {
    const idle = controllerFor(ConfigMaps).reconcile(() => Promise.resolve());
    for (const [namespaces, why] of [
      [[], 'namespaces must be a list of one namespace or more; leave it out for all of them'],
      [[''], 'namespaces: "" is no name of a namespace; leave namespaces out for all of them'],
    ] as const) {
      const client = createClient(server.transport);
      const { logger } = recordedLogger();
      const doors = { client, clock: new VirtualClock(), random: seededRandom(1), logger };
      const { signal } = new AbortController();
      await expect(runControllers([idle], { ...doors, namespaces }, signal)).rejects.toThrow(
        new TypeError(why),
      );
    }
  });
});

describe('watches', () => {
  it('maps by an index of the own kind', async () => {
    const { configs, secrets } = resources();
    const woken: string[] = [];
    const user = controllerFor(ConfigMaps)
      .where(() => false)
      .index('secret', ({ data }) => (data?.['uses'] ? [data['uses']] : []))
      .watches(Secrets, ({ metadata }, { informer }) =>
        informer.byIndex('secret', metadata.name ?? '').map(keyOf),
      )
      .reconcile((_, { key }) => {
        woken.push(key);
        return Promise.resolve();
      });
    await configs.create(config('a', { uses: 'one' }));
    await configs.create(config('b', { uses: 'two' }));
    await run(user).started;
    await secrets.create(secret('two'));
    await until(() => woken.length === 1);
    expect(woken).toEqual(['default/b']);
  });

  it('tells of a key that no object of the kind can have', async () => {
    const { secrets } = resources();
    const careless = controllerFor(ConfigMaps)
      .watches(Secrets, ({ metadata }) => [metadata.name ?? ''])
      .reconcile(() => Promise.resolve());
    const { lines } = run(careless);
    await secrets.create(secret('s'));
    await until(() => lines.some(({ fields }) => fields['object'] === 'default/s'));
    const line = lines.find(({ fields }) => fields['object'] === 'default/s');
    expect(String(line?.fields['err'])).toContain(
      'a key of a ConfigMap is NAMESPACE/NAME, not "s"',
    );
  });
});

describe('resync', () => {
  it('looks over everything again each period, past predicates about changes', async () => {
    const { configs } = resources();
    const seen: string[] = [];
    const patient = controllerFor(ConfigMaps)
      .where(inDefault)
      .where(generationChanged)
      .resync(60_000)
      .reconcile(({ metadata }) => {
        seen.push(metadata.name ?? '');
        return Promise.resolve();
      });
    await configs.create(config('a'));
    await configs.create(config('b'));
    const { clock } = run(patient);
    await until(() => seen.length === 2);
    await clock.advance(59_000);
    expect(seen).toEqual(['a', 'b']);
    await clock.advance(8_000);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
    await clock.advance(132_000);
    expect(seen).toHaveLength(8);
  });
});

describe('lanes', () => {
  it('let a change pass by what the first list brought', async () => {
    const { configs } = resources();
    for (let i = 0; i < 30; i++) await configs.create(config(`old-${i}`));
    const seen: string[] = [];
    const gate = Promise.withResolvers<void>();
    const slow = controllerFor(ConfigMaps)
      .where(inDefault)
      .reconcile(async ({ metadata }, { informer }) => {
        seen.push(metadata.name ?? '');
        if (seen.length > 1) return;
        await gate.promise;
        await until(() => informer.get('default/new') !== undefined);
      });
    run(slow);
    await until(() => seen.length === 1);
    await configs.create(config('new'));
    gate.resolve();
    await until(() => seen.length === 31);
    expect(seen.indexOf('new')).toBe(1);
  });
});

describe('watch and unwatch', () => {
  it('follow a kind that is found out about in a reconcile, once, until it is let go', async () => {
    const { configs, secrets } = resources();
    const seen: string[] = [];
    const follower = controllerFor(ConfigMaps)
      .where(inDefault)
      .reconcile(({ metadata, data }, { watch, unwatch }) => {
        const { name = '', namespace = '' } = metadata;
        const scope = { namespace };
        const map = (each: Secret) => (each.metadata.name === name ? [`${namespace}/${name}`] : []);
        seen.push(`${data?.['follow']} ${watch(Secrets, { map, scope }).list().length}`);
        if (data?.['follow'] === 'no') unwatch(Secrets, scope);
        return Promise.resolve();
      });
    const { started } = run(follower);
    await started;
    const made = await configs.create(config('a', { follow: 'yes' }));
    await until(() => seen.includes('yes 0'));
    await secrets.create(secret('a'));
    await until(() => seen.includes('yes 1'));
    await configs.update({ ...made, data: { follow: 'yet' } });
    await until(() => seen.includes('yet 1'));
    await secrets.delete({ namespace: 'default', name: 'a' });
    await until(() => seen.includes('yet 0'));
    expect(seen).toHaveLength(4);
    const at = { namespace: 'default', name: 'a' };
    const follow = (value: string) =>
      configs.patch(at, { type: 'merge', body: { data: { follow: value } } });
    await follow('no');
    await until(() => seen.includes('no 0'));
    // Nobody listens to this one. The next look takes it up anew, and that it wakes a second time shows that it listens.
    await secrets.create(secret('a'));
    await follow('again');
    await until(() => seen.includes('again 1'));
    expect(seen.filter((each) => each.startsWith('no'))).toEqual(['no 0']);
  });
});
