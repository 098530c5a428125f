// How events name a container of a pod, as upstream does: by its place in the specification.
// Invariant: what the specification does not have has no path.
import type { Pod } from '../../api/generated/types.ts';

const LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** The part of the pod that the container is, such as `spec.initContainers{first}`; nothing for one that it does not have. */
export function containerPath({ spec }: Pod, name: string): { readonly fieldPath?: string } {
  const list = LISTS.find((each) => spec?.[each]?.some((container) => container.name === name));
  return list === undefined ? {} : { fieldPath: `spec.${list}{${name}}` };
}
