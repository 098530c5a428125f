// Health as balancers, supervisors and people ask for it: upstream's paths, words and codes, and checks that really fail.
import { afterEach, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { CHECK_TIMEOUT_MS, createHealth } from '../../apiserver/health.ts';
import { type Storage, StorageError } from '../../apiserver/storage/storage.ts';
import { memoryStorageWith } from '../support/memory-storage-with.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** Parts of the start, as a server without others behind it has them. */
const STARTED =
  'generic-apiserver-start-informers start-apiextensions-controllers crd-informer-synced start-system-namespaces-controller ' +
  'rbac/bootstrap-roles scheduling/bootstrap-system-priority-classes priority-and-fairness-config-producer ' +
  'bootstrap-controller start-kubernetes-service-cidr-controller apiservice-registration-controller ' +
  'kube-apiserver-autoregistration';
const STARTED_LINES =
  STARTED.split(' ')
    .map((name) => `[+]poststarthook/${name} ok\n`)
    .join('') + '[+]autoregister-completion ok\n';

async function aServer(storage?: Storage): Promise<TestServer> {
  const server = await startTestServer(storage ? { storage } : {});
  endings.push(() => server.close());
  return server;
}

describe('Health', () => {
  it('is ok in one word, and check by check for who asks', async () => {
    const server = await aServer();
    const ready = await server.call('GET', '/readyz', { as: 'nobody' });
    expect([ready.status, ready.text]).toEqual([200, 'ok']);
    expect(ready.headers['x-content-type-options']).toBe('nosniff');
    const told = await server.call('GET', '/readyz?verbose', { as: 'nobody' });
    expect(told.text).toBe(
      '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]informer-sync ok\n' +
        `${STARTED_LINES}[+]shutdown ok\nreadyz check passed\n`,
    );
    const alive = await server.call('GET', '/livez?verbose');
    expect(alive.text).toBe(
      `[+]ping ok\n[+]log ok\n[+]etcd ok\n${STARTED_LINES}livez check passed\n`,
    );
  });

  it('answers single checks, and 404 where there is none', async () => {
    const server = await aServer();
    for (const path of [
      '/readyz/ping',
      '/livez/log',
      '/readyz/etcd-readiness',
      '/livez/etcd',
      '/healthz/etcd',
      '/readyz/shutdown',
      '/healthz/poststarthook/rbac/bootstrap-roles',
      '/livez/poststarthook/crd-informer-synced',
      '/readyz/autoregister-completion',
    ])
      expect(await server.call('GET', path)).toMatchObject({ status: 200, text: 'ok' });
    for (const path of [
      '/readyz/nope',
      '/livez/shutdown',
      '/livez/etcd-readiness',
      '/healthzz',
      '/readyz/poststarthook',
    ])
      expect((await server.call('GET', path)).status).toBe(404);
  });

  it('leaves checks out that are excluded, and tells of names that are none', async () => {
    const server = await aServer();
    const { text } = await server.call('GET', '/livez?verbose&exclude=etcd&exclude=nope');
    expect(text).toBe(
      `[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n${STARTED_LINES}` +
        'warn: some health checks cannot be excluded: no matches for "nope"\nlivez check passed\n',
    );
  });

  it('fails while storage does, without its reason, unless that is excluded', async () => {
    let broken = false;
    const storage = memoryStorageWith((real) => ({
      barrier: (signal) => {
        if (broken) throw new StorageError('Unavailable', 'the disk is on fire');
        return real.barrier(signal);
      },
    }));
    const server = await aServer(storage);
    broken = true;
    const failed = await server.call('GET', '/readyz');
    expect([failed.status, failed.text]).toEqual([
      500,
      '[+]ping ok\n[+]log ok\n[-]etcd failed: reason withheld\n' +
        '[-]etcd-readiness failed: reason withheld\n[-]informer-sync failed: reason withheld\n' +
        `${STARTED_LINES}[+]shutdown ok\nreadyz check failed\n`,
    ]);
    expect((await server.call('GET', '/livez/etcd')).status).toBe(500);
    expect((await server.call('GET', '/livez?exclude=etcd')).text).toBe('ok');
    broken = false;
    expect((await server.call('GET', '/readyz')).text).toBe('ok');
  });

  it('fails while its log cannot be written', async () => {
    let full = false;
    const logger: Logger = {
      ...silentLogger,
      debug: () => {
        if (full) throw new Error('no space left on device');
      },
    };
    const server = await startTestServer({ logger });
    endings.push(() => server.close());
    expect((await server.call('GET', '/livez/log')).text).toBe('ok');
    full = true;
    const { status, text } = await server.call('GET', '/livez');
    expect([status, text]).toEqual([
      500,
      `[+]ping ok\n[-]log failed: reason withheld\n[+]etcd ok\n${STARTED_LINES}livez check failed\n`,
    ]);
  });

  it('is not ready from the moment the server closes, and lives on', async () => {
    const server = await aServer();
    const ask = async (path: string) => {
      const query = new URLSearchParams();
      const { signal } = new AbortController();
      const request = { method: 'GET', path, query, headers: {}, signal } as const;
      const user = { username: 'admin', groups: ['system:masters'] };
      const reply = await server.server.handler(request, user);
      return reply.kind === 'body' ? Buffer.concat(reply.body).toString() : reply.kind;
    };
    const closing = server.server.close();
    const [ready, alive] = await Promise.all([ask('/readyz'), ask('/livez/ping')]);
    await closing;
    expect(ready).toContain('[-]shutdown failed: reason withheld\n');
    expect(alive).toBe('ok');
  });

  it('counts a check that hangs as failed after its limit', async () => {
    const clock = new VirtualClock();
    const hanging = { name: 'stuck', run: () => new Promise<boolean>(() => undefined) };
    const health = createHealth([hanging], { clock, logger: silentLogger });
    const asked = health({ path: '/livez', query: new URLSearchParams() });
    await clock.advance(CHECK_TIMEOUT_MS);
    expect(await asked).toMatchObject({ kind: 'body', status: 500 });
    expect(clock.pendingTimers).toBe(0);
  });
});
