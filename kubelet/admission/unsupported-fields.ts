// What a pod may ask for by its spec and no node of this agent gives. Pure.
// Invariant: nothing that is asked for is left out in silence; docs/node.md lists these fields as refused.
import type { Container, Pod, PodSpec } from '../../api/generated/types.ts';

/** Which field asks for something that no node has, and what to do; undefined where none does. */
export function unsupportedField({ spec }: Pod): string | undefined {
  if (!spec) return undefined;
  if (spec.runtimeClassName)
    return `spec.runtimeClassName ${JSON.stringify(spec.runtimeClassName)}: this node has one runtime for all pods; leave it out`;
  if ((spec.resourceClaims ?? []).length > 0) return `spec.resourceClaims: ${NO_CLAIMS}`;
  for (const container of containersOf(spec)) {
    const why = unsupportedIn(container);
    if (why !== undefined) return `container ${JSON.stringify(container.name)}: ${why}`;
  }
  return undefined;
}

const NO_CLAIMS = 'this node has no drivers that devices could be claimed from; leave it out';

function unsupportedIn({ resources, env = [] }: Container): string | undefined {
  if ((resources?.claims ?? []).length > 0) return `resources.claims: ${NO_CLAIMS}`;
  const file = env.find(({ valueFrom }) => valueFrom?.fileKeyRef);
  if (file)
    return `env ${JSON.stringify(file.name)}: this node takes no variables from files (fileKeyRef); use a ConfigMap or a Secret`;
  return undefined;
}

const containersOf = (spec: PodSpec): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];
