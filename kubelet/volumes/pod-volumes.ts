// A pod's volumes: made before its containers, kept in step while it runs, removed after it.
// What is in them is decided here, where it lies by VolumeFiles.
// Invariant: a volume's content comes from objects of the pod's own namespace only.
import type {
  ConfigMapVolumeSource,
  KeyToPath,
  PersistentVolume,
  Pod,
  PodSpec,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../../api/generated/types.ts';
import type { VolumeFile } from './atomic-directory.ts';
import { type Claims, claimOf, ClaimProblem, type NamedClaim } from './claims.ts';
import { emptyDirOf } from './empty-dir.ts';
import type { ObjectSources } from './object-sources.ts';
import { podField, type PodFacts, resourceField } from './pod-fields.ts';
import type { PodTokens } from './pod-tokens.ts';
import { ConfigError } from './volume-error.ts';
import type { SubPathAt, VolumeAt, VolumeFiles } from './volume-files.ts';

/** What volumes need. */
export interface PodVolumesOptions {
  readonly files: VolumeFiles;
  readonly sources: ObjectSources;
  readonly tokens: PodTokens;
  readonly claims: Claims;
}

const DEFAULT_MODE = 0o644;
const OWNED_TOKEN_MODE = 0o600;
const DEFAULT_TOKEN_SECONDS = 3600;
const failed = (text: string) => new ConfigError('FailedMount', text);

/** Says which kind it is: the one field beside those that all kinds have; of a driver its name too, in upstream's words. */
function notSupported(what: string, source: object): string {
  const found = Object.entries(source).find(([key, value]) => isKind(key, value));
  const [kind, of] = found ?? ['nothing', undefined];
  const { driver } = (kind === 'csi' ? of : {}) as { driver?: string };
  const why = driver && `: driver name ${driver} not found in the list of registered CSI drivers`;
  return `this node does not support ${what} of kind ${kind}${why ?? ''}`;
}

const isKind = (key: string, value: unknown): boolean =>
  typeof value === 'object' && !Array.isArray(value) && !OF_EVERY_VOLUME.has(key);

/** Fields of a PersistentVolume that are no source. */
const OF_EVERY_VOLUME = new Set(['capacity', 'claimRef', 'nodeAffinity']);

/** The volumes of the pods of a node. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  /** Paths of claimed volumes, which their pods keep whatever becomes of the claim; by pod and volume. */
  readonly #claimed = new Map<string, Map<string, string>>();

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /** Host paths by volume name, made or brought up to date. Throws ConfigError when something is missing. */
  async prepare(pod: Pod, facts: PodFacts): Promise<ReadonlyMap<string, string>> {
    // Side by side: each may wait for the API server.
    // Those that show images are the runtime's to make, with the containers that mount them.
    const volumes = (pod.spec?.volumes ?? []).filter(({ image }) => !image);
    const made = volumes.map(async (volume): Promise<[string, string]> => {
      try {
        return [volume.name, await this.#prepareOne(pod, volume, facts)];
      } catch (error) {
        // What the host's files refuse (no room, no such place) holds this pod up, and nothing else.
        const told = error instanceof ConfigError || (error instanceof Error && 'code' in error);
        if (!told || error instanceof ClaimProblem) throw error;
        throw failed(notSetUp(volume.name, error));
      }
    });
    return new Map(await Promise.all(made));
  }

  /** Wall time when a volume of the pod is to be looked at again, though nothing happens; infinity for never. */
  dueAt(podUid: string): number {
    return this.#options.tokens.dueAt(podUid);
  }

  /** Pods that have something here. */
  podUids(): string[] {
    return this.#options.files.podUids();
  }

  /** Removes what prepare made; host paths are left alone. Quiet when there is nothing. */
  async remove(podUid: string): Promise<void> {
    this.#options.tokens.release(podUid);
    await this.#options.files.remove(podUid);
    this.#claimed.delete(podUid);
    this.#options.claims.release(podUid);
  }

  /** A part of a volume for one mount of a container. Throws ConfigError when it leads out of the volume. */
  subPath(part: SubPathAt): Promise<string> {
    return this.#options.files.subPath(part);
  }

  /** Resolves when a volume's path can be looked at; throws ConfigError while its file system hangs. */
  answers(podUid: string, path: string): Promise<void> {
    return this.#options.files.answers(podUid, path);
  }

  async #prepareOne(pod: Pod, volume: Volume, facts: PodFacts): Promise<string> {
    const { files } = this.#options;
    const at = { podUid: pod.metadata.uid ?? '', volume: volume.name };
    if (volume.hostPath)
      return files.hostPath(volume.hostPath.path, volume.hostPath.type ?? '', at);
    if (volume.nfs && files.nfs) {
      const { server, path, readOnly = false } = volume.nfs;
      return files.nfs(at, { server, path, readOnly, options: [] });
    }
    const claim = claimOf(pod, volume);
    if (claim) return this.#claimedPath(pod, volume, claim);
    const group = pod.spec?.securityContext?.fsGroup;
    if (volume.emptyDir)
      return files.emptyDir(at, emptyDirOf(pod, volume.emptyDir, facts.allocatable));
    const content = await this.#filesOf(pod, volume, facts).catch((error: unknown) => {
      // What a container has been given once it keeps, even when its source is gone.
      if (error instanceof ConfigError && files.hasFiles(at)) return undefined;
      throw error;
    });
    return content
      ? files.write(at, content, { secret: isSecret(volume), group })
      : files.pathOf(at);
  }

  async #claimedPath(pod: Pod, volume: Volume, named: NamedClaim): Promise<string> {
    const { files, claims } = this.#options;
    if (files.claim) return files.claim(pod.metadata.namespace ?? '', named.name);
    const uid = pod.metadata.uid ?? '';
    const known = this.#claimed.get(uid)?.get(volume.name);
    if (known !== undefined) return known;
    const found = await claims.volumeOf(pod, volume, named);
    try {
      const path = await this.#persistentPath(pod, volume, found);
      this.#claimed.set(uid, (this.#claimed.get(uid) ?? new Map()).set(volume.name, path));
      return path;
    } catch (error) {
      throw new ClaimProblem(notSetUp(found.metadata.name ?? '', error as Error));
    }
  }

  async #persistentPath(
    pod: Pod,
    volume: Volume,
    { spec = {} }: PersistentVolume,
  ): Promise<string> {
    const { files } = this.#options;
    const at = { podUid: pod.metadata.uid ?? '', volume: volume.name };
    if (spec.volumeMode === 'Block') return this.#devicePath(at, spec);
    const { hostPath, local, nfs, mountOptions: options = [] } = spec;
    if (hostPath) return files.hostPath(hostPath.path, hostPath.type ?? '', at);
    if (nfs && files.nfs) {
      const readOnly = nfs.readOnly === true || isTakenReadOnly(volume);
      return files.nfs(at, { server: nfs.server, path: nfs.path, readOnly, options });
    }
    if (!local) throw failed(notSupported('persistent volumes', spec));
    return this.#ownLocalPath(pod, volume, local.path);
  }

  /** A device of the host, which containers are given as one. */
  #devicePath(at: VolumeAt, spec: NonNullable<PersistentVolume['spec']>): Promise<string> {
    const { files } = this.#options;
    const path = spec.local?.path ?? spec.hostPath?.path;
    if (path === undefined || !files.blockDevice) throw failed(notSupported('block devices', spec));
    return files.blockDevice(path, at);
  }

  async #ownLocalPath(pod: Pod, volume: Volume, local: string): Promise<string> {
    const at = { podUid: pod.metadata.uid ?? '', volume: volume.name };
    const path = await this.#localPath(local, at);
    const { fsGroup: group, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
    const onRootMismatch = fsGroupChangePolicy === 'OnRootMismatch';
    if (group !== undefined && !isTakenReadOnly(volume))
      await this.#options.files.own(at, path, { group, onRootMismatch, readOnly: false });
    return path;
  }

  async #localPath(path: string, at: VolumeAt): Promise<string> {
    try {
      return await this.#options.files.hostPath(path, 'Directory', at);
    } catch (error) {
      const isMissing =
        error instanceof ConfigError && error.message.endsWith('is not a directory');
      throw isMissing ? failed(`path "${path}" does not exist`) : error;
    }
  }

  async #filesOf(pod: Pod, volume: Volume, facts: PodFacts): Promise<VolumeFile[]> {
    const { configMap, secret, projected, downwardAPI } = volume;
    if (configMap) return this.#configMapFiles(pod, configMap, configMap.defaultMode);
    if (secret)
      return this.#secretFiles(pod, { ...secret, name: secret.secretName }, secret.defaultMode);
    if (downwardAPI) return downwardFiles(pod, downwardAPI, facts);
    if (projected) {
      const parts = (projected.sources ?? []).map((each) =>
        this.#projectedFiles(pod, each, { facts, mode: projected.defaultMode }),
      );
      return (await Promise.all(parts)).flat();
    }
    throw failed(notSupported('volumes', volume));
  }

  #projectedFiles(
    pod: Pod,
    source: VolumeProjection,
    at: { facts: PodFacts; mode: number | undefined },
  ): Promise<VolumeFile[]> {
    if (source.configMap) return this.#configMapFiles(pod, source.configMap, at.mode);
    if (source.secret) return this.#secretFiles(pod, source.secret, at.mode);
    if (source.downwardAPI)
      return Promise.resolve(
        downwardFiles(pod, { ...source.downwardAPI, defaultMode: at.mode }, at.facts),
      );
    if (source.serviceAccountToken) return this.#tokenFile(pod, source.serviceAccountToken, at);
    throw failed(notSupported('sources of projected volumes', source));
  }

  /** Readable by the pod's users alone where the pod says who they are. */
  async #tokenFile(
    pod: Pod,
    source: ServiceAccountTokenProjection,
    at: { mode: number | undefined },
  ): Promise<VolumeFile[]> {
    const { audience, expirationSeconds = DEFAULT_TOKEN_SECONDS, path } = source;
    const wanted = { audience: audience || undefined, seconds: expirationSeconds };
    const content = Buffer.from(await this.#options.tokens.token(pod, wanted));
    const owner = onlyUserOf(pod.spec);
    const isOwned = owner !== undefined || pod.spec?.securityContext?.fsGroup !== undefined;
    const mode = isOwned ? OWNED_TOKEN_MODE : (at.mode ?? DEFAULT_MODE);
    return [{ path, content, mode, ...(owner === undefined ? {} : { owner }) }];
  }

  async #configMapFiles(
    pod: Pod,
    source: Pick<ConfigMapVolumeSource, 'name' | 'items' | 'optional'>,
    mode: number | undefined,
  ): Promise<VolumeFile[]> {
    const { name = '' } = source;
    const object = await this.#options.sources.configMap(pod.metadata.namespace ?? '', name);
    if (!object && !source.optional) throw failed(`configmap "${name}" not found`);
    const data = new Map<string, Uint8Array>();
    for (const [key, text] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(text));
    for (const [key, text] of Object.entries(object?.binaryData ?? {}))
      data.set(key, Buffer.from(text, 'base64'));
    return pick(data, { ...source, missing: 'configmap references non-existent config key', mode });
  }

  async #secretFiles(
    pod: Pod,
    source: Pick<SecretVolumeSource, 'items' | 'optional'> & { name?: string | undefined },
    mode: number | undefined,
  ): Promise<VolumeFile[]> {
    const { name = '' } = source;
    const object = await this.#options.sources.secret(pod.metadata.namespace ?? '', name);
    if (!object && !source.optional) throw failed(`secret "${name}" not found`);
    const data = new Map(
      Object.entries(object?.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]),
    );
    return pick(data, { ...source, missing: 'references non-existent secret key', mode });
  }
}

