// Tokens that live in Secrets of the type kubernetes.io/service-account-token, as programs outside the cluster use them
// (Kubernetes docs: "long-lived API token for a ServiceAccount").
// Invariant: such a Secret holds a token of its account, and goes when the account does; other Secrets are never read.
import type { Secret, ServiceAccount } from '../../api/generated/types.ts';
import { Secrets, ServiceAccounts } from '../../api/kinds.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import { type ControllerFactory, done, source } from '../framework/reconciler.ts';
import { ACCOUNT_NAME, type LegacyTokens, planSecret, TOKEN_SECRET_TYPE } from './plan.ts';

/** The index of Secrets by their account's key. */
const BY_ACCOUNT = 'account';

function accountKeys({ metadata }: Secret): readonly string[] {
  const name = metadata.annotations?.[ACCOUNT_NAME];
  return name ? [`${metadata.namespace}/${name}`] : [];
}

/** Makes the controller; `tokens` are what it fills in. */
export function serviceAccountTokenController(tokens: LegacyTokens): ControllerFactory {
  return ({ client, informers }) => {
    const scope = { fieldSelector: `type=${TOKEN_SECRET_TYPE}` };
    const secrets = informers.informer(Secrets, scope);
    const accounts = informers.informer(ServiceAccounts);
    secrets.addIndex(BY_ACCOUNT, accountKeys);
    /** The account as it is; an informer that has not heard of a new one yet must not cost its Secret. */
    const accountOf = async (namespace: string, name: string, signal: AbortSignal) =>
      accounts.get(`${namespace}/${name}`) ??
      (await client
        .resource(ServiceAccounts)
        .get({ namespace, name }, { signal })
        .catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        }));
    return {
      name: 'serviceaccount-token-controller',
      sources: [
        source<Secret>({ ref: Secrets, scope }),
        source<ServiceAccount>({
          ref: ServiceAccounts,
          keys: ({ metadata }) =>
            secrets
              .byIndex(BY_ACCOUNT, `${metadata.namespace}/${metadata.name}`)
              .map((secret) => `${secret.metadata.namespace}/${secret.metadata.name}`),
        }),
      ],
      async reconcile(key, { signal }) {
        const secret = secrets.get(key);
        const { namespace = '', name = '', annotations, uid = '' } = secret?.metadata ?? {};
        const account = annotations?.[ACCOUNT_NAME];
        if (!secret || !account || secret.metadata.deletionTimestamp) return done;
        const plan = planSecret(secret, await accountOf(namespace, account, signal), tokens);
        const resource = client.resource(Secrets);
        if (plan.kind === 'remove')
          await resource
            .delete({ namespace, name }, { preconditions: { uid }, signal })
            .catch((error: unknown) => {
              if (!isNotFound(error) && !isConflict(error)) throw error;
            });
        if (plan.kind === 'fill') await resource.update(plan.secret, { signal });
        return done;
      },
    };
  };
}
