// Which nodes a pod asks for: nodeSelector and node affinity. Pure; shared by the scheduler and the node agent's admission.
// The rules are those of the Kubernetes docs, Assigning Pods to Nodes.
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../generated/types.ts';

/** What of a node is looked at. */
export interface NodeIdentity {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Does the node meet the pod's nodeSelector and required node affinity? */
export function fitsNode({ spec }: Pod, node: NodeIdentity): boolean {
  const wanted = Object.entries(spec?.nodeSelector ?? {});
  if (!wanted.every(([key, value]) => node.labels[key] === value)) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** Does the term require anything? One that is left out requires as little as an empty one. */
export function isEmptyTerm(term: NodeSelectorTerm | undefined): boolean {
  return (term?.matchExpressions ?? []).length === 0 && (term?.matchFields ?? []).length === 0;
}

/** Does the node meet every requirement of the term? An empty term matches nothing. */
export function matchesTerm(
  term: NodeSelectorTerm | undefined,
  { name, labels }: NodeIdentity,
): boolean {
  if (!term || isEmptyTerm(term)) return false;
  const { matchExpressions = [], matchFields = [] } = term;
  return (
    matchExpressions.every((each) => holds(each, labels[each.key])) &&
    matchFields.every((each) => each.key === 'metadata.name' && holds(each, name))
  );
}

function holds(
  { operator, values = [] }: NodeSelectorRequirement,
  value: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
