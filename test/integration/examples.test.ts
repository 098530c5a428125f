// The examples of the documentation do what they say, against a whole server.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mirror } from '../../examples/01-own-controller/main.ts';
import { book, Bookings } from '../../examples/03-kind-from-typescript/main.ts';
import { ConfigMaps } from '../../api/kinds.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { runControllers } from '../../controllers/framework/index.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';

let ending: AbortController;
let server: ClientServer | undefined;
beforeEach(() => {
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort(new Error('the test is over'));
  await server?.close();
});

describe('examples/01-own-controller', () => {
  it('mirrors a labelled ConfigMap into the namespace that its label names, and keeps it in step', async () => {
    server = await anApiServer();
    const client = createClient(server.transport);
    const configs = client.resource(ConfigMaps);
    const running = runControllers(
      [mirror],
      { client, clock: systemClock, random: systemRandom, logger: silentLogger },
      ending.signal,
    );
    const copies = configs.watch({ namespace: 'kube-public' })[Symbol.asyncIterator]();
    const next = async () => (await copies.next()).value?.at(-1)?.object;
    const made = await configs.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'greeting', namespace: 'default', labels: { 'mirror-to': 'kube-public' } },
      data: { text: 'hello' },
    });
    expect((await next())?.data).toEqual({ text: 'hello' });
    await configs.update({ ...made, data: { more: 'good evening' } });
    expect((await next())?.data).toEqual({ more: 'good evening' });
    ending.abort(new Error('the test is over'));
    await running;
  });

  it('leaves a ConfigMap of that name alone that is no copy', async () => {
    server = await anApiServer();
    const client = createClient(server.transport);
    const configs = client.resource(ConfigMaps);
    const config = (namespace: string, name: string, more: object) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, ...more },
      data: { from: namespace },
    });
    await configs.create(config('kube-public', 'a', {}));
    const labels = { 'mirror-to': 'kube-public' };
    for (const name of ['a', 'b']) await configs.create(config('default', name, { labels }));
    const copies = configs.watch({ namespace: 'kube-public' })[Symbol.asyncIterator]();
    const running = runControllers(
      [mirror],
      { client, clock: systemClock, random: systemRandom, logger: silentLogger },
      ending.signal,
    );
    // One worker takes the keys in order: once the second has its copy, the first has been looked at.
    const seen = new Set<string | undefined>();
    while (!seen.has('b'))
      for (const { object } of (await copies.next()).value ?? []) seen.add(object.metadata.name);
    const kept = await configs.get({ namespace: 'kube-public', name: 'a' });
    expect(kept.data).toEqual({ from: 'kube-public' });
    ending.abort(new Error('the test is over'));
    await running;
  });
});

describe('examples/03-kind-from-typescript', () => {
  const spec = { room: 'attic', from: '2026-03-01T09:00:00Z', until: '2026-03-01T10:00:00Z' };
  const metadata = { name: 'monday', namespace: 'default' };

  it('books a room, and is refused what breaks a rule, in the words of the kind itself', async () => {
    server = await anApiServer();
    const client = createClient(server.transport);
    const { booking, refusal } = await book(client);
    expect(booking.spec).toEqual({ ...spec, seats: 4, guests: [] });
    expect(refusal).toContain('spec: Invalid value: ends before it begins');
    const moved = { ...booking, spec: { ...booking.spec, room: 'hall' } };
    await expect(client.resource(Bookings).update(moved)).rejects.toThrow('stays in its room');
    // Run once more, it finds what it did.
    expect((await book(client)).booking.metadata.uid).toBe(booking.metadata.uid);
  });

  it('is tested without a cluster', () => {
    const broken = (more: object) =>
      Bookings.validate({ metadata, spec: { ...spec, ...more } }).map(({ message }) => message);
    expect(broken({})).toEqual([]);
    expect(broken({ guests: ['a', 'b'], seats: 1 })).toEqual([
      'Invalid value: more guests than seats',
    ]);
  });
});
