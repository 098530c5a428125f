// Museum: a child that is made first and given to its owner afterwards, and stays for ever where there is no afterwards.
// Published: the review of noironetworks/aci-containers#436 (an owner reference that a second call sets; what that leaves behind when the
// owner goes). The wrong one stops between its two writes and finds the child there when it comes back; the right one makes the child with
// its owner in one write. The garbage collector runs here as in any cluster.
import {
  type ConfigMap,
  ConfigMaps,
  isAlreadyExists,
  isNotFound,
  type OwnerReference,
  type ResourceClient,
  type Secret,
  Secrets,
} from 'pinnace/client';
import { controllerFor, ownerReferenceFor } from 'pinnace/controllers';
import { type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'user' };
const child = { namespace: 'default', name: 'user-password' };

type Make = (secrets: ResourceClient<Secret>, owner: OwnerReference) => Promise<unknown>;

/** Gives the user a password, unless the cache has it, or the server no longer has the user: the cache may be behind. */
const passwords = (make: Make): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('passwords')
      .where(({ metadata }) => metadata.name === at.name)
      .owns(Secrets)
      .reconcile(async (user, { client, informers, resource }) => {
        if (informers.informer(Secrets).get(`${child.namespace}/${child.name}`)) return;
        try {
          const { metadata } = await resource.get(at);
          if (metadata.uid !== user.metadata.uid) return;
          await make(client.resource(Secrets), ownerReferenceFor(user, ConfigMaps));
        } catch (error) {
          if (!isAlreadyExists(error) && !isNotFound(error)) throw error;
        }
      }),
  ],
});

const first: Make = async (secrets, owner) => {
  await secrets.create({ apiVersion: 'v1', kind: 'Secret', metadata: child });
  const body = { metadata: { ownerReferences: [owner] } };
  await secrets.patch(child, { type: 'merge', body });
};

const together: Make = (secrets, owner) => {
  const metadata = { ...child, ownerReferences: [owner] };
  return secrets.create({ apiVersion: 'v1', kind: 'Secret', metadata });
};

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { passwords: program },
    controllers: ['garbage-collector'],
    // What is looked for is between the program and the server; the collector's many messages would have most of what is odd.
    faults: { builtIns: false },
    async story({ client, sleep, until }) {
      const users = client.resource(ConfigMaps);
      const user: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };
      await users.create(user);
      await until((state) => state.get(Secrets, child) !== undefined, { withinMs: 300_000 });
      await sleep(1000);
      await users.delete(at);
    },
    eventually: {
      'no password outlives its user': (state) => state.get(Secrets, child) === undefined,
    },
  });

/** Leaves a password without an owner. */
export const wrong = named('orphaned child: wrong', passwords(first));
/** Makes no password without its owner. */
export const right = named('orphaned child: right', passwords(together));
