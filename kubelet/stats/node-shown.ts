// What the node's server shows of figures: the summary and the four pages of metrics.
// Invariant: nothing is gathered before somebody asks.
import type { AgentFigures } from './agent-figures.ts';
import { cadvisorPage } from './cadvisor-page.ts';
import { DiskFigures } from './disk-figures.ts';
import { type SnapshotDoors, takeSnapshot } from './node-snapshot.ts';
import { resourcePage } from './resource-page.ts';
import { statsSummary } from './stats-summary.ts';

/** Pages of metrics by the rest of their path after /metrics. */
export type MetricsPage = '' | 'cadvisor' | 'resource' | 'probes';

/** What can be asked for. */
export interface NodeShown {
  /** `only`: processor and memory, and nothing else. */
  summary(only: boolean): Promise<object>;
  page(page: MetricsPage): Promise<string>;
}

/** What it is made from. */
export interface ShownParts extends Omit<SnapshotDoors, 'disks'> {
  readonly figures: AgentFigures;
  readonly version: string;
}

/** Makes it. */
export function nodeShown(parts: ShownParts): NodeShown {
  const doors: SnapshotDoors = { ...parts, disks: new DiskFigures(parts) };
  const { runtime, figures } = parts;
  figures.show({
    ...parts,
    runningPods: async () => {
      const sandboxes = await runtime.listSandboxes();
      return sandboxes.filter(({ state }) => state === 'ready').length;
    },
    containers: async () => {
      const all = Map.groupBy(await runtime.listContainers(), ({ state }) => state);
      return Array.from(all, ([state, some]) => [state, some.length] as const);
    },
  });
  return {
    summary: async (only) => statsSummary(await takeSnapshot(doors, { disks: !only }), only),
    page: async (page) => {
      switch (page) {
        case '':
          return figures.figures.text();
        case 'cadvisor':
          return cadvisorPage(await takeSnapshot(doors, { disks: true }));
        case 'resource':
          return resourcePage(await takeSnapshot(doors, { disks: false }));
        case 'probes':
          return figures.probes.text(parts.pods());
      }
    },
  };
}
