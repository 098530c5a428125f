// A pod's volumes on the host: made before its containers, kept in step while it runs, removed after it.
// Each is a directory (or a host path) that containers see by bind mounts.
// Invariant: a volume's content comes from objects of the pod's own namespace only.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type {
  ConfigMapVolumeSource,
  KeyToPath,
  Pod,
  PodSpec,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from '../../api/generated/types.ts';
import { parseQuantity, toWhole } from '../../api/meta/quantity.ts';
import type { Random } from '../../base/random.ts';
import type { System } from '../../system/system.ts';
import { type VolumeFile, writeVolume } from './atomic-directory.ts';
import type { ObjectSources } from './object-sources.ts';
import { podField, type PodFacts, resourceField } from './pod-fields.ts';
import type { PodTokens } from './pod-tokens.ts';
import { bindSubPath, type SubPath } from './sub-path.ts';
import { ConfigError } from './volume-error.ts';

/** What volumes need. */
export interface PodVolumesOptions {
  readonly system: System;
  readonly sources: ObjectSources;
  readonly tokens: PodTokens;
  readonly random: Random;
  /** Folder of all pods' volumes. */
  readonly root: string;
}

const DEFAULT_MODE = 0o644;
const OWNED_TOKEN_MODE = 0o600;
const DEFAULT_TOKEN_SECONDS = 3600;
const failed = (text: string) => new ConfigError('FailedMount', text);

/** Says which kind it is: the one field beside the name. */
function notSupported(what: string, source: object): string {
  const kind = Object.keys(source).find((key) => key !== 'name') ?? 'nothing';
  return `this node does not support ${what} of kind ${kind}`;
}

/** Unmounts what lies below a folder of volumes: of one pod, or of all of them once no agent is left to do it. */
export function unmountVolumes(system: System, folder: string): void {
  for (const { mountPoint } of system.mounts().toReversed())
    if (mountPoint.startsWith(`${folder}/`)) system.unmount(mountPoint);
}

/** The volumes of the pods of a node. */
export class PodVolumes {
  readonly #options: PodVolumesOptions;
  /** Tells this run's generations from those of an agent before it. */
  readonly #run: string;
  #generation = 0;
  /** Paths that this run has made or found. */
  readonly #made = new Set<string>();
  readonly #mounted = new Set<string>();

  constructor(options: PodVolumesOptions) {
    this.#options = options;
    this.#run = options.random.uuid().slice(0, 8);
  }

