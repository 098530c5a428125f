// A world of played containers on virtual time: a whole cluster in this process with one fake node, for scenarios one after the other.
// Invariant: waiting moves time from one timer to the next, and never past what is waited for.
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { startCluster } from '../../../testing/cluster/start-cluster.ts';
import type { KubeletConfiguration } from '../../../kubelet/configuration.ts';
import type { PodLife } from '../../../testing/nodes/pod-life.ts';
import { lifeOf } from '../play.ts';
import type { ContainerOfPod } from '../../../testing/nodes/pod-life.ts';
import type { Scenario } from '../scenario.ts';
import { Recorder } from './recorder.ts';
import type { World } from './witness.ts';

/** Virtual time after which a wait is given up: longer than any back-off. */
const CEILING_MS = 30 * 60_000;

/** Whose lives are played, by the namespace of its pods. */
export type Scenes = Map<string, Scenario>;

/** A world whose containers do what the scenario of their namespace says, on a node that is configured so, and its end. */
export async function startFakeWorld(
  scenes: Scenes,
  configuration?: Partial<KubeletConfiguration>,
): Promise<{ world: World; close: () => Promise<void> }> {
  const clock = new VirtualClock();
  const lives = ({ name, attempt, pod }: ContainerOfPod): PodLife => {
    const scenario = scenes.get(pod.metadata.namespace ?? '');
    const play = scenario?.plays?.[name];
    return { ...(play && lifeOf(play, attempt, clock)), ...scenario?.lives?.[name] };
  };
  const nodes = configuration && [{ configuration }];
  const cluster = await startCluster({ clock, lives, ...(nodes && { nodes }) });
  const [node] = cluster.nodes;
  if (!node) throw new Error('the cluster has no node');
  await node.registered;
  const now = () => clock.now();
  const recorder = new Recorder(cluster.client, now);
  await recorder.start();
  const world: World = {
    runtime: 'fake',
    client: cluster.client,
    recorder,
    now,
    async until(holds, missing) {
      const deadline = clock.monotonic() + CEILING_MS;
      await cluster.settled();
      while (!holds()) {
        const due = clock.nextDue;
        if (due === undefined || due > deadline) throw new Error(missing());
        await cluster.advance(Math.max(0, due - clock.monotonic()));
      }
    },
    pass: (ms) => cluster.advance(ms),
    minded: () => Promise.resolve(),
    async signal(pod, name, signal) {
      const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
      const status = [...containerStatuses, ...initContainerStatuses].find(
        (each) => each.name === name,
      );
      const id = status?.containerID?.replace(/^\w+:\/\//, '') ?? '';
      if (signal === 'SIGKILL') node.runtime.crash(id, 137);
      // As its life says; it ends when time goes on, and one that ignores signals does not.
      else if (!node.runtime.look(id)?.life.stubborn)
        node.runtime.stopContainer(id, CEILING_MS).catch(() => undefined);
    },
    restartAgent: () => node.restartAgent(),
  };
  const close = async () => {
    await recorder.stop();
    await cluster.close();
  };
  return { world, close };
}
