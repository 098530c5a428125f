// /metrics as Prometheus reads it: upstream's names and labels, each moved by the right amount, and bounded.
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { countedAuthorize } from '../../apiserver/metrics/access-figures.ts';
import { healthFigures } from '../../apiserver/metrics/server-figures.ts';
import { systemClock } from '../../base/clock.ts';
import { Figures } from '../../base/figures.ts';
import { cpuMs } from '../support/cpu.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function aServer(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  endings.push(() => server.close());
  return server;
}

/** The figures whose line begins with `name` and has all of these labels, added up; undefined where there is none. */
async function figure(
  server: TestServer,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  const { text } = await server.call('GET', '/metrics');
  const found = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([k, v]) => line.includes(`${k}="${v}"`)));
  if (found.length === 0) return undefined;
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const aConfigMap = (name: string, size = 0) => ({
  metadata: { name },
  data: { text: 'x'.repeat(size) },
});
const ABOUT = { group: '', version: 'v1', resource: 'configmaps', component: 'apiserver' };

it('counts requests, their times and sizes by what they were about', async () => {
  const server = await aServer();
  const sizes = { ...ABOUT, verb: 'GET', scope: 'resource' };
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('a', 1200) });
  await server.call('POST', `${CONFIG_MAPS}?dryRun=All`, { body: aConfigMap('b') });
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('a') });
  for (let i = 0; i < 3; i++) await server.call('GET', `${CONFIG_MAPS}/a`);
  await server.call('GET', CONFIG_MAPS);
  await server.call('GET', '/api/v1/configmaps');
  const type = 'application/apply-patch+yaml';
  await server.call('PATCH', `${CONFIG_MAPS}/c?fieldManager=me`, {
    body: { apiVersion: 'v1', kind: 'ConfigMap', ...aConfigMap('c') },
    headers: { 'content-type': type },
  });
  const requests = (labels: object) =>
    figure(server, 'apiserver_request_total', { ...ABOUT, ...labels });
  expect(await requests({ verb: 'POST', code: '201', dry_run: '', scope: 'resource' })).toBe(1);
  expect(await requests({ verb: 'POST', code: '201', dry_run: 'All' })).toBe(1);
  expect(await requests({ verb: 'POST', code: '409' })).toBe(1);
  expect(await requests({ verb: 'GET', code: '200', subresource: '' })).toBe(3);
  expect(await requests({ verb: 'LIST', code: '200', scope: 'namespace' })).toBe(1);
  expect(await requests({ verb: 'LIST', code: '200', scope: 'cluster' })).toBe(1);
  expect(await requests({ verb: 'APPLY', code: '201' })).toBe(1);
  for (const name of [
    'apiserver_request_duration_seconds',
    'apiserver_request_sli_duration_seconds',
  ])
    for (const part of ['count', 'bucket'])
      expect(
        await figure(server, `${name}_${part}`, {
          ...ABOUT,
          verb: 'GET',
          dry_run: '',
          ...(part === 'bucket' && { le: '+Inf' }),
        }),
      ).toBe(3);
  expect(await figure(server, 'apiserver_response_sizes_bucket', { ...sizes, le: '1000' })).toBe(0);
  expect(await figure(server, 'apiserver_response_sizes_bucket', { ...sizes, le: '10000' })).toBe(
    3,
  );
});

it('counts open watches and what they are sent', async () => {
  const server = await aServer();
  const gone = new AbortController();
  const watch = await server.open(`${CONFIG_MAPS}?watch=1`, gone.signal);
  watch.on('error', () => undefined);
  const open = () => figure(server, 'apiserver_longrunning_requests', { ...ABOUT, verb: 'WATCH' });
  await until(async () => (await open()) === 1);
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('a', 2000) });
  await once(watch, 'data');
  const labels = { group: '', version: 'v1', resource: 'configmaps' };
  expect(await figure(server, 'apiserver_watch_events_total', labels)).toBe(1);
  const sizes = 'apiserver_watch_events_sizes_bucket';
  expect(await figure(server, sizes, { ...labels, le: '1024' })).toBe(0);
  expect(await figure(server, sizes, { ...labels, le: '4096' })).toBe(1);
  gone.abort();
  await until(async () => (await open()) === 0);
  expect(await figure(server, 'apiserver_request_total', { ...ABOUT, verb: 'WATCH' })).toBe(1);
});

it('counts what is stored when it is asked', async () => {
  const server = await aServer();
  const objects = () =>
    Promise.all([
      figure(server, 'apiserver_resource_objects', { group: '', resource: 'configmaps' }),
      figure(server, 'apiserver_storage_objects', { resource: 'configmaps' }),
    ]);
  const [before = 0] = await objects();
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('a') });
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('b') });
  expect(await objects()).toEqual([before + 2, before + 2]);
  await server.call('DELETE', `${CONFIG_MAPS}/a`);
  expect(await objects()).toEqual([before + 1, before + 1]);
});

