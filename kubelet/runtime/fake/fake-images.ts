// An ImageStore in memory: names that are there, with whatever the images say.
import type { ImageInfo, ImageStore } from '../runtime.ts';

/** Images by name. */
export class FakeImageStore implements ImageStore {
  readonly #images = new Map<string, ImageInfo>();
  readonly #has: ((name: string) => boolean) | undefined;

  /** `has` lets every name of a kind be there, for scale. */
  constructor(has?: (name: string) => boolean) {
    this.#has = has;
  }

  /** Puts an image there. */
  add(name: string, parts: Partial<ImageInfo> = {}): ImageInfo {
    const image = imageNamed(name, parts);
    this.#images.set(name, image);
    return image;
  }

  /** Takes it away. */
  remove(name: string): void {
    this.#images.delete(name);
  }

  async resolve(image: string): Promise<ImageInfo | undefined> {
    const known = this.#images.get(image) ?? [...this.#images.values()].find((i) => i.id === image);
    if (known) return known;
    const name = image.replace(/^fake:/, '');
    return this.#has?.(name) ? this.add(name) : undefined;
  }

  async list(): Promise<readonly ImageInfo[]> {
    return [...this.#images.values()];
  }
}

function imageNamed(name: string, parts: Partial<ImageInfo>): ImageInfo {
  return {
    id: `fake:${name}`,
    names: [name],
    sizeBytes: 1_000_000,
    entrypoint: [],
    cmd: ['run'],
    env: [],
    workingDir: '/',
    user: '',
    stopSignal: undefined,
    ...parts,
  };
}
