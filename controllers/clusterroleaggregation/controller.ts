// Keeps the rules of aggregated ClusterRoles: those of the roles that their selectors choose.
// Invariant: a role that changes wakes only the aggregated roles that choose it, or chose it before; a role that has the right
// rules is not written.
import type { ClusterRole } from '../../api/generated/types.ts';
import { ClusterRoles } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { isNotFound } from '../../api/status.ts';
import { aggregatedRules } from '../../api/rbac/aggregate.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const NAME = 'clusterrole-aggregation-controller';
/** The index of aggregated roles; all have the same key. */
const AGGREGATED = 'aggregated';
const YES = 'yes';

const isAggregated = (role: ClusterRole): boolean => role.aggregationRule !== undefined;

/** The controller. */
export const clusterRoleAggregator: ControllerFactory = ({ client, informers }) => {
  const roles = informers.informer(ClusterRoles);
  roles.addIndex(AGGREGATED, (role) => (isAggregated(role) ? [YES] : []));
  const resource = client.resource(ClusterRoles);
  const touchedBy = (role: ClusterRole) =>
    roles.byIndex(AGGREGATED, YES).filter((each) => chooses(each, role));
  return {
    name: NAME,
    sources: [
      source<ClusterRole>({
        ref: ClusterRoles,
        keys: (role, old) => {
          const own = isAggregated(role) ? [role] : [];
          const touched = [...own, ...touchedBy(role), ...(old ? touchedBy(old) : [])];
          return [...new Set(touched.map(({ metadata }) => metadata.name ?? ''))];
        },
      }),
    ],
    async reconcile(name, { signal }) {
      const role = roles.get(name);
      if (!role || !isAggregated(role)) return done;
      const rules = aggregatedRules(role, roles.list());
      if (deepEqual(rules, role.rules ?? [])) return done;
      // Applied, so that the rules are this controller's own and all else stays its users'.
      const { uid } = role.metadata;
      const body = { apiVersion: role.apiVersion, kind: role.kind, metadata: { name, uid }, rules };
      try {
        const patch = { type: 'apply', body, force: true } as const;
        await resource.patch({ name }, patch, { fieldManager: NAME, signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return done;
    },
  };
};

function chooses({ aggregationRule }: ClusterRole, { metadata }: ClusterRole): boolean {
  return (aggregationRule?.clusterRoleSelectors ?? []).some((selector) =>
    fromLabelSelector(selector).matches(metadata.labels),
  );
}