it('counts lists by where they are made, and what they look at', async () => {
  const server = await aServer();
  for (const name of ['a', 'b', 'c'])
    await server.call('POST', CONFIG_MAPS, { body: aConfigMap(name) });
  const about = { group: '', resource: 'configmaps' };
  const counts = (from: string, whats: readonly string[]) =>
    Promise.all(whats.map((what) => figure(server, `apiserver_${from}_list_${what}total`, about)));
  const OF_CACHE = ['', 'fetched_objects_', 'returned_objects_'];
  const OF_STORAGE = [...OF_CACHE, 'evaluated_objects_'];
  expect(await counts('cache', OF_CACHE)).toEqual([undefined, undefined, undefined]);
  const { metadata } = (await server.call('GET', CONFIG_MAPS)).json() as {
    metadata: { resourceVersion: string };
  };
  await server.call(
    'GET',
    `${CONFIG_MAPS}?fieldSelector=metadata.namespace=default,metadata.name!=a`,
  );
  expect(await counts('cache', OF_CACHE)).toEqual([2, 6, 5]);
  expect(await counts('storage', OF_STORAGE)).toEqual([undefined, undefined, undefined, undefined]);
  await server.call('POST', CONFIG_MAPS, { body: aConfigMap('d') });
  const past = `resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`;
  await server.call('GET', `${CONFIG_MAPS}?${past}&fieldSelector=metadata.name!=a`);
  expect(await counts('storage', OF_STORAGE)).toEqual([1, 3, 2, 3]);
  expect(await counts('cache', OF_CACHE)).toEqual([2, 6, 5]);
});

it('tells how large storage is, and what came into memory from it', async () => {
  const server = await aServer();
  const size = () =>
    figure(server, 'apiserver_storage_size_bytes', { storage_cluster_id: 'etcd-0' });
  const before = (await size()) ?? Number.NaN;
  const about = { group: '', resource: 'configmaps' };
  const received = () => figure(server, 'apiserver_watch_cache_events_received_total', about);
  expect(await received()).toBeUndefined();
  const made = await server.call('POST', CONFIG_MAPS, { body: aConfigMap('a', 50_000) });
  await server.call('DELETE', `${CONFIG_MAPS}/a`);
  expect((await size()) ?? 0).toBeGreaterThan(before + 50_000);
  expect(await received()).toBe(2);
  const { metadata } = made.json() as { metadata: { resourceVersion: string } };
  expect(await figure(server, 'apiserver_watch_cache_resource_version', about)).toBe(
    Number(metadata.resourceVersion) + 1,
  );
});

it('counts who came in and who did not', async () => {
  const server = await aServer();
  const attempts = (result: string) => figure(server, 'authentication_attempts', { result });
  const [good = 0, bad = 0] = [await attempts('success'), await attempts('failure')];
  const headers = { authorization: 'Bearer wrong' };
  const refused = await server.call('GET', '/version', { headers, as: 'nobody' });
  expect(refused.status).toBe(401);
  expect(await attempts('failure')).toBe(bad + 1);
  // The two looks at the figures themselves, and this one.
  expect(await attempts('success')).toBe(good + 3);
  expect(await figure(server, 'authenticated_user_requests', { username: 'admin' })).toBe(good + 4);
});

