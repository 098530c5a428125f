// Museum: a finalizer that is never taken off, as what it stands for is gone already.
// Published: aclerici38/pocket-id-operator#545, kubernetes-retired/multi-tenancy#425 (a clean-up that takes "not found" for a failure, and an
// object that is Terminating for ever). The wrong one is careful when it makes an account, and forgets that its clean-up may come twice,
// too: after a crash, a conflict, or an answer that was lost. A Secret plays the account outside of the cluster.
import { type ConfigMap, ConfigMaps, isAlreadyExists, isNotFound, Secrets } from 'pinnace/client';
import { controllerFor } from 'pinnace/controllers';
import { type Program, scenario } from 'pinnace/testing';

const at = { namespace: 'default', name: 'tenant' };
const account = { namespace: 'default', name: 'tenant-account' };

/** Resolves, too, where it fails for a reason that does not matter. */
async function unless(harmless: (error: unknown) => boolean, done: Promise<unknown>) {
  await done.catch((error: unknown) => {
    if (!harmless(error)) throw error;
  });
}

const accounts = (isHarmlessAtTheEnd: (error: unknown) => boolean): Program => ({
  controllers: () => [
    controllerFor(ConfigMaps)
      .named('accounts')
      .where(({ metadata }) => metadata.name === at.name)
      .withFinalizer('example.com/account', (_, { client }) =>
        unless(isHarmlessAtTheEnd, client.resource(Secrets).delete(account)),
      )
      .reconcile((_, { client }) => {
        const secret = { apiVersion: 'v1', kind: 'Secret', metadata: account };
        return unless(isAlreadyExists, client.resource(Secrets).create(secret));
      }),
  ],
});

const named = (name: string, program: Program) =>
  scenario({
    name,
    programs: { accounts: program },
    async story({ client, sleep }) {
      const tenants = client.resource(ConfigMaps);
      const tenant: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at };
      await tenants.create(tenant);
      await sleep(1000);
      await tenants.delete(at);
    },
    eventually: {
      'a tenant that was deleted goes': (state) => {
        const tenant = state.get(ConfigMaps, at);
        return !tenant || `it still has ${tenant.metadata.finalizers?.join()}`;
      },
    },
  });

/** Cannot clean up what is clean. */
export const wrong = named(
  'leaked finalizer: wrong',
  accounts(() => false),
);
/** Finds its work done. */
export const right = named('leaked finalizer: right', accounts(isNotFound));
