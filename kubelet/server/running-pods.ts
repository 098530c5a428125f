// GET /runningpods: the pods as the runtime has them: names and images of what runs, and nothing of what is wanted.
import type { Pod } from '../../api/generated/types.ts';
import type { NodePods } from './node-pods.ts';

/** Pods with a running container, in upstream's sparse form. */
export function runningPods(pods: NodePods): object[] {
  return pods.list().flatMap((pod) => {
    const { name = '', namespace = '', uid } = pod.metadata;
    const found = pods.find(namespace, name);
    if (found?.pod.metadata.uid !== uid) return [];
    const running = [...(found?.containers.values() ?? [])].flatMap(([newest]) =>
      newest?.state === 'running' ? [newest] : [],
    );
    if (running.length === 0) return [];
    const containers = running.map((each) => ({
      name: each.name,
      image: imageOf(pod, each.name) ?? each.imageId,
      resources: {},
    }));
    return [{ metadata: { name, namespace, uid }, spec: { containers }, status: {} }];
  });
}

function imageOf({ spec }: Pod, container: string): string | undefined {
  const all = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  return all.find(({ name }) => name === container)?.image;
}
