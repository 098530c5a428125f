// Simulation: the same history for the same seed, failures made small, every kind of fault survived by right controllers.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Pods, ReplicaSets } from '../../api/kinds.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import { isExpired } from '../../api/status.ts';
import { controllerFor } from '../../controllers/framework/builder.ts';
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
import { at, copier, copies, parent } from '../support/copies-scenario.ts';

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