it('has no label that a caller makes up', async () => {
  const server = await aServer();
  for (let i = 0; i < 20; i++) {
    await server.call('GET', `/apis/made-${i}.up/v1/things-${i}`);
    await server.call('GET', `/api/v1/namespaces/default/pods/x/part-${i}`);
    await server.call('GET', `/made/up-${i}?dryRun=${i}`);
  }
  const { text } = await server.call('GET', '/metrics');
  expect(text).not.toMatch(/made|things-|part-\d|up-\d|dry_run="\d/);
  expect(await figure(server, 'apiserver_request_total', { subresource: 'other' })).toBe(20);
  expect(await figure(server, 'apiserver_request_total', { code: '404' })).toBeGreaterThanOrEqual(
    40,
  );
});

it('tells of its version and its process, to those who may see', async () => {
  const server = await aServer();
  expect(await figure(server, 'kubernetes_build_info', { major: '1', minor: '36' })).toBe(1);
  expect(await figure(server, 'process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(await figure(server, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(await figure(server, 'process_start_time_seconds')).toBeGreaterThan(1_700_000_000);
  expect(await figure(server, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000);
  expect((await server.call('GET', '/metrics', { as: 'nobody' })).status).toBe(403);
});

it('counts how authorization ended and how long it took', async () => {
  const server = await aServer();
  const results = async () =>
    Promise.all(
      ['allowed', 'no-opinion'].map((result) =>
        figure(server, 'authorization_attempts_total', { result }),
      ),
    );
  const [allowed = 0, refused = 0] = await results();
  for (let i = 0; i < 3; i++) await server.call('GET', CONFIG_MAPS);
  for (let i = 0; i < 2; i++) await server.call('GET', CONFIG_MAPS, { as: 'nobody' });
  // The first look was counted after it, and the second is not through yet.
  expect(await results()).toEqual([allowed + 3 + 2, refused + 2]);
  const took = 'authorization_duration_seconds_count';
  expect(await figure(server, took, { result: 'no-opinion' })).toBe(refused + 2);
});

it('counts and times what storage is asked, by what it is about', async () => {
  const server = await aServer();
  const asked = (operation: string) =>
    figure(server, 'etcd_request_duration_seconds_count', { operation, resource: 'configmaps' });
  for (const name of ['a', 'b', 'c'])
    await server.call('POST', CONFIG_MAPS, { body: aConfigMap(name) });
  await server.call('PUT', `${CONFIG_MAPS}/a`, { body: aConfigMap('a', 7) });
  await server.call('DELETE', `${CONFIG_MAPS}/b`);
  await server.call('GET', `${CONFIG_MAPS}/a`);
  await server.call('POST', `${CONFIG_MAPS}?dryRun=All`, { body: aConfigMap('d') });
  expect([await asked('create'), await asked('update'), await asked('delete')]).toEqual([3, 1, 1]);
  const about = { operation: 'create', group: '', resource: 'configmaps' };
  expect(await figure(server, 'etcd_requests_total', about)).toBe(3);
  expect(await figure(server, 'etcd_request_errors_total', about)).toBe(0);
});

it('marks kinds whose use is warned of once they are asked for', async () => {
  const server = await aServer();
  const name = 'apiserver_requested_deprecated_apis';
  const about = { group: '', version: 'v1', resource: 'endpoints', subresource: '' };
  await server.call('GET', CONFIG_MAPS);
  expect(await figure(server, name, about)).toBeUndefined();
  const answer = await server.call('GET', '/api/v1/namespaces/default/endpoints');
  expect(answer.headers['warning']).toContain('deprecated');
  expect(await figure(server, name, about)).toBe(1);
  expect(await figure(server, name, { resource: 'configmaps' })).toBeUndefined();
});

it('shows health checks as they ended at /metrics/slis, to who may see it', async () => {
  const server = await aServer();
  const shown = async () => (await server.call('GET', '/metrics/slis')).text.split('\n');
  for (let i = 0; i < 3; i++) await server.call('GET', '/readyz');
  await server.call('GET', '/livez/ping');
  const lines = await shown();
  for (const line of [
    'kubernetes_healthchecks_total{name="etcd",type="readyz",status="success"} 3',
    'kubernetes_healthchecks_total{name="ping",type="livez",status="success"} 1',
    'kubernetes_healthcheck{name="etcd",type="readyz"} 1',
  ])
    expect(lines).toContain(line);
  expect((await server.call('GET', '/metrics/slis', { as: 'nobody' })).status).toBe(403);
});

it('shows a failed health check as 0', () => {
  const figures = new Figures();
  const told = healthFigures(figures);
  told('etcd', 'readyz', true);
  told('etcd', 'readyz', false);
  return figures.text().then((text) => {
    expect(text).toContain('kubernetes_healthcheck{name="etcd",type="readyz"} 0\n');
    expect(text).toContain('{name="etcd",type="readyz",status="error"} 1\n');
  });
});

it('measures the lag of the event loop when it is asked', async () => {
  const server = await aServer();
  const lag = await figure(server, 'nodejs_eventloop_lag_seconds');
  expect(lag).toBeGreaterThan(0);
  expect(lag).toBeLessThan(60);
});

it('costs less than a microsecond of CPU for each figure of a request', () => {
  const authorize = countedAuthorize(new Figures(), systemClock, () => undefined);
  const user = { username: 'eve', groups: [] };
  const info = { kind: 'path', verb: 'get', path: '/' } as const;
  const times = 200_000;
  const spent = (run: () => void) => {
    for (let i = 0; i < times / 10; i++) run();
    const many = () => {
      for (let i = 0; i < times; i++) run();
    };
    // The least of several: whoever else runs on the host takes caches away, and gives none.
    return (1000 * Math.min(cpuMs(many), cpuMs(many), cpuMs(many))) / times;
  };
  const both = spent(() => authorize(user, info));
  process.stdout.write(`authorization: ${both.toFixed(3)} µs for its two figures\n`);
  expect(both).toBeLessThan(2);
});
