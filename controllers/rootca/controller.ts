// The certificate of the cluster's CA in each namespace, as ConfigMap `kube-root-ca.crt`, from which pods trust the API server.
// Invariant: in a namespace that is not ending it is there and says what the CA is, whoever deletes or changes it.
import type { ConfigMap } from '../../api/generated/types.ts';
import { ConfigMaps, Namespaces } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { madeOrNeedless } from '../framework/made-or-needless.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const NAME = 'kube-root-ca.crt';
/** For whoever looks at it. */
const ANNOTATIONS = {
  'kubernetes.io/description':
    "The certificate of this cluster's CA, by which clients inside the cluster verify the API server.",
};

/** Makes the controller for the CA with this certificate (PEM). */
export function rootCaPublisher(certificate: string): ControllerFactory {
  const data = { 'ca.crt': certificate };
  return ({ client, informers }) => {
    const scope = { fieldSelector: `metadata.name=${NAME}` };
    const namespaces = informers.informer(Namespaces);
    const published = informers.informer(ConfigMaps, scope);
    const configMaps = client.resource(ConfigMaps);
    return {
      name: 'root-ca-certificate-publisher-controller',
      sources: [
        source({ ref: Namespaces }),
        source<ConfigMap>({
          ref: ConfigMaps,
          scope,
          keys: ({ metadata }) => [metadata.namespace ?? ''],
        }),
      ],
      async reconcile(namespace, { signal }) {
        const found = namespaces.get(namespace);
        if (!found || found.metadata.deletionTimestamp) return done;
        const known = published.get(`${namespace}/${NAME}`);
        if (!known) {
          const metadata = { name: NAME, namespace, annotations: ANNOTATIONS };
          const fresh: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
          await madeOrNeedless(configMaps.create(fresh, { signal }));
        } else if (!deepEqual(known.data, data))
          await configMaps.update({ ...known, data }, { signal });
        return done;
      },
    };
  };
}
