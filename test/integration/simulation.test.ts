// Simulation: the same history for the same seed, failures made small, every kind of fault survived by right controllers, and programs
// that do what cannot be repeated told so.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Leases, Pods, ReplicaSets, Secrets } from '../../api/kinds.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { isExpired } from '../../api/status.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
import { requeueAfter } from '../../controllers/framework/reconciler.ts';
import {
  type ClusterState,
  explore,
  type Program,
  replay,
  scenario,
  type ScenarioOptions,
  simulate,
  SimulationFailure,
} from '../../testing/simulation/index.ts';
import { ODDS } from '../../testing/simulation/odds.ts';

const at = { namespace: 'default', name: 'parent' };
const child = { namespace: 'default', name: 'parent-child' };
const parent: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };

/** Gives each ConfigMap called `parent` a Secret with its data. */
const copier: Program = {
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('copier')
      .owns(Secrets)
      .where(({ metadata }) => metadata.name === at.name)
      .reconcile(async ({ data = {} }, { client }) => {
        const secrets = client.resource(Secrets);
        const body = { apiVersion: 'v1', kind: 'Secret', metadata: child, stringData: data };
        await secrets.patch(
          child,
          { type: 'apply', body, force: true },
          { fieldManager: 'copier' },
        );
      }),
  ],
};

const writesTwice: ScenarioOptions['story'] = async ({ client, sleep }) => {
  await client.resource(ConfigMaps).create({ ...parent, data: { a: '1' } });
  await sleep(2000);
  await client.resource(ConfigMaps).patch(at, { type: 'merge', body: { data: { a: '2' } } });
};

const decoded = (text = '') => Buffer.from(text, 'base64').toString();

const copies = (more: Partial<ScenarioOptions> = {}) =>
  scenario({
    name: 'copies',
    programs: { copier },
    story: writesTwice,
    eventually: {
      'the copy is up to date': (state) => decoded(state.get(Secrets, child)?.data?.['a']) === '2',
    },
    ...more,
  });

describe('a simulated run', () => {
  it('has the same history, to the byte, for the same seed, and another one for another seed', async () => {
    const [first, second, other] = [
      await replay(copies(), { seed: 7 }),
      await replay(copies(), { seed: 7 }),
      await replay(copies(), { seed: 8 }),
    ];
    expect(second).toEqual(first);
    expect(first.finding).toBeUndefined();
    expect(first.messages).toBeGreaterThan(10);
    expect(other.hash).not.toBe(first.hash);
  });

  it('is the same beside another one', async () => {
    const alone = [await replay(copies(), { seed: 7 }), await replay(copies(), { seed: 8 })];
    const beside = await Promise.all([7, 8].map((seed) => replay(copies(), { seed })));
    expect(beside.map(({ hash }) => hash)).toEqual(alone.map(({ hash }) => hash));
  });

  it('is repeated by its tape alone as by its seed', async () => {
    let odd = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const run = await replay(copies(), { seed });
      expect((await replay(copies(), { seed, tape: run.tape })).hash).toBe(run.hash);
      odd += run.tape.length;
    }
    expect(odd).toBeGreaterThan(5);
  });

  it('has nothing odd where nothing may be, so that only ids differ', async () => {
    const calm = copies({ faults: { most: 0 } });
    const runs = [await replay(calm, { seed: 1 }), await replay(calm, { seed: 2 })];
    const [first, second] = runs.map(({ history }) => history.map(({ text }) => text));
    expect(first).toEqual(second);
    expect(runs.map(({ tape }) => tape)).toEqual([[], []]);
  });

  it('sees every kind of thing go wrong, and a right controller comes through', async () => {
    const seen = new Set<string>();
    const report = await explore(copies({ faults: { most: 10 } }), {
      runs: 350,
      onRun: ({ tape }) => {
        for (const [place, number] of tape) {
          const moment = /(request|reply|event) \d+$/.exec(place)?.[1] as keyof typeof ODDS;
          const odd = ODDS[moment][number - 1];
          if (!place.startsWith('story')) seen.add(`${moment} ${odd?.kind}`);
        }
      },
    });
    expect(report.failures.map(({ story }) => story)).toEqual([]);
    const all = Object.entries(ODDS).flatMap(([moment, table]) =>
      table.map(({ kind }) => `${moment} ${kind}`),
    );
    expect([...seen].sort()).toEqual([...new Set(all)].sort());
  });

  it('leaves out what the scenario does not permit', async () => {
    const faults = {
      most: 5,
      delays: false,
      losses: false,
      refusals: false,
      watches: false,
      pauses: false,
      clocks: false,
    };
    const kinds = new Set<string | undefined>();
    await explore(copies({ faults }), {
      runs: 200,
      onRun: ({ history }) => {
        for (const { text, isOdd } of history)
          if (isOdd) kinds.add(/the program is killed/.exec(text)?.[0] ?? text);
      },
    });
    expect([...kinds]).toEqual(['the program is killed']);
  });

  it('begins as its set-up left the cluster, each time anew', async () => {
    let setUps = 0;
    const counted = scenario({
      name: 'set up once',
      programs: {},
      setUp: async ({ client }) => {
        setUps++;
        await client.resource(ConfigMaps).create(parent);
      },
      story: ({ client }) => client.resource(ConfigMaps).delete(at),
      always: { 'it was there': ({ writes }) => writes.every(({ previous }) => previous) },
      eventually: { 'it is gone': (state) => state.get(ConfigMaps, at) === undefined },
    });
    const report = await simulate(counted, { runs: 20 });
    expect([report.runs, setUps]).toEqual([20, 1]);
    const broken = { ...counted, setUp: () => Promise.reject(new Error('no such thing')) };
    await expect(simulate(broken)).rejects.toThrow('setUp failed: no such thing');
  });
});

