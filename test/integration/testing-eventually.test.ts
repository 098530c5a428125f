// Waiting for what a cluster comes to: by watches, on both kinds of clock, with failures that tell what is missing.
import { afterEach, describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Deployments, Namespaces, Pods } from '../../api/kinds.ts';
import { ClientEventRecorder } from '../../client/events/recorder.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { requeueAfter } from '../../controllers/framework/reconciler.ts';
import {
  eventually,
  EventuallyError,
  eventuallyGone,
  eventuallyList,
  startCluster,
  type TestCluster,
} from '../../testing/index.ts';
import '../../testing/vitest.ts';
import { aDeployment } from '../support/controlled-cluster.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';

const clusters: TestCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.close();
});

async function aCluster(...options: Parameters<typeof startCluster>): Promise<TestCluster> {
  const cluster = await startCluster(...options);
  clusters.push(cluster);
  return cluster;
}

const aConfigMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});

/** What a wait that has to fail is rejected with. */
async function failureOf(wait: Promise<unknown>): Promise<EventuallyError> {
  const outcome = await wait.then(
    () => 'it came about',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(EventuallyError);
  return outcome as EventuallyError;
}

/** Too short for anything to come of it. On a virtual clock, so that what there is has been read by then, however slow the host. */
const BRIEFLY = { timeoutMs: 50 };
/** A server and nothing beside it, whose time passes only where somebody waits. */
const QUIET = { clock: 'virtual', controllers: 'none', scheduler: false } as const;

/** Counts each ConfigMap's turns, one each ten seconds, in its data. */
const counting = controllerFor(ConfigMaps)
  .named('counting')
  .where(({ metadata }) => metadata.namespace === 'default')
  .reconcile(async (object, { resource, clock }) => {
    const due = Date.parse(object.metadata.creationTimestamp ?? '') + 10_000;
    if (clock.now() < due) return requeueAfter(due - clock.now());
    await resource.update({ ...object, data: { turns: '1' } });
    return undefined;
  });

describe('eventually', () => {
  it('answers the object once it has what is wanted, be it there before or come later', async () => {
    const { client } = await aCluster();
    const early = eventually(client, Deployments, { name: 'web' }, { spec: { replicas: 2 } });
    await client.resource(Deployments).create(aDeployment('web', { replicas: 2 }));
    expect((await early).metadata.name).toBe('web');
    const judged = eventually(client, Deployments, { name: 'web' }, ({ status }) => {
      expect(status?.observedGeneration).toBe(1);
    });
    expect((await judged).kind).toBe('Deployment');
    const listed = await eventuallyList(client, Pods, { labelSelector: 'app=web' }, 2);
    expect(listed.map(({ kind }) => kind)).toEqual(['Pod', 'Pod']);
    await eventuallyList(client, Pods, { namespace: 'default' }, [
      { metadata: { labels: { app: 'web' } } },
    ]);
    await client.resource(Deployments).delete({ namespace: 'default', name: 'web' });
    await eventuallyGone(client, Deployments, { name: 'web' });
  });

  it('moves virtual time on, and no further than is needed', async () => {
    const cluster = await aCluster({ clock: 'virtual', controllers: 'none', scheduler: false });
    cluster.run([counting]);
    const began = cluster.clock.now();
    await cluster.apply(aConfigMap('one'));
    await eventually(cluster.client, ConfigMaps, { name: 'one' }, { data: { turns: '1' } });
    expect(cluster.clock.now() - began).toBe(10_000);
    const wait = eventually(cluster.client, ConfigMaps, { name: 'one' }, { data: { turns: '2' } });
    const { message } = await failureOf(wait);
    expect(message).toContain('within 600000 ms of virtual time');
    expect(cluster.clock.now() - began).toBe(610_000);
  });

  it('goes on over watches that break, and tells what stood in the way of one that saw nothing', async () => {
    const { client } = await aCluster({ controllers: 'none', scheduler: false });
    const faulty = new FaultyTransport(() => client.transport);
    const behind = createClient(faulty);
    const wait = eventually(behind, ConfigMaps, { name: 'one' }, { data: { a: '1' } });
    const seen = eventually(client, ConfigMaps, { name: 'one' }, {});
    await client.resource(ConfigMaps).create(aConfigMap('one'));
    await seen;
    faulty.breakWatches(new Error('cut'));
    await client.resource(ConfigMaps).update(aConfigMap('one', { a: '1' }));
    expect((await wait).data).toEqual({ a: '1' });
    faulty.down = new Error('no way there');
    const { message } = await failureOf(
      eventually(behind, ConfigMaps, { name: 'one' }, {}, { timeoutMs: 500 }),
    );
    expect(message).toContain('did not become what is wanted within 500 ms:');
    expect(message).toContain('nothing could be read');
    expect(message).toContain('On the way to the server: no way there');
  });

  it('does not count the time for which the process stood still', async () => {
    const { client } = await aCluster({ controllers: 'none', scheduler: false });
    const wait = eventually(client, ConfigMaps, { name: 'one' }, {}, { timeoutMs: 1_000 });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await client.resource(ConfigMaps).create(aConfigMap('one'));
    expect((await wait).metadata.name).toBe('one');
  });

  it('ends with the signal’s reason', async () => {
    const { client } = await aCluster({ controllers: 'none', scheduler: false });
    const stop = new AbortController();
    const wait = eventually(client, ConfigMaps, { name: 'none' }, {}, { signal: stop.signal });
    stop.abort(new Error('no longer wanted'));
    await expect(wait).rejects.toThrow('no longer wanted');
  });

  it('takes an expectation without braces around it', async () => {
    const { client } = await aCluster(QUIET);
    const named = (name: string) => (object: { metadata: object }) =>
      expect(object.metadata).toMatchObject({ name });
    await eventually(client, Namespaces, { name: 'default' }, named('default'));
    const wait = eventually(client, Namespaces, { name: 'default' }, named('other'), BRIEFLY);
    await expect(wait).rejects.toThrow("to match object { name: 'other' }");
  });

  it('refuses a function whose answer means nothing', async () => {
    const { client } = await aCluster({ controllers: 'none', scheduler: false });
    const careless = (async () => true) as unknown as () => boolean;
    const wait = eventually(client, Namespaces, { name: 'default' }, careless);
    await expect(wait).rejects.toThrow('has to answer true, false or nothing, at once');
    const circle: object[] = [];
    circle.push(circle);
    const odd = (() => circle) as unknown as () => boolean;
    const second = eventually(client, Namespaces, { name: 'default' }, odd);
    await expect(second).rejects.toThrow('but answered what cannot be shown as JSON');
  });
});

describe('a failure', () => {
  it('shows what is missing, the events and the object, without managedFields', async () => {
    const { client, clock, random, logger } = await aCluster(QUIET);
    const made = await client.resource(ConfigMaps).create(aConfigMap('one', { a: '1' }));
    const doors = { client, clock, random, logger };
    const recorder = new ClientEventRecorder({ ...doors, component: 'the-teller' });
    const stop = new AbortController();
    const sent = recorder.run(stop.signal);
    recorder.event(made, { type: 'Warning', reason: 'NotSoWell', message: 'it lacks a b' });
    stop.abort(new Error('told'));
    await sent;
    const wanted = { data: { a: '1', b: '2' } };
    const error = await failureOf(eventually(client, ConfigMaps, { name: 'one' }, wanted, BRIEFLY));
    const lines = error.message.split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'ConfigMap default/one did not become what is wanted within 50 ms of virtual time:',
      '  data.b: wanted "2", but it is nothing',
    ]);
    expect(error.message).toMatch(
      /\nEvents:\n {2}\S+ Warning NotSoWell, the-teller: it lacks a b\n/,
    );
    expect(error.message).toMatch(/\nAs it was last:\n {2}apiVersion: v1\n {2}kind: ConfigMap\n/);
    expect(error.message).toContain('\n  data:\n    a: "1"');
    expect(error.message).not.toContain('managedFields');
    expect(error.lastSeen).toMatchObject([{ metadata: { name: 'one' } }]);
  });

  it('tells an object that is not there, one that stays, and a list’s nearest item', async () => {
    const { client } = await aCluster(QUIET);
    const missing = eventually(client, Namespaces, { name: 'no' }, {}, BRIEFLY);
    expect((await failureOf(missing)).message).toBe(
      'Namespace no did not become what is wanted within 50 ms of virtual time:\n  it is not there',
    );
    const finalizers = ['boats.example/moored'];
    const held = aConfigMap('held');
    await client
      .resource(ConfigMaps)
      .create({ ...held, metadata: { ...held.metadata, finalizers } });
    const gone = () => eventuallyGone(client, ConfigMaps, { name: 'held' }, BRIEFLY);
    expect((await failureOf(gone())).message).toContain('nobody has deleted it');
    await client.resource(ConfigMaps).delete({ namespace: 'default', name: 'held' });
    expect((await failureOf(gone())).message).toMatch(
      /it is being deleted since \S+; its finalizers are boats\.example\/moored/,
    );
    const lists = { namespace: 'default' };
    const two = await failureOf(eventuallyList(client, ConfigMaps, lists, 2, BRIEFLY));
    expect(two.message).toContain('wanted 2, but there are 1');
    const like = [{ metadata: { name: 'held' }, data: { a: '1' } }];
    const near = await failureOf(eventuallyList(client, ConfigMaps, lists, like, BRIEFLY));
    expect(near.message).toContain(
      'none of 1 is like {"metadata":{"name":"held"},"data":{"a":"1"}}',
    );
    expect(near.message).toContain('the nearest, default/held:\n    data: wanted {"a":"1"}');
  });

  it('tells what the test’s own expectation said last', async () => {
    const { client } = await aCluster(QUIET);
    const wait = eventually(
      client,
      Namespaces,
      { name: 'default' },
      ({ metadata }) => expect(metadata.labels).toHaveProperty('color'),
      BRIEFLY,
    );
    expect((await failureOf(wait)).message).toContain('"color"');
  });
});

describe('the matchers', () => {
  it('wait, and fail with what the wait tells', async () => {
    const { client } = await aCluster(QUIET);
    const name = 'default';
    await expect(client).toEventually(Namespaces, { name }, { status: { phase: 'Active' } });
    await expect(client).toEventuallyList(Namespaces, {}, [{ metadata: { name } }]);
    await expect(client).toEventuallyBeGone(ConfigMaps, { name: 'never-was' });
    await expect(
      expect(client).toEventually(Namespaces, { name }, { status: { phase: 'Gone' } }, BRIEFLY),
    ).rejects.toThrow('status.phase: wanted "Gone", but it is "Active"');
  });

  it('refuse what has no end, and what is no client', async () => {
    const { client } = await aCluster({ controllers: 'none', scheduler: false });
    await expect(
      expect(client).not.toEventually(Namespaces, { name: 'default' }, {}),
    ).rejects.toThrow('toEventuallyBeGone');
    await expect(expect({}).toEventually(Namespaces, { name: 'default' }, {})).rejects.toThrow(
      'has to be given a client',
    );
  });
});
