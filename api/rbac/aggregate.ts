// Aggregated ClusterRoles: their rules are those of other ClusterRoles, chosen by label (Kubernetes docs: "Aggregated
// ClusterRoles"). Pure. Invariant: the same roles give the same rules in the same order, and no rule twice.
import type { ClusterRole, PolicyRule } from '../generated/types.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { fromLabelSelector } from '../meta/labels.ts';

/** The rules of `role`, from those of all roles that its selectors choose; its own do not count. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = [];
  const sorted = all.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  for (const selected of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = fromLabelSelector(selected);
    for (const other of sorted)
      if (nameOf(other) !== nameOf(role) && selector.matches(other.metadata.labels))
        for (const rule of other.rules ?? [])
          if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
  }
  return rules;
}

const nameOf = ({ metadata }: ClusterRole): string => metadata.name ?? '';
