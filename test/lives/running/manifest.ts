// A scenario's pod as it is created: with the scripts of its plays.
// Invariant: a container that has a command of its own keeps it.
import type { Pod, PodSpec } from '../../../api/generated/types.ts';
import { ATTEMPTS_PATH, scriptOf } from '../play.ts';
import type { Scenario } from '../scenario.ts';
import { POD_NAME } from './witness.ts';

/** The pod with the scripts of its plays. */
export function podOf({ pod, plays = {} }: Scenario, namespace: string): Pod {
  const played = new Set<string>();
  const fill = <T extends { name: string }>(containers: readonly T[] | undefined) =>
    containers?.map((container) => {
      const play = plays[container.name];
      if (!play) return container;
      played.add(container.name);
      const volumeMounts = (container as { volumeMounts?: object[] }).volumeMounts ?? [];
      const kept = 'steps' in play ? [] : [{ name: 'attempts', mountPath: ATTEMPTS_PATH }];
      return {
        command: ['/bin/sh', '-c', scriptOf(play, container.name)],
        ...container,
        ...(volumeMounts.length + kept.length > 0 && { volumeMounts: [...volumeMounts, ...kept] }),
      };
    });
  const keeps = Object.values(plays).some((play) => !('steps' in play));
  const { spec } = pod;
  const filled = {
    ...spec,
    ...(spec.initContainers && { initContainers: fill(spec.initContainers) }),
    containers: fill(spec.containers),
    ...(keeps && { volumes: [...(spec.volumes ?? []), { name: 'attempts', emptyDir: {} }] }),
  } as PodSpec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...(pod.metadata as Pod['metadata']), namespace, name: POD_NAME },
    spec: filled,
  };
}
