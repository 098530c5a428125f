// Controllers that misbehave: each is told what to do instead, and the others go on.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Figures } from '../../base/figures.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Secrets } from '../../api/kinds.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { KEY_BACKOFF } from '../../client/workqueue/rate-limited.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { HOT_TURNS } from '../../controllers/framework/hot-keys.ts';
import { STOP_GRACE_MS } from '../../controllers/framework/loop.ts';
import type { ControllerCounters } from '../../controllers/framework/loop.ts';
import { runControllers } from '../../controllers/framework/manager.ts';
import { SLOW_RECONCILE_MS } from '../../controllers/framework/overseer.ts';
import { ReconcileFigures } from '../../controllers/framework/reconcile-figures.ts';
import type { ControllerFactory } from '../../controllers/framework/reconciler.ts';
import { requeueAfter, source, TerminalError } from '../../controllers/framework/reconciler.ts';
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
/** A well-behaved neighbour, and what it did. */
function aNeighbour() {
  const seen: string[] = [];
  const factory = controllerFor(ConfigMaps)
    .named('neighbour')
    .where(inDefault)
    .reconcile(({ metadata }) => {
      seen.push(metadata.name ?? '');
      return Promise.resolve();
    });
  return { seen, factory };
}

function run(...factories: readonly ControllerFactory[]) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const figures = new Figures();
  const counters = new Map<string, ControllerCounters>();
  const { logger, lines } = recordedLogger();
  const hooks = {
    counters: (name: string, all: ControllerCounters) => void counters.set(name, all),
    reconciles: new ReconcileFigures(figures),
  };
  const client = createClient(server.transport);
  const doors = { clock, random: seededRandom(1), logger };
  const ended = runControllers(factories, { client, ...doors, hooks }, stop.signal);
  const end = () => stop.abort(new Error('the test is over'));
  endings.push(async () => {
    end();
    const over = ended.catch(() => undefined);
    await clock.advance(STOP_GRACE_MS);
    await over;
  });
  const shows = async (line: string) => (await figures.text()).split('\n').includes(line);
  const told = (message: RegExp) => lines.filter((line) => message.test(line.message));
  return { client, clock, counters, lines, told, shows, ended, end };
}

const configs = () => createClient(server.transport).resource(ConfigMaps);
const make = (name: string, data: Record<string, string> = {}) =>
  configs().create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data,
  });