  /** Host paths by volume name, made or brought up to date. Throws ConfigError when something is missing. */
  async prepare(pod: Pod, facts: PodFacts): Promise<ReadonlyMap<string, string>> {
    // Side by side: each may wait for the API server.
    const made = (pod.spec?.volumes ?? []).map(async (volume): Promise<[string, string]> => {
      try {
        return [volume.name, await this.#prepareOne(pod, volume, facts)];
      } catch (error) {
        // What the host's files refuse (no room, no such place) holds this pod up, and nothing else.
        const told = error instanceof ConfigError || (error instanceof Error && 'code' in error);
        if (!told) throw error;
        throw failed(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`);
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
    const { root } = this.#options;
    return existsSync(root) ? readdirSync(root) : [];
  }

  /** Removes what prepare made; host paths are left alone. Quiet when there is nothing. */
  remove(podUid: string): void {
    this.#options.tokens.release(podUid);
    const folder = join(this.#options.root, podUid);
    unmountVolumes(this.#options.system, folder);
    rmSync(folder, { recursive: true, force: true });
    for (const paths of [this.#made, this.#mounted])
      for (const path of paths) if (path.startsWith(`${folder}/`)) paths.delete(path);
  }

  async #prepareOne(pod: Pod, volume: Volume, facts: PodFacts): Promise<string> {
    if (volume.hostPath) return hostPath(volume.hostPath.path, volume.hostPath.type ?? '');
    const path = join(this.#options.root, pod.metadata.uid ?? '', volume.name);
    const group = pod.spec?.securityContext?.fsGroup;
    if (volume.emptyDir) {
      this.#emptyDir(path, volume.emptyDir, group);
      return path;
    }
    const secret =
      volume.secret ??
      volume.projected?.sources?.some((source) => source.secret ?? source.serviceAccountToken);
    const files = await this.#filesOf(pod, volume, facts).catch((error: unknown) => {
      // What a container has been given once it keeps, even when its source is gone.
      if (error instanceof ConfigError && existsSync(join(path, '..data'))) return undefined;
      throw error;
    });
    if (!files) return path;
    // Secrets never reach a disk.
    if (secret) this.#inMemory(path, 'mode=0755');
    writeVolume(path, files, { group, generation: `${this.#run}_${++this.#generation}` });
    return path;
  }

  #emptyDir(
    path: string,
    source: NonNullable<Volume['emptyDir']>,
    group: number | undefined,
  ): void {
    if (this.#made.has(path)) return;
    if (source.medium === 'Memory') {
      const bytes = source.sizeLimit ? toWhole(parseQuantity(source.sizeLimit)) : 0;
      this.#inMemory(path, `mode=0777${bytes > 0 ? `,size=${bytes}` : ''}`);
    } else if (!existsSync(path)) mkdirSync(path, { recursive: true });
    this.#made.add(path);
    if (group !== undefined) chownSync(path, 0, group);
    chmodSync(path, group === undefined ? 0o777 : 0o2777);
  }

  /** Makes the directory a tmpfs, once; after a reboot again. */
  #inMemory(path: string, data: string): void {
    if (this.#mounted.has(path)) return;
    const { system } = this.#options;
    mkdirSync(path, { recursive: true });
    if (!system.mounts().some(({ mountPoint }) => mountPoint === path))
      system.mount({ source: 'tmpfs', target: path, type: 'tmpfs', data });
    this.#mounted.add(path);
  }

  /** Binds a part of a volume to a path of its own, for the container's mount of that number. */
  subPath(pod: Pod, mount: { container: string; index: number }, part: Omit<SubPath, 'target'>) {
    const folder = join(this.#options.root, pod.metadata.uid ?? '', '.subpaths');
    const target = join(folder, mount.container, String(mount.index));
    bindSubPath(this.#options.system, { ...part, target });
    return target;
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
    const of = pod.spec?.containers.find((c) => c.name === resourceFieldRef?.containerName);
    const text = fieldRef
      ? podField(pod, fieldRef.fieldPath, facts)
      : resourceFieldRef && of
        ? resourceField(
            of,
            { resource: resourceFieldRef.resource, divisor: resourceFieldRef.divisor },
            facts,
          )
        : undefined;
    if (text === undefined) throw failed(`downward API file "${item.path}" names no known field`);
    return {
      path: item.path,
      content: Buffer.from(text),
      mode: item.mode ?? source.defaultMode ?? DEFAULT_MODE,
    };
  });
}

/** A path of the host, checked or made as its type says. */
function hostPath(path: string, type: string): string {
  if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true, mode: 0o755 });
  if (type === 'FileOrCreate' && !existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '', { mode: 0o644 });
  }
  if (type === '') return path;
  if (!existsSync(path)) throw failed(`hostPath type check failed: ${path} does not exist`);
  const found = statSync(realpathSync(path));
  const fits: Readonly<Record<string, boolean>> = {
    Directory: found.isDirectory(),
    DirectoryOrCreate: found.isDirectory(),
    File: found.isFile(),
    FileOrCreate: found.isFile(),
    Socket: found.isSocket(),
    CharDevice: found.isCharacterDevice(),
    BlockDevice: found.isBlockDevice(),
  };
  if (!fits[type]) throw failed(`hostPath type check failed: ${path} is not a ${type}`);
  return path;
}
