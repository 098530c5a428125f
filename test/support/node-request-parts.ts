// What a node's server answers from, over a played runtime, for tests that need the server and not the whole agent.
// Invariant: every part is the real one but those that the test gives.
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { resolveConfiguration } from '../../kubelet/configuration.ts';
import { MemoryUsage } from '../../kubelet/host/memory/memory-usage.ts';
import { FakeImageStore } from '../../kubelet/runtime/fake/fake-images.ts';
import { FakePodNetwork } from '../../kubelet/runtime/fake/fake-network.ts';
import type { NodeRequestParts } from '../../kubelet/server/node-requests.ts';
import { AgentFigures } from '../../kubelet/stats/agent-figures.ts';
import { nodeShown } from '../../kubelet/stats/node-shown.ts';

const FACTS = { cpus: 2, memoryBytes: 4 * 1024 ** 3, storageBytes: 64 * 1024 ** 3 };

/** An API server that is away: who is not trusted by certificate is nobody. */
const away = (): Promise<never> => Promise.reject(new Error('this test has no API server'));

/** The parts. */
export function nodeRequestParts(
  given: Pick<NodeRequestParts, 'nodeName' | 'pods' | 'runtime' | 'logs' | 'connect'> &
    Partial<NodeRequestParts>,
): NodeRequestParts {
  const clock = given.clock ?? systemClock;
  const figures = given.figures ?? new AgentFigures(clock);
  return {
    clock,
    logger: silentLogger,
    client: createClient({
      request: away,
      stream: away,
      watch: () => {
        throw new Error('this test has no API server');
      },
      close: () => undefined,
    }),
    configuration: resolveConfiguration(),
    figures,
    measuredAtMs: () => undefined,
    shown: nodeShown({
      ...given,
      clock,
      figures,
      version: 'v0.0.0-test',
      images: new FakeImageStore(),
      network: new FakePodNetwork(),
      usage: new MemoryUsage(FACTS),
      facts: FACTS,
      pods: () => given.pods.list(),
      sample: () => undefined,
    }),
    ...given,
  };
}
