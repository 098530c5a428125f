// Pods run as a ServiceAccount that exists, `default` unless they name one, and are given its token, the CA's certificate and
// their namespace as files, unless pod or account say otherwise (Kubernetes docs: "Managing Service Accounts").
// A new namespace's account is made by a controller; a pod that comes first waits for it for a moment, as upstream does.
// Invariant: what a pod says itself about that volume, or that path, is left as it is.
import type { Container, Pod, PodSpec, ServiceAccount, Volume } from '../../api/generated/types.ts';
import { Pods, ServiceAccounts } from '../../api/kinds.ts';
import { forbidden, type StatusError } from '../../api/status.ts';
import type { Clock } from '../../base/clock.ts';
import { nameSuffix, type Random } from '../../base/random.ts';
import { POD_TOKEN_SECONDS } from '../auth/service-account-tokens.ts';
import { objectKey } from '../registry/keys.ts';
import type { ObjectStore } from '../watch/object-store.ts';
import { type AdmissionPlugin, type AdmissionRequest, toldName } from './admission.ts';

/** How long a pod waits for its account. */
const WAIT_MS = 1_000;
/** What the volume's name begins with; five characters follow. */
const VOLUME_PREFIX = 'kube-api-access-';
/** Where containers find the files: clients in all languages look there. */
const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const FILE_MODE = 0o644;
/** Marks pods that a node runs of itself, and shows to the API; they have no account. */
export const MIRROR_POD = 'kubernetes.io/config.mirror';

/** The plugin. */
export function serviceAccount(
  store: ObjectStore,
  doors: { clock: Clock; random: Random },
): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    mutate(request) {
      if (!isNewPod(request)) return undefined;
      const { spec, metadata } = request.object as unknown as Pod;
      if (!spec || metadata.annotations?.[MIRROR_POD] !== undefined) return undefined;
      if (!spec.serviceAccountName) spec.serviceAccountName = 'default';
      spec.serviceAccount = spec.serviceAccountName;
      const key = keyOf(request, spec);
      const give = (account: ServiceAccount | undefined) => {
        if (!account) throw notThere(request, spec);
        giveAccount(spec, account, doors.random);
      };
      const found = store.get(key);
      if (found) return give(found.object() as ServiceAccount);
      return appears(store, doors.clock, key).then((object) => give(object as ServiceAccount));
    },
    validate(request) {
      if (!isNewPod(request)) return;
      const { spec } = request.object as unknown as Pod;
      if (spec?.serviceAccountName && !store.get(keyOf(request, spec)))
        throw notThere(request, spec);
    },
  };
}

function isNewPod({ operation, definition, subresource }: AdmissionRequest): boolean {
  return operation === 'create' && definition.ref === Pods && !subresource;
}

function keyOf({ namespace }: AdmissionRequest, { serviceAccountName = '' }: PodSpec): string {
  return objectKey(ServiceAccounts, namespace, serviceAccountName);
}

function notThere(request: AdmissionRequest, spec: PodSpec): StatusError {
  const { definition, namespace } = request;
  const account = spec.serviceAccountName ?? '';
  return forbidden(
    definition.ref,
    toldName(request),
    `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`,
  );
}

/** What a pod has of its account. */
function giveAccount(spec: PodSpec, account: ServiceAccount, random: Random): void {
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken;
  if (mounts !== false) mountToken(spec, random);
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    spec.imagePullSecrets = account.imagePullSecrets.map((each) => ({ ...each }));
}

/** Validation comes after admission: a volume may lack its name here, or have a number for one. */
function hasTokenName({ name }: { readonly name?: unknown }): boolean {
  return typeof name === 'string' && name.startsWith(VOLUME_PREFIX);
}

/** Gives each container the files where it has nothing else; the volume is made once a container needs it. */
function mountToken(spec: PodSpec, random: Random): void {
  const known = spec.volumes?.find((volume) => hasTokenName(volume));
  const name = known?.name ?? VOLUME_PREFIX + nameSuffix(random);
  let isNeeded = false;
  const containers: Container[] = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  for (const container of containers) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some(({ mountPath }) => mountPath === MOUNT_PATH)) continue;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath: MOUNT_PATH }];
    isNeeded = true;
  }
  if (!known && isNeeded) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function tokenVolume(name: string): Volume {
  return {
    name,
    projected: {
      defaultMode: FILE_MODE,
      sources: [
        { serviceAccountToken: { path: 'token', expirationSeconds: POD_TOKEN_SECONDS } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [
              {
                path: 'namespace',
                fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' },
              },
            ],
          },
        },
      ],
    },
  };
}

/** The object at the key when it comes within the wait. */
function appears(store: ObjectStore, clock: Clock, key: string): Promise<object | undefined> {
  return new Promise((resolve) => {
    const finish = (object: object | undefined) => {
      timer.cancel();
      unsubscribe();
      resolve(object);
    };
    const timer = clock.timer(WAIT_MS, () => finish(undefined));
    const unsubscribe = store.subscribe(key, (event) => {
      if (event.type === 'put') finish(event.value.object());
    });
  });
}
