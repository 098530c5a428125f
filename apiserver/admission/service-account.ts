// Pods run as a ServiceAccount that exists: `default` unless they name one.
// A new namespace's account is made by a controller; a pod that comes first waits for it for a moment, as upstream does.
import type { Clock } from '../../base/clock.ts';
import { ServiceAccounts } from '../../api/kinds.ts';
import type { Pod } from '../../api/generated/types.ts';
import { forbidden } from '../../api/status.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import type { AdmissionPlugin } from './admission.ts';

/** How long a pod waits for its account. */
const WAIT_MS = 1_000;

/** The plugin. */
export function serviceAccount(store: ObjectStore, clock: Clock): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate({ operation, definition, subresource, object }) {
      if (operation !== 'create' || definition.ref.plural !== 'pods' || subresource) return;
      const spec = (object as unknown as Pod).spec;
      if (spec && !spec.serviceAccountName) spec.serviceAccountName = 'default';
      if (spec) spec.serviceAccount = spec.serviceAccountName;
    },
    async validate({ operation, definition, subresource, namespace, name, object }) {
      if (operation !== 'create' || definition.ref.plural !== 'pods' || subresource) return;
      const account = (object as unknown as Pod).spec?.serviceAccountName ?? 'default';
      const key = objectKey(ServiceAccounts, namespace, account);
      if (await appears(store, clock, key)) return;
      throw forbidden(
        definition.ref,
        name,
        `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
      );
    },
  };
}

/** Is the key there, or does it come within the wait? */
function appears(store: ObjectStore, clock: Clock, key: string): boolean | Promise<boolean> {
  if (store.get(key)) return true;
  return new Promise((resolve) => {
    const finish = (found: boolean) => {
      timer.cancel();
      unsubscribe();
      resolve(found);
    };
    const timer = clock.timer(WAIT_MS, () => finish(false));
    const unsubscribe = store.subscribe(key, (event) => {
      if (event.type === 'put') finish(true);
    });
  });
}
