// Each namespace has a ServiceAccount `default`, and the CA's certificate as ConfigMap `kube-root-ca.crt`.
// Invariant: what is there is left alone; what is missing in a namespace that is not ending is made.
import type { ConfigMap, ServiceAccount } from '../../api/generated/types.ts';
import { ConfigMaps, Namespaces, ServiceAccounts } from '../../api/kinds.ts';
import { isAlreadyExists, isForbidden, isNotFound } from '../../api/status.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const ACCOUNT = 'default';
const CA_CONFIG = 'kube-root-ca.crt';

/** Makes the controller; without a certificate there is no ConfigMap. */
export function serviceAccountController(caCertificate: string | undefined): ControllerFactory {
  return ({ client, informers }) => {
    const namespaces = informers.informer(Namespaces);
    const accounts = informers.informer(ServiceAccounts);
    const configs = informers.informer(ConfigMaps, { fieldSelector: `metadata.name=${CA_CONFIG}` });
    const have = async (make: () => Promise<unknown>) => {
      try {
        await make();
      } catch (error) {
        // Made meanwhile, or the namespace is ending or gone: nothing is missing any more.
        if (!isAlreadyExists(error) && !isForbidden(error) && !isNotFound(error)) throw error;
      }
    };
    return {
      name: 'service-account-controller',
      sources: [
        source({ ref: Namespaces }),
        source<ServiceAccount>({
          ref: ServiceAccounts,
          predicate: ({ metadata }, _old, change) =>
            change === 'delete' && metadata.name === ACCOUNT,
          keys: ({ metadata }) => [metadata.namespace ?? ''],
        }),
      ],
      async reconcile(namespace) {
        const found = namespaces.get(namespace);
        if (!found || found.metadata.deletionTimestamp) return done;
        const at = (name: string) => ({ name, namespace });
        if (!accounts.get(`${namespace}/${ACCOUNT}`))
          await have(() => client.resource(ServiceAccounts).create(account(at(ACCOUNT))));
        if (caCertificate !== undefined && !configs.get(`${namespace}/${CA_CONFIG}`))
          await have(() =>
            client.resource(ConfigMaps).create(caConfig(at(CA_CONFIG), caCertificate)),
          );
        return done;
      },
    };
  };
}

interface Place {
  name: string;
  namespace: string;
}

function account(metadata: Place): ServiceAccount {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
}

function caConfig(metadata: Place, certificate: string): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'ca.crt': certificate } };
}
