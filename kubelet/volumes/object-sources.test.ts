// The objects that pods of a node use: who is told of what, what is not watched any more, and the end of the agent.
import { expect, it, onTestFinished } from 'vitest';
import { ConfigMaps, PersistentVolumeClaims } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { anApiServer } from '../../test/support/client-server.ts';
import { FaultyTransport } from '../../test/support/faulty-transport.ts';
import { until } from '../../test/support/until.ts';
import { ObjectSources } from './object-sources.ts';

it('are not read any more once the agent has ended, neither by name nor for a pod', async () => {
  const asked: string[] = [];
  const transport = {
    request({ path }) {
      asked.push(path);
      return new Promise(() => undefined);
    },
  } as Partial<Transport> as Transport;
  const clock = new VirtualClock();
  const sources = new ObjectSources({
    client: createClient(transport),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  });
  const reading = sources.secret('default', 'before');
  sources.close();
  await expect(reading).rejects.toThrow('the node agent ends');
  asked.length = 0;
  sources.use('pod', [{ kind: 'secret', namespace: 'default', name: 'after' }], () => undefined);
  await expect(sources.configMap('default', 'after')).rejects.toThrow('the node agent ends');
  await clock.settled();
  expect([asked, clock.pendingTimers]).toEqual([[], 0]);
});

async function onServer() {
  const server = await anApiServer();
  const transport = new FaultyTransport(() => server.transport);
  const client = createClient(transport);
  const random = seededRandom(1);
  const sources = new ObjectSources({ client, clock: systemClock, random, logger: silentLogger });
  onTestFinished(async () => {
    sources.close();
    await server.close();
  });
  return { client, sources, transport };
}

it('are not watched any more once they say that they never change, for whatever pod', async () => {
  const { client, sources, transport } = await onServer();
  const metadata = { namespace: 'default', name: 'fixed' };
  await client.resource(ConfigMaps).create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: { a: '1' },
    immutable: true,
  });
  const ref = { kind: 'configmap', ...metadata } as const;
  sources.use('pod', [ref], () => undefined);
  await until(() => transport.openWatches === 1);
  expect((await sources.configMap('default', 'fixed'))?.data).toEqual({ a: '1' });
  await until(() => transport.openWatches === 0);
  sources.use('other', [ref], () => undefined);
  expect((await sources.configMap('default', 'fixed'))?.data).toEqual({ a: '1' });
  expect(transport.watches).toHaveLength(1);
  // Another of the name, once nobody knows the first.
  await client.resource(ConfigMaps).delete(metadata);
  for (const uid of ['pod', 'other']) sources.release(uid);
  expect(await sources.configMap('default', 'fixed')).toBeUndefined();
});

it('are watched once they were read for a pod, until that is over, where only reading tells which they are', async () => {
  const { client, sources, transport } = await onServer();
  let told = 0;
  sources.use('pod', [], () => {
    told += 1;
  });
  const at = { namespace: 'default', name: 'data' };
  expect(await sources.claim(at, 'pod')).toBeUndefined();
  sources.use('pod', [], () => {
    told += 1;
  });
  await client.resource(PersistentVolumeClaims).create({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: at,
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  });
  await until(() => told > 0);
  expect((await sources.claim(at, 'pod'))?.metadata.name).toBe('data');
  sources.changed('pod');
  sources.release('pod');
  await until(() => transport.openWatches === 0);
  const before = told;
  sources.changed('pod');
  expect(told).toBe(before);
});
