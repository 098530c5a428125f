// The behaviour suite on a runtime with real containers: one cluster for all, as many scenarios at once as the host bears.
// Invariant: each scenario has a namespace of its own; those that do something to the whole node run by themselves, at the end.
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import type { TestClusterOptions } from '../../support/cluster.ts';
import { topicsOn } from '../all.ts';
import type { Runtime, Scenario } from '../scenario.ts';
import { startClusterWorld } from './cluster-world.ts';
import { runScenario } from './run-scenario.ts';
import type { World } from './witness.ts';

/** Scenarios at once: most of a scenario's time is waiting. */
const AT_ONCE = 10;

/** Declares the tests. */
export function livesOn(runtime: Runtime, options: TestClusterOptions): void {
  vi.setConfig({ maxConcurrency: AT_ONCE, testTimeout: 300_000, hookTimeout: 300_000 });
  let started: Awaited<ReturnType<typeof startClusterWorld>> | undefined;
  beforeAll(async () => {
    started = await startClusterWorld(runtime, options);
  });
  afterAll(() => started?.close());
  const all = topicsOn(runtime).flatMap(({ name: topic, scenarios }) =>
    scenarios.map((scenario, index) => ({ scenario, namespace: `${topic}-${index + 1}` })),
  );
  const test = ({ scenario, namespace }: { scenario: Scenario; namespace: string }) =>
    it(`${namespace}: ${scenario.name}`, () => runScenario(scenario, worldOf(started), namespace));
  const [alone, others] = [true, undefined].map((is) =>
    all.filter(({ scenario }) => scenario.alone === is),
  );
  describe.concurrent(`lives on the ${runtime} runtime`, () => others?.forEach(test));
  if (alone?.length)
    describe(`lives on a node of the ${runtime} runtime to which something happens`, () =>
      alone.forEach(test));
}

function worldOf(started: { world: World } | undefined): World {
  if (!started) throw new Error('the cluster is not up');
  return started.world;
}
