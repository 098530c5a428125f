// Parts of a server's start as health tells of them: each fails while its own writes are held up, and only that one does.
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { Scheme } from '../../api/scheme.ts';
import type { ServerParts } from '../../apiserver/exchange.ts';
import { bootstrap, BOOTSTRAP_PARTS } from '../../apiserver/registry/bootstrap.ts';
import { Registry } from '../../apiserver/registry/registry.ts';
import { StartUp } from '../../apiserver/start-up.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import { ObjectStore } from '../../apiserver/watch/object-store.ts';
import { memoryStorageWith } from '../support/memory-storage-with.ts';
import { startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Storage in memory that does `before` first at each write below `prefix`. */
function storageThat(prefix: string, before: () => Promise<void>): Storage {
  return memoryStorageWith((real) => ({
    commit: async (...all) => {
      if (all[0].startsWith(prefix)) await before();
      return real.commit(...all);
    },
  }));
}

/** Storage whose writes below `prefix` wait until they are let go. */
function heldStorage(prefix: string) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let held = 0;
  const storage = storageThat(prefix, () => {
    held += 1;
    return released;
  });
  return { storage, release, held: () => held };
}

const failing = (startUp: StartUp) =>
  startUp.checks.filter((check) => check.run() !== true).map(({ name }) => name);

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
/** A definition to come, of v1.shop.example.com. */
const CARTS = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'carts.shop.example.com' },
  spec: {
    group: 'shop.example.com',
    scope: 'Namespaced',
    names: { plural: 'carts', singular: 'cart', kind: 'Cart', listKind: 'CartList' },
    versions: [
      { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

describe('A start', () => {
  it.each([
    ['/registry/core/namespaces/', 'poststarthook/start-system-namespaces-controller'],
    ['/registry/rbac.authorization.k8s.io/clusterroles/', 'poststarthook/rbac/bootstrap-roles'],
    ['/registry/rbac.authorization.k8s.io/rolebindings/', 'poststarthook/rbac/bootstrap-roles'],
    ['/registry/scheduling.k8s.io/', 'poststarthook/scheduling/bootstrap-system-priority-classes'],
    ['/registry/core/services/', 'poststarthook/bootstrap-controller'],
    [
      '/registry/networking.k8s.io/servicecidrs/',
      'poststarthook/start-kubernetes-service-cidr-controller',
    ],
    [
      '/registry/flowcontrol.apiserver.k8s.io/flowschemas/',
      'poststarthook/priority-and-fairness-config-producer',
    ],
    [
      '/registry/apiregistration.k8s.io/apiservices/',
      'poststarthook/kube-apiserver-autoregistration',
    ],
  ])('whose writes to %s wait is not through with %s', async (prefix, part) => {
    const { storage, release, held } = heldStorage(prefix);
    const doors = { clock: new VirtualClock(), logger: silentLogger };
    const store = await ObjectStore.open(storage, doors);
    endings.push(async () => {
      await store.close();
      await storage.close();
    });
    const parts = {
      ...doors,
      random: systemRandom,
      store,
      registry: new Registry(store),
      scheme: new Scheme(),
    };
    const startUp = new StartUp();
    const options = { apiServiceIp: '10.96.0.1', serviceCidr: '10.96.0.0/16', extra: [], startUp };
    // Of a server it takes no more than these.
    const work = bootstrap(parts as unknown as ServerParts, options);
    const left = () => BOOTSTRAP_PARTS.filter((each) => failing(startUp).includes(each));
    await until(() => held() > 0 && left().length <= 1);
    expect(left()).toEqual([part]);
    release();
    await work;
    expect(left()).toEqual([]);
  });

  it('goes on until each kind is registered, those of definitions too', async () => {
    const name = 'v1.shop.example.com';
    const { storage, release, held } = heldStorage(
      `/registry/apiregistration.k8s.io/apiservices/${name}`,
    );
    endings.push(() => storage.close());
    const server = await startTestServer({ storage });
    endings.push(() => server.close());
    expect((await server.call('POST', DEFINITIONS, { body: CARTS })).status).toBe(201);
    await until(() => held() === 1);
    // As if the first had died here: its definition is stored, and was never registered.
    const next = await startTestServer({ storage });
    endings.push(() => next.close());
    await until(() => held() === 2);
    const early = await next.call('GET', '/readyz');
    expect(early.status).toBe(500);
    expect(early.text.match(/^\[-\].*$/gm)).toEqual([
      '[-]autoregister-completion failed: reason withheld',
    ]);
    expect((await next.call('GET', '/livez/autoregister-completion')).status).toBe(500);
    release();
    await until(async () => (await next.call('GET', '/readyz')).text === 'ok');
    const registered = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    expect((await next.call('GET', registered)).status).toBe(200);
  });

  it('registers a kind on a later try where storage refused it once', async () => {
    const name = 'v1.shop.example.com';
    let refused = 0;
    const storage = storageThat(
      `/registry/apiregistration.k8s.io/apiservices/${name}`,
      async () => {
        refused += 1;
        if (refused === 1) throw new Error('the disk is full');
      },
    );
    endings.push(() => storage.close());
    const server = await startTestServer({ storage });
    endings.push(() => server.close());
    expect((await server.call('POST', DEFINITIONS, { body: CARTS })).status).toBe(201);
    const registered = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    await until(async () => (await server.call('GET', registered)).status === 200);
    expect(refused).toBe(2);
  });
});
