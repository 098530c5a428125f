// Each address of a Service has an IPAddress that says whose it is (KEP-1880), as tools that list addresses expect.
// Invariant: keys are addresses; those that somebody else manages are left alone.
import type { IPAddress, Service } from '../../api/generated/types.ts';
import { IPAddresses, Services } from '../../api/kinds.ts';
import { canonicalAddress, ipFamily } from '../../api/meta/ip.ts';
import { isNotFound } from '../../api/status.ts';
import { madeOrNeedless } from '../framework/made-or-needless.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';

const FAMILY_LABEL = 'ipaddress.kubernetes.io/ip-family';
const MANAGER_LABEL = 'ipaddress.kubernetes.io/managed-by';
const MANAGER = 'ipallocator.k8s.io';
const BY_ADDRESS = 'address';

/** Makes, replaces and removes them. */
export const ipAddressController: ControllerFactory = ({ client, informers }) => {
  const services = informers.informer(Services);
  const addresses = informers.informer(IPAddresses);
  services.addIndex(BY_ADDRESS, addressesOf);
  return {
    name: 'ip-address-controller',
    sources: [
      source<Service>({
        ref: Services,
        keys: (service, old) => [...addressesOf(service), ...(old ? addressesOf(old) : [])],
      }),
      source<IPAddress>({ ref: IPAddresses, predicate: ({ metadata }) => isOurs(metadata) }),
    ],
    async reconcile(address, { signal }) {
      const [owner] = services.byIndex(BY_ADDRESS, address);
      const found = addresses.get(address);
      const wanted = owner && addressOf(address, owner);
      if (found && isOurs(found.metadata) && !sameParent(found, wanted)) {
        const { uid = '' } = found.metadata;
        await client
          .resource(IPAddresses)
          .delete({ name: address }, { preconditions: { uid }, signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        // Its end brings us back, for the next owner.
        return done;
      }
      if (wanted && !found)
        await madeOrNeedless(client.resource(IPAddresses).create(wanted, { signal }));
      return done;
    },
  };
};

function addressesOf({ spec }: Service): string[] {
  const listed = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  return listed.flatMap((text) => canonicalAddress(text) ?? []);
}

function isOurs({ labels }: IPAddress['metadata']): boolean {
  return labels?.[MANAGER_LABEL] === MANAGER;
}

function sameParent(found: IPAddress, wanted: IPAddress | undefined): boolean {
  const [a, b] = [found.spec?.parentRef, wanted?.spec?.parentRef];
  return b !== undefined && a?.name === b.name && a.namespace === b.namespace;
}

function addressOf(address: string, { metadata }: Service): IPAddress {
  const { name = '', namespace = '' } = metadata;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      labels: { [FAMILY_LABEL]: ipFamily(address) ?? 'IPv4', [MANAGER_LABEL]: MANAGER },
    },
    spec: { parentRef: { group: '', resource: 'services', namespace, name } },
  };
}