/** Counts the steps that it saw in memory, and so forgets them with the process. */
const forgetful: Program = {
  controllers: () => {
    const steps = new Set<string>();
    return [
      controllerFor(ConfigMaps)
        .named('forgetful')
        .where(({ metadata }) => metadata.name === at.name)
        .reconcile(async ({ data = {} }, { resource }) => {
          const { step } = data;
          if (step === undefined || steps.has(step)) return;
          const seen = String(steps.add(step).size);
          await resource.patch(at, { type: 'merge', body: { data: { seen } } });
        }),
    ];
  },
};

describe('a failing run', () => {
  it('is made as small as one odd choice where one is enough, and told as a story', async () => {
    const forgets = copies({
      programs: { forgetful },
      faults: { most: 5 },
      eventually: {},
      always: {
        'what was seen never becomes less': ({ writes }) => {
          const counts = writes.flatMap(({ object }) =>
            object.metadata.name === at.name
              ? [Number((object as ConfigMap).data?.['seen'] ?? 0)]
              : [],
          );
          return counts.every((count, i) => count >= (counts[i - 1] ?? 0));
        },
      },
    });
    const failure = await simulate({ ...forgets, story: steps }, { runs: 1000 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SimulationFailure);
    const { report, message } = failure as SimulationFailure;
    const [found] = report.failures;
    expect(found?.finding).toMatchObject({
      kind: 'always',
      invariant: 'what was seen never becomes less',
    });
    expect(found?.tape).toHaveLength(1);
    expect(message).toContain('is killed');
    expect(message).toContain(`replay(scenario, { seed: ${found?.seed}`);
    const again = await replay(
      { ...forgets, story: steps },
      { seed: found?.seed ?? 0, tape: found?.tape ?? [] },
    );
    expect(again.hash).toBe(found?.outcome.hash);
    expect(again.finding).toEqual(found?.finding);
  });
});

const steps: ScenarioOptions['story'] = async ({ client, sleep }) => {
  const configs = client.resource(ConfigMaps);
  await configs.create(parent);
  for (let step = 0; step < 4; step++) {
    await sleep(1000);
    await configs.patch(at, { type: 'merge', body: { data: { step: String(step) } } });
  }
};

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
    expect(failure?.story).toContain('simulation.test.ts');
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

describe('what befalls a watch', () => {
  const numberOf = (moment: keyof typeof ODDS, kind: string, ms: number) =>
    1 + ODDS[moment].findIndex((odd) => odd.kind === kind && 'ms' in odd && odd.ms === ms);

  /** Watches ConfigMaps by hand, from one list on; after 410 once more from there, and then from a new list. */
  const watching = (heard: string[]): Program => ({
    async run({ client }, signal) {
      const configs = client.resource(ConfigMaps);
      let from = (await configs.list({ namespace: 'default' })).metadata.resourceVersion;
      for (let gaps = 0; ; ) {
        try {
          const options = { namespace: 'default', resourceVersion: from, signal };
          for await (const events of configs.watch(options))
            for (const { type, object } of events) heard.push(`${type} ${object.metadata.name}`);
        } catch (error) {
          if (!isExpired(error)) throw error;
          heard.push('410');
          if (++gaps === 2)
            from = (await configs.list({ namespace: 'default' })).metadata.resourceVersion;
        }
      }
    },
  });

  const watched = (heard: string[]) =>
    copies({
      programs: { watcher: watching(heard) },
      story: async ({ client, sleep }) => {
        for (const name of ['a', 'b', 'c']) {
          const metadata = { namespace: 'default', name };
          await client.resource(ConfigMaps).create({ ...parent, metadata });
          await sleep(1000);
        }
      },
      eventually: { 'nothing more': () => true },
    });

  it('stays expired: a watch from there is answered with 410 again, and one from a new list is not', async () => {
    const heard: string[] = [];
    const tape = [
      ['watcher watch 1 of configmaps event 2', numberOf('event', 'expire', 0)],
    ] as const;
    const run = await replay(watched(heard), { seed: 1, tape });
    expect(run.finding).toBeUndefined();
    expect(heard).toEqual(['ADDED a', '410', '410', 'ADDED c']);
  });

  it('comes in order, though the program stands still again, and for less, while it stands still', async () => {
    const heard: string[] = [];
    const tape = [
      ['watcher reply 2', numberOf('reply', 'pause', 20_000)],
      ['watcher watch 1 of configmaps event 2', numberOf('event', 'pause', 1000)],
    ] as const;
    const run = await replay(watched(heard), { seed: 1, tape });
    expect(run.tape).toEqual(tape);
    expect(heard).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
  });
});

describe('a simulated cluster with nodes', () => {
  it('moves pods off a node whose power went, minutes later, and does so alike each time', async () => {
    const labels = { app: 'mill' };
    const containers = [{ name: 'mill', image: 'mill:1' }];
    const onNode = (state: ClusterState, node: string) =>
      state
        .list(Pods, { labelSelector: 'app=mill' })
        .filter(({ spec, status }) => spec?.nodeName === node && status?.phase === 'Running')
        .length;
    const moves = copies({
      programs: {},
      nodes: 2,
      lives: { 'mill:1': { readyAfterMs: 2000 } },
      controllers: [
        'replicaset-controller',
        'node-lifecycle-controller',
        'taint-eviction-controller',
      ],
      story: async ({ client, nodes, until }) => {
        await client.resource(ReplicaSets).create({
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          metadata: { namespace: 'default', name: 'mill' },
          spec: {
            replicas: 2,
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers } },
          },
        });
        const spread = (state: ClusterState) =>
          onNode(state, 'node-1') + onNode(state, 'node-2') === 2;
        await until(spread);
        await nodes[0]?.crash();
        await until((state) => onNode(state, 'node-2') >= 2, { withinMs: 600_000 });
      },
      eventually: {
        'two pods run on the node that is left': (state) => onNode(state, 'node-2') >= 2,
      },
    });
    expect((await simulate(moves, { runs: 3 })).runs).toBe(3);
    const [first, second] = [await replay(moves, { seed: 9 }), await replay(moves, { seed: 9 })];
    expect(first.virtualMs).toBeGreaterThan(300_000);
    expect(second.hash).toBe(first.hash);
  });
});

describe('a scenario', () => {
  it('that lacks something is refused with what it lacks', () => {
    const nothing = () => copies({ eventually: {} });
    expect(nothing).toThrow('scenario copies: say in always or eventually what must hold');
    expect(() => copies({ programs: { empty: {} } })).toThrow(
      'scenario copies: the program empty needs controllers or run',
    );
    expect(() => copies({ programs: { copier: { ...copier, replicas: 0 } } })).toThrow(
      'scenario copies: replicas of copier must be 1 or more',
    );
    expect(() => copies({ story: undefined as never })).toThrow(
      'scenario copies: say in story, a function, what a user does',
    );
  });

  it('with a field that is spelled wrong is refused, as files are run without a check of types', () => {
    const misspelled = { wihtin: 5_000 };
    expect(() => copies(misspelled as object)).toThrow(
      /^scenario copies: nothing is known of wihtin; its fields are name, .*\bwithin\b/,
    );
  });
});
