// Each namespace has a ServiceAccount `default`.
// Invariant: what is there is left alone; what is missing in a namespace that is not ending is made.
import type { ServiceAccount } from '../../api/generated/types.ts';
import { Namespaces, ServiceAccounts } from '../../api/kinds.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';
import { madeOrNeedless } from '../framework/made-or-needless.ts';

const ACCOUNT = 'default';

/** Makes the account, also again after it was deleted. */
export const serviceAccountController: ControllerFactory = ({ client, informers }) => {
  const namespaces = informers.informer(Namespaces);
  const accounts = informers.informer(ServiceAccounts);
  return {
    name: 'service-account-controller',
    sources: [
      source({ ref: Namespaces }),
      source<ServiceAccount>({
        ref: ServiceAccounts,
        predicate: ({ metadata }, _old, change) => change === 'delete' && metadata.name === ACCOUNT,
        keys: ({ metadata }) => [metadata.namespace ?? ''],
      }),
    ],
    async reconcile(namespace, { signal }) {
      const found = namespaces.get(namespace);
      if (!found || found.metadata.deletionTimestamp) return done;
      if (accounts.get(`${namespace}/${ACCOUNT}`)) return done;
      const account: ServiceAccount = {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: ACCOUNT, namespace },
      };
      await madeOrNeedless(client.resource(ServiceAccounts).create(account, { signal }));
      return done;
    },
  };
};