describe('a reconcile that does not end', () => {
  const stuck = controllerFor(ConfigMaps)
    .named('stuck')
    .where(inDefault)
    .reconcile(() => new Promise(() => undefined));

  it('is told of after a minute and then more seldom, while the others go on', async () => {
    const neighbour = aNeighbour();
    const { clock, told } = run(stuck, neighbour.factory);
    await make('a');
    await until(() => neighbour.seen.length === 1);
    await clock.advance(SLOW_RECONCILE_MS - 1);
    expect(told(/does not end/)).toEqual([]);
    await clock.advance(1);
    await clock.advance(3 * SLOW_RECONCILE_MS);
    expect(told(/does not end/).map(({ fields }) => fields)).toMatchObject([
      { controller: 'stuck', key: 'default/a', runningMs: 60_000 },
      { runningMs: 120_000, fix: expect.stringContaining('timeoutMs') as string },
      { runningMs: 240_000 },
    ]);
    await make('b');
    await until(() => neighbour.seen.includes('b'));
  });

  it('holds up the stop for so long, and is then named', async () => {
    const { clock, counters, ended, end } = run(stuck);
    await make('a');
    await until(() => counters.get('stuck')?.reconciles === 1);
    end();
    const failure = ended.catch((error: unknown) => error);
    await clock.advance(STOP_GRACE_MS - 1);
    await clock.advance(1);
    expect(String(await failure)).toMatch(/stuck: .*within 30000 ms: default\/a; give .*signal/);
  });

  it('is aborted when its time is up, counted, and tried again', async () => {
    const patient = controllerFor(ConfigMaps)
      .named('patient')
      .where(inDefault)
      .timeout(5_000)
      .reconcile(
        (_, { signal }) =>
          new Promise((__, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      );
    const { clock, counters, shows, told } = run(patient);
    await make('a');
    await until(() => counters.get('patient')?.reconciles === 1);
    await clock.advance(5_000);
    await until(() => counters.get('patient')?.timeouts === 1);
    await clock.advance(KEY_BACKOFF.initialMs);
    expect(counters.get('patient')).toMatchObject({ reconciles: 2, errors: 1 });
    expect(told(/trying again/)[0]?.fields['err']).toMatchObject({ name: 'ReconcileTimeout' });
    expect(await shows('controller_runtime_reconcile_timeouts_total{controller="patient"} 1')).toBe(
      true,
    );
    expect(await shows('controller_runtime_active_workers{controller="patient"} 1')).toBe(true);
  });
});

describe('a reconcile that answers or throws what it should not', () => {
  it('fails, is told the fix, and comes again; the others go on', async () => {
    const neighbour = aNeighbour();
    const answers: unknown[] = [{ requeue: true }, 5];
    const wrong = controllerFor(ConfigMaps)
      .named('wrong')
      .where(inDefault)
      .reconcile(() => Promise.resolve(answers.shift() as undefined));
    const odd = controllerFor(ConfigMaps)
      .named('odd')
      .where(inDefault)
      .reconcile(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- programs without types do
        throw 'a text';
      });
    const { clock, counters, told, shows } = run(wrong, odd, neighbour.factory);
    await make('a');
    await until(() => counters.get('wrong')?.errors === 1 && neighbour.seen.length === 1);
    await clock.advance(100);
    const [first] = told(/trying again/).filter(({ fields }) => fields['controller'] === 'wrong');
    expect(String(first?.fields['err'])).toMatch(/requeue.*throw to be asked again/);
    expect(first?.fields).toMatchObject({ key: 'default/a', retryInMs: 5 });
    expect(first?.fields['resourceVersion']).toMatch(/^\d+$/);
    const [text] = told(/trying again/).filter(({ fields }) => fields['controller'] === 'odd');
    expect(String(text?.fields['err'])).toBe('Error: thrown: a text');
    expect(counters.get('wrong')).toMatchObject({ reconciles: 3, errors: 2 });
    const total = (result: string) =>
      `controller_runtime_reconcile_total{controller="wrong",result="${result}"}`;
    expect(await shows(`${total('error')} 2`)).toBe(true);
    expect(await shows(`${total('success')} 1`)).toBe(true);
    expect(await shows('controller_runtime_reconcile_errors_total{controller="wrong"} 2')).toBe(
      true,
    );
  });

  it('is not tried again where it said so, which is counted', async () => {
    const final = controllerFor(ConfigMaps)
      .named('final')
      .where(inDefault)
      .reconcile(() => {
        throw new TerminalError('no use');
      });
    const { clock, counters, shows } = run(final);
    await make('a');
    await until(() => counters.get('final')?.terminalErrors === 1);
    await clock.advance(10_000_000);
    expect(counters.get('final')).toMatchObject({ reconciles: 1 });
    expect(
      await shows('controller_runtime_terminal_reconcile_errors_total{controller="final"} 1'),
    ).toBe(true);
  });
});

describe('a key that keeps itself busy', () => {
  it('by asking to come again at once, is told so and lets others have their turn', async () => {
    const neighbour = aNeighbour();
    let turns = 0;
    const eager = controllerFor(ConfigMaps)
      .named('eager')
      .where(inDefault)
      .reconcile(() => {
        turns++;
        return Promise.resolve(requeueAfter(0));
      });
    const { clock, told, shows } = run(eager, neighbour.factory);
    await make('a');
    await until(() => neighbour.seen.length === 1 && turns > 0);
    await clock.advance(HOT_TURNS + 10);
    expect(told(/keeps itself busy: it asks to come again at once/)).toHaveLength(1);
    expect(await shows('pinnace_controller_hot_keys_total{controller="eager"} 1')).toBe(true);
  });

  it('by a write that wakes it, is told the field', async () => {
    let count = 0;
    const restless = controllerFor(ConfigMaps)
      .named('restless')
      .where(inDefault)
      .reconcile(async (object, { resource }) => {
        if (count < HOT_TURNS + 5)
          await resource.update({ ...object, data: { count: String(++count) } });
      });
    const { told } = run(restless);
    await make('a');
    await until(() => told(/own write/).length === 1);
    expect(told(/own write/)[0]?.fields).toMatchObject({
      controller: 'restless',
      key: 'default/a',
      turns: HOT_TURNS,
      fields: ['data.count'],
    });
  });
});

describe('a source whose own functions throw', () => {
  it('counts the change where the predicate threw, loses only that change where the map did, and tells both', async () => {
    const woken: string[] = [];
    const careless: ControllerFactory = () => ({
      name: 'careless',
      sources: [
        source<ConfigMap>({
          ref: ConfigMaps,
          predicate: ({ data }) => data!['a']!.length > 0,
        }),
        source({
          ref: Secrets,
          keys({ metadata }) {
            if (metadata.name === 'bare') return 'default/bare' as never;
            if (metadata.name === 'bad') throw new Error('cannot tell');
            return [`default/for-${metadata.name}`];
          },
        }),
      ],
      reconcile(key) {
        woken.push(key);
        return Promise.resolve(undefined as never);
      },
    });
    const { client, counters, told, shows } = run(careless);
    await make('a');
    await until(() => woken.includes('default/a'));
    for (const name of ['bad', 'bare', 'good'])
      await client.resource(Secrets).create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: 'default' },
      });
    await until(() => woken.includes('default/for-good'));
    const lost = told(/a map function threw/).map(({ fields }) => fields);
    expect(lost).toMatchObject([
      { controller: 'careless', resource: 'secrets', object: 'default/bad' },
      { object: 'default/bare' },
    ]);
    expect(String(lost[1]?.['err'])).toContain(
      'answers a list of keys (NAMESPACE/NAME, or NAME), not "default/bare"',
    );
    const unread = counters.get('careless')?.unreadChanges ?? 0;
    expect(told(/a predicate threw; the change counts/).length).toBe(unread - 2);
    expect(
      await shows(`pinnace_controller_unread_changes_total{controller="careless"} ${unread}`),
    ).toBe(true);
  });
});
