// As whom webhooks are called: credentials by the names of webhooks, as the kubeconfig of an admission configuration has them.
// Pure. Invariant: the closest name counts: the host and port, then `*.` and ever fewer of its last labels, then the same
// without the port where it is 443, then `*`. Source: "Authenticate API servers" in the public guide to admission webhooks.

/** What a webhook is shown. */
export interface WebhookIdentity {
  /** Certificate and key are PEM texts, and come together. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The Authorization header of one call. A rejection fails the call. */
  readonly authorization?: (() => Promise<string>) | undefined;
}

/** Identities by the names of webhooks. */
export type WebhookIdentities = ReadonlyMap<string, WebhookIdentity>;

/** Identities for the webhooks of each sort. */
export interface IdentitiesBySort {
  readonly mutating?: WebhookIdentities | undefined;
  readonly validating?: WebhookIdentities | undefined;
}

/** The port that a name may leave out. */
const USUAL_PORT = 443;

/** The identity for a webhook at that host (`NAME.NAMESPACE.svc` for a Service) and port; undefined for none. */
export function identityFor(
  identities: WebhookIdentities,
  { host, port }: { readonly host: string; readonly port: number },
): WebhookIdentity | undefined {
  const shown = host.includes(':') ? `[${host}]` : host;
  return (
    closest(identities, `${shown}:${port}`) ??
    (port === USUAL_PORT ? closest(identities, host) : undefined) ??
    identities.get('*')
  );
}

function closest(identities: WebhookIdentities, target: string): WebhookIdentity | undefined {
  const labels = target.split('.');
  const names = [target, ...labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`)];
  const name = names.find((each) => identities.has(each));
  return name === undefined ? undefined : identities.get(name);
}
