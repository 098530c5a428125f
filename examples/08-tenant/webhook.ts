// What one object's rules cannot see: a tenant whose namespace somebody has is refused when it is made, not only told so afterwards.
// Invariant: a convenience. The controller holds without it, since what two requests at once ask for can be seen by neither.
import { Namespaces } from 'pinnace/client';
import { allow, deny, validating } from 'pinnace/controllers';
import { Tenants } from './kind.ts';

/** Refuses tenants of namespaces that are taken, and warns of peers that are not there. */
export const freeNamespaces = validating(Tenants, {
  operations: ['CREATE'],
  async admit({ object, signal }, { informers }) {
    const [tenants, namespaces] = [informers.informer(Tenants), informers.informer(Namespaces)];
    await Promise.all([tenants.synced(signal), namespaces.synced(signal)]);
    const { namespace, peers } = object.spec;
    const owner = tenants.list().find(({ spec }) => spec.namespace === namespace);
    const field = 'spec.namespace';
    const taken = (message: string) =>
      deny(message, { reason: 'Invalid', causes: [{ field, message }] });
    if (owner) return taken(`${namespace} is that of the tenant ${owner.metadata.name}`);
    if (namespaces.get(namespace)) return taken(`there is a namespace ${namespace} already`);
    const strangers = peers.filter((peer) => !tenants.get(peer));
    return allow({ warnings: strangers.map((peer) => `there is no tenant ${peer} yet`) });
  },
});
