// Volumes in this process: what pods were given, by volume, for nodes whose containers read nothing.
// Invariant: what is shown of a volume is one generation of its files.
import type { VolumeFile } from '../../volumes/atomic-directory.ts';
import { ConfigError } from '../../volumes/volume-error.ts';
import type { SubPathAt, VolumeAt, VolumeFiles } from '../../volumes/volume-files.ts';

const ROOT = '/volumes';
const CLAIMS = '/claims';

/** Volumes in memory. */
export class MemoryVolumes implements VolumeFiles {
  /** Files by volume, by uid of the pod; an empty directory has none. */
  readonly #pods = new Map<string, Map<string, readonly VolumeFile[] | undefined>>();

  emptyDir(at: VolumeAt): string {
    const volumes = this.#of(at.podUid);
    if (!volumes.has(at.volume)) volumes.set(at.volume, undefined);
    return this.pathOf(at);
  }

  /** Whatever is asked for is there. */
  async hostPath(path: string): Promise<string> {
    return path;
  }

  async answers(): Promise<void> {}

  /** Nobody owns anything here. */
  async own(): Promise<void> {}

  /** Any claim will do: whether it is bound is not this node's to ask. */
  claim(namespace: string, name: string): string {
    return `${CLAIMS}/${namespace}/${name}`;
  }

  hasFiles({ podUid, volume }: VolumeAt): boolean {
    return this.#pods.get(podUid)?.get(volume) !== undefined;
  }

  write(at: VolumeAt, files: readonly VolumeFile[]): string {
    this.#of(at.podUid).set(at.volume, files);
    return this.pathOf(at);
  }

  /** The files of a volume of a pod; none where it was given none. */
  filesOf({ podUid, volume }: VolumeAt): readonly VolumeFile[] {
    return this.#pods.get(podUid)?.get(volume) ?? [];
  }

  pathOf({ podUid, volume }: VolumeAt): string {
    return `${ROOT}/${podUid}/${volume}`;
  }

  async subPath({ root, inside }: SubPathAt): Promise<string> {
    if (inside.startsWith('/') || inside.split('/').includes('..'))
      throw new ConfigError(
        'CreateContainerConfigError',
        `failed to prepare subPath "${inside}": it leads out of its volume`,
      );
    return `${root}/${inside}`;
  }

  podUids(): string[] {
    return [...this.#pods.keys()];
  }

  async remove(podUid: string): Promise<void> {
    this.#pods.delete(podUid);
  }

  #of(podUid: string): Map<string, readonly VolumeFile[] | undefined> {
    const volumes = this.#pods.get(podUid) ?? new Map<string, readonly VolumeFile[] | undefined>();
    this.#pods.set(podUid, volumes);
    return volumes;
  }
}
