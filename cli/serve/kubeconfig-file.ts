// The kubeconfig that `pinnace up` writes: one cluster, one user with a client certificate, one context.
import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

/** What goes into a kubeconfig. */
export interface KubeconfigFacts {
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly user: string;
  readonly pair: KeyPair;
}

/** The file's text; certificates and key are inside it, so that it can be copied anywhere. */
export function kubeconfigText(facts: KubeconfigFacts): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'pinnace',
        cluster: { server: facts.server, 'certificate-authority-data': base64(facts.ca) },
      },
    ],
    users: [
      {
        name: facts.user,
        user: {
          'client-certificate-data': base64(facts.pair.cert),
          'client-key-data': base64(facts.pair.key),
        },
      },
    ],
    contexts: [
      { name: 'pinnace', context: { cluster: 'pinnace', user: facts.user, namespace: 'default' } },
    ],
    'current-context': 'pinnace',
  });
}
