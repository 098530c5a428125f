// The behaviour suite of pod lives on played containers and virtual time, one scenario after the other.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { topicsOn } from '../lives/all.ts';
import { type Scenes, startFakeWorld } from '../lives/running/fake-world.ts';
import { runScenario } from '../lives/running/run-scenario.ts';
import type { World } from '../lives/running/witness.ts';

describe.each([...topicsOn('fake')])('lives on played containers: $name', (topic) => {
  const scenes: Scenes = new Map();
  let world: World;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ world, close } = await startFakeWorld(scenes));
  });
  afterAll(() => close?.());

  it.each([...topic.scenarios])('$name', async (scenario) => {
    const namespace = `${topic.name}-${scenes.size + 1}`;
    scenes.set(namespace, scenario);
    if (!scenario.node) return runScenario(scenario, world, namespace);
    const own = await startFakeWorld(scenes, scenario.node);
    try {
      await runScenario(scenario, own.world, namespace);
    } finally {
      await own.close();
    }
  });
});