const notSetUp = (volume: string, { message }: Error): string =>
  `MountVolume.SetUp failed for volume "${volume}" : ${message}`;

const isTakenReadOnly = ({ persistentVolumeClaim }: Volume): boolean =>
  persistentVolumeClaim?.readOnly === true;

/** Does it hold what nobody else may see? */
function isSecret({ secret, projected }: Volume): boolean {
  if (secret) return true;
  return (projected?.sources ?? []).some((each) => each.secret ?? each.serviceAccountToken);
}

/** The user that all containers run as, where the pod says so of each. */
function onlyUserOf(spec: PodSpec | undefined): number | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const users = new Set(
    containers.map(
      ({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
    ),
  );
  return users.size === 1 ? [...users][0] : undefined;
}

function pick(
  data: ReadonlyMap<string, Uint8Array>,
  how: {
    items?: KeyToPath[] | undefined;
    optional?: boolean | undefined;
    missing: string;
    mode: number | undefined;
  },
): VolumeFile[] {
  const mode = how.mode ?? DEFAULT_MODE;
  for (const { path } of how.items ?? [])
    if (path.startsWith('/') || path.split('/').some((part) => part.startsWith('..')))
      throw failed(`invalid path "${path}": it must be relative and must not contain ".."`);
  if (!how.items) return [...data].map(([path, content]) => ({ path, content, mode }));
  return how.items.flatMap((item) => {
    const content = data.get(item.key);
    if (content) return [{ path: item.path, content, mode: item.mode ?? mode }];
    if (how.optional) return [];
    throw failed(`${how.missing}: ${item.key}`);
  });
}

function downwardFiles(
  pod: Pod,
  source: NonNullable<Volume['downwardAPI']>,
  facts: PodFacts,
): VolumeFile[] {
  return (source.items ?? []).map((item) => {
    const { resourceFieldRef, fieldRef } = item;
    const text = fieldRef
      ? podField(pod, fieldRef.fieldPath, facts)
      : resourceFieldRef && resourceField(resourceFieldRef, { pod, facts });
    if (text === undefined) throw failed(`downward API file "${item.path}" names no known field`);
    return {
      path: item.path,
      content: Buffer.from(text),
      mode: item.mode ?? source.defaultMode ?? DEFAULT_MODE,
    };
  });
}
