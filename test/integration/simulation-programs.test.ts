// Programs in a simulation: those that do what cannot be repeated, or never come to rest, are told so; those that lead do so one by one.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Leases, Secrets } from '../../api/kinds.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { requeueAfter } from '../../controllers/framework/reconciler.ts';
import {
  explore,
  type Program,
  replay,
  type ScenarioOptions,
  simulate,
} from '../../testing/simulation/index.ts';
import { at, child, copies, parent } from '../support/copies-scenario.ts';

/** A program of one controller over the parent. */
const over = (reconcile: (seen: { count: number }) => unknown): Program => ({
  controllers: () => {
    const seen = { count: 0 };
    return [
      controllerFor(ConfigMaps)
        .named('odd-one')
        .where(({ metadata }) => metadata.name === at.name)
        .reconcile(async () => {
          seen.count++;
          await reconcile(seen);
        }),
    ];
  },
});

const holds = { 'nothing is asked for': () => true };

/** What the first failing run of a program found. */
async function findingOf(odd: Program, more: Partial<ScenarioOptions> = {}) {
  const options = { programs: { odd }, eventually: holds, faults: { most: 0 }, ...more };
  const { failures } = await explore(copies(options), { runs: 60 });
  return failures[0];
}

describe('a program that does what no simulation can repeat', () => {
  it.each([
    ['Date.now', () => Date.now()],
    ['new Date', () => new Date()],
    ['Math.random', () => Math.random()],
    ['setTimeout', () => new Promise((resolve) => setTimeout(resolve, 1))],
    ['setImmediate', () => new Promise((resolve) => setImmediate(resolve))],
    ['fetch', () => fetch('http://127.0.0.1:1/').catch(() => undefined)],
  ])('by %s is told so, with what to take instead and where it does', async (what, use) => {
    const failure = await findingOf(over(use));
    expect(failure?.finding.kind).toBe('program');
    expect(failure?.finding.invariant).toMatch(
      `used ${what}, with which no run can be repeated; take`,
    );
    expect(failure?.story).toContain('simulation-programs.test.ts');
  });

  it('by a rejection that nobody hears is told so, as it would end with it', async () => {
    const careless = over(() => {
      void Promise.reject(new Error('nobody listens'));
    });
    const failure = await findingOf(careless);
    expect(failure?.finding).toMatchObject({
      kind: 'program',
      invariant: 'the program odd left a rejected promise unheard, which ends a process',
      detail: expect.stringContaining('nobody listens'),
    });
    expect(process.listenerCount('unhandledRejection')).toBeGreaterThan(0);
  });

  it('by what it sends is told where in the message two runs part', async () => {
    let runs = 0;
    const leaky = over(() => undefined);
    const sends: Program = {
      run: async ({ client }, signal) => {
        const data = { run: String(runs++) };
        await client.resource(ConfigMaps).create({ ...parent, data });
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const story = async () => undefined;
    const failure = await findingOf(leaky, { programs: { sends }, story });
    expect(failure?.finding.kind).toBe('repeat');
    expect(failure?.finding.detail).toMatch(/At 0 ms, sends → POST .*configmaps:\n/);
    expect(failure?.finding.detail).toMatch(/Once: .*"run":"\d+".*\nThen: .*"run":"\d+"/);
  });

  it('by state outside of its processes is told where two runs part', async () => {
    let runs = 0;
    const leaky: Program = {
      run: async ({ client }, signal) => {
        runs++;
        const name = `run-${runs}`;
        await client
          .resource(ConfigMaps)
          .delete({ namespace: 'default', name })
          .catch(() => 0);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    };
    const failure = await findingOf(leaky);
    expect(failure?.finding.kind).toBe('repeat');
    expect(failure?.finding.detail).toMatch(/Once: \+0 ms odd .*\nThen: \+0 ms odd /);
    expect(failure?.finding.detail).toContain('state kept outside of the process');
  });
});

describe('a run that does not end by itself', () => {
  const endless: Program = {
    controllers: () => [
      controllerFor(ConfigMaps)
        .named('eager')
        .reconcile(async () => requeueAfter(0)),
    ],
  };
  const quarrel: Program = over(() => undefined);

  it('because a controller comes back at once is ended as a hot loop', async () => {
    const failure = await findingOf(endless);
    expect(failure?.finding).toMatchObject({ kind: 'hot loop' });
    expect(failure?.finding.detail).toBe(
      'odd: eager reconciled default/parent 1000 times within a second of virtual time',
    );
  });

  it('because a program asks again and again is ended as a hot loop', async () => {
    const failure = await findingOf({
      run: async ({ client }) => {
        for (;;) await client.resource(ConfigMaps).list();
      },
    });
    expect(failure?.finding.detail).toBe(
      'odd asked GET /api/v1/configmaps 1000 times within a second of virtual time',
    );
  });

  it('is ended at its limit of messages, of virtual time and of the host’s time', async () => {
    const asks: Program = {
      run: async ({ client, clock }) => {
        for (;;) {
          await client.resource(ConfigMaps).list();
          await clock.sleep(100);
        }
      },
    };
    const never = { eventually: { 'the moon is blue': () => false }, within: 10_000_000 };
    const limited = async (limits: NonNullable<ScenarioOptions['limits']>) =>
      (await findingOf(asks, { ...never, limits }))?.finding;
    const found = (detail: string) => ({ kind: 'limit', detail });
    expect(await limited({ messages: 50 })).toMatchObject(found('50 messages were not enough'));
    expect(await limited({ virtualMs: 20_000 })).toMatchObject(
      found('20000 ms of virtual time were not enough'),
    );
    // How far a run comes in that time is not the same twice, and nobody's fault.
    for (const realMs of [0, 100])
      expect(await limited({ realMs })).toMatchObject(
        found('the time that the host gives a run were not enough'),
      );
  });

  it('because its program ended, its story failed or its story waits for nothing, says so', async () => {
    const ends: Program = { run: () => Promise.reject(new Error('no configuration')) };
    expect((await findingOf(ends))?.finding).toMatchObject({
      kind: 'program',
      invariant: 'the program odd ended by itself: no configuration',
    });
    const story = (tell: ScenarioOptions['story']) =>
      findingOf(quarrel, { story: tell }).then((failure) => failure?.finding);
    expect(await story(({ client }) => client.resource(ConfigMaps).delete(at))).toMatchObject({
      kind: 'story',
      detail: expect.stringContaining('not found'),
    });
    expect(await story(({ until }) => until(() => false, { withinMs: 5000 }))).toMatchObject({
      kind: 'story',
      detail: 'what the story waited for did not come within 5000 ms',
    });
    expect(await story(async ({ crash }) => crash('nobody'))).toMatchObject({
      kind: 'story',
      detail: 'the scenario has no program nobody; it has odd',
    });
  });

  it('because what had to come to hold comes and goes, says so', async () => {
    const flickers = { 'it is there': ({ now }: { now: number }) => now % 4000 < 2000 };
    const ticks: Program = {
      run: async ({ clock }) => {
        for (;;) await clock.sleep(1000);
      },
    };
    const failure = await findingOf(ticks, { eventually: flickers, within: 10_000 });
    expect(failure?.finding.kind).toBe('eventually');
  });
});

/** Works only while it leads: notes in the parent who did. */
const leads: Program = {
  replicas: 2,
  leaderElection: true,
  controllers: ({ name }) => [
    controllerFor(ConfigMaps)
      .named('leader')
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async ({ data = {} }, { resource }) => {
        if (data['by'] !== undefined) return;
        await resource.patch(at, { type: 'merge', body: { data: { by: name } } });
      }),
  ],
};

describe('the programs of a scenario', () => {
  it('are told once their run is over, so that they let go of what they hold, and not before', async () => {
    const signals: AbortSignal[] = [];
    const waits: Program = {
      run: (_, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    };
    const ends = copies({
      programs: { waits },
      faults: { most: 0 },
      eventually: { 'it goes on': () => signals.every(({ aborted }) => !aborted) },
    });
    await replay(ends, { seed: 1 });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('run in several processes, of which one leads, and another once that one is killed', async () => {
    const led = copies({
      programs: { leads },
      faults: { most: 0 },
      story: async ({ client, crash, start, until }) => {
        const configs = client.resource(ConfigMaps);
        await configs.create(parent);
        await until((state) => state.get(ConfigMaps, at)?.data?.['by'] !== undefined);
        crash('leads');
        await configs.patch(at, { type: 'merge', body: { data: { by: null } } });
        start('leads');
      },
      eventually: {
        'it is done by one who came later': (state) =>
          /^leads(-1)?#1$/.test(state.get(ConfigMaps, at)?.data?.['by'] ?? ''),
        'and the Lease is its': (state) =>
          state.get(Leases, { namespace: 'default', name: 'leads' })?.spec?.holderIdentity ===
          state.get(ConfigMaps, at)?.data?.['by'],
      },
    });
    expect((await simulate(led, { runs: 3 })).runs).toBe(3);
  });

  it('survive with leader election whatever befalls them', async () => {
    const led = copies({
      programs: { leads },
      eventually: {
        'it is done': (state) => state.get(ConfigMaps, at)?.data?.['by'] !== undefined,
      },
    });
    expect((await simulate(led, { runs: 150 })).runs).toBe(150);
  });

  it('are judged by who wrote what, and by how often they ask', async () => {
    const judged = copies({
      faults: { most: 0 },
      always: {
        'only the copier makes Secrets': ({ writes }) =>
          writes.every(({ by, object }) => object.kind !== 'Secret' || by === 'copier'),
        'the story makes ConfigMaps': ({ writes }) =>
          writes.every(
            ({ by, object, type }) =>
              object.kind !== 'ConfigMap' || (by === 'story' && type !== 'deleted'),
          ),
        'it asks little': (state) =>
          state.requests('copier') < 10 && state.requests('nobody') === 0,
      },
    });
    expect((await simulate(judged, { runs: 2 })).runs).toBe(2);
    const strict = {
      ...judged,
      always: {
        'it never asks': (state: { requests(p: string): number }) => state.requests('copier') === 0,
      },
    };
    await expect(simulate(strict, { runs: 1 })).rejects.toThrow('it never asks');
  });

  it('work beside the built-in controllers that were asked for', async () => {
    const collected = copies({
      programs: {
        owner: over(() => undefined),
      },
      controllers: ['garbage-collector'],
      story: async ({ client, sleep }) => {
        const { uid = '' } = (await client.resource(ConfigMaps).create(parent)).metadata;
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: at.name, uid };
        const metadata = { ...child, ownerReferences: [owner] };
        await client.resource(Secrets).create({ apiVersion: 'v1', kind: 'Secret', metadata });
        await sleep(1000);
        await client
          .resource(ConfigMaps)
          .delete(at)
          .catch(() => undefined);
      },
      eventually: {
        'the child goes too': (state) => state.list(Secrets, { namespace: 'default' }).length === 0,
      },
    });
    expect((await simulate(collected, { runs: 10 })).runs).toBe(10);
    const unknown = { ...collected, controllers: ['no-such'] };
    await expect(simulate(unknown)).rejects.toThrow('there is no built-in controller no-such');
  });
});
