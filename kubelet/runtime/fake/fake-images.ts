// An ImageStore in memory: names that are there, with whatever the images say, and names that can be pulled.
// Invariant: an image is there for all once it is for one; a pull that is given up leaves nothing.
import type { Clock } from '../../../base/clock.ts';
import type { ImageInfo, ImageStore, PullRequest } from '../runtime.ts';

/** What may be pulled, and how long it takes. */
export interface FakePulls {
  readonly clock: Clock;
  /** Milliseconds until it is there; undefined for a name that no registry has. */
  msOf(image: string, request: PullRequest): number | undefined;
}

/** Images by name. */
export class FakeImageStore implements ImageStore {
  readonly #images = new Map<string, ImageInfo>();
  /** Wall times when images that are being pulled will be there. */
  readonly #due = new Map<string, number>();
  readonly #pulls: FakePulls | undefined;

  /** Nothing can be pulled unless `pulls` is given. */
  constructor(pulls?: FakePulls) {
    this.#pulls = pulls;
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
    return this.#images.get(image) ?? [...this.#images.values()].find((i) => i.id === image);
  }

  async list(): Promise<readonly ImageInfo[]> {
    return [...this.#images.values()];
  }

  pull(image: string, request: PullRequest): Promise<ImageInfo> | undefined {
    const pulls = this.#pulls;
    const ms = pulls?.msOf(image, request);
    if (!pulls || ms === undefined) return undefined;
    return this.#pull(image, { clock: pulls.clock, ms, signal: request.signal });
  }

  /** Whoever asks for an image that is on its way waits for it only as long as it still takes. */
  async #pull(
    image: string,
    { clock, ms, signal }: { clock: Clock; ms: number; signal: AbortSignal },
  ): Promise<ImageInfo> {
    const now = clock.now();
    const known = this.#due.get(image);
    const due = known !== undefined && known >= now ? known : now + ms;
    this.#due.set(image, due);
    if (due > now) await clock.sleep(due - now, signal);
    this.#due.delete(image);
    return this.#images.get(image) ?? this.add(image);
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
