// kube-system/extension-apiserver-authentication: how servers behind this one recognize it, and its clients.
// Invariant: what this server says in it is true at every moment but the one in which a change is being mended; keys of others stay.
import type { ConfigMap } from '../../../api/generated/types.ts';
import { ConfigMaps } from '../../../api/kinds.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { AUTHENTICATION_CONFIG } from '../../../api/rbac/bootstrap-authentication.ts';
import type { ServerParts } from '../../exchange.ts';
import type { FrontProxy } from '../../options.ts';
import { ensureObject } from '../../registry/ensure-object.ts';
import { objectKey } from '../../registry/keys.ts';
import { REMOTE_HEADERS } from './front-proxy-headers.ts';

const NAMESPACE = 'kube-system';

/** Has the ConfigMap there, and mends it whenever somebody changed it. The answer ends that. */
export async function keepAuthenticationConfig(
  server: ServerParts,
  frontProxy: FrontProxy,
): Promise<() => void> {
  const wanted = configMap(frontProxy);
  const mend = () => ensureObject(server, wanted, (old) => mended(old, wanted));
  await mend();
  const key = objectKey(ConfigMaps, NAMESPACE, AUTHENTICATION_CONFIG);
  let last: Promise<void> = Promise.resolve();
  return server.store.subscribe(key, ({ type, value }) => {
    if (type === 'put' && mended(value.object(), wanted) === value.object()) return;
    last = last.then(mend).catch((err: unknown) => {
      server.logger.warn('the ConfigMap of authentication could not be mended', { err });
    });
  });
}

/** The object with what it lacks; itself where it lacks nothing. */
function mended(old: LooseObject, wanted: LooseObject): LooseObject {
  const data = { ...(old['data'] as object | undefined), ...(wanted['data'] as object) };
  return deepEqual(data, old['data']) ? old : { ...old, data };
}

function configMap({ ca, clientCa, name }: FrontProxy): LooseObject {
  const list = (...values: string[]) => JSON.stringify(values);
  const config: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: AUTHENTICATION_CONFIG, namespace: NAMESPACE },
    data: {
      'client-ca-file': clientCa,
      'requestheader-allowed-names': list(name),
      'requestheader-client-ca-file': ca,
      'requestheader-extra-headers-prefix': list(REMOTE_HEADERS.extraPrefix),
      'requestheader-group-headers': list(REMOTE_HEADERS.group),
      'requestheader-uid-headers': list(REMOTE_HEADERS.uid),
      'requestheader-username-headers': list(REMOTE_HEADERS.username),
    },
  };
  return config as unknown as LooseObject;
}
