// An ImageStore in memory: names that are there, with whatever the images say, and names that can be pulled.
// Invariant: an image is there for all once it is for one; a pull that is given up leaves nothing.
import type { Clock } from '../../../base/clock.ts';
import type { ImageInfo, ImageStore, PullRequest } from '../runtime.ts';

/** How a pull goes: how long it takes, and why it fails then, if it does. */
export interface FakePull {
  readonly ms: number;
  readonly error?: string | undefined;
}

/** What may be pulled. */
export interface FakePulls {
  readonly clock: Clock;
  /** How it goes; undefined for a name that no registry has. */
  pullOf(image: string, request: PullRequest): FakePull | undefined;
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

  /** Takes it away, by name or id; false when it is not there. */
  remove(image: string): Promise<boolean> {
    const found = [...this.#images].filter(([name, { id }]) => name === image || id === image);
    for (const [name] of found) this.#images.delete(name);
    return Promise.resolve(found.length > 0);
  }

  async resolve(image: string): Promise<ImageInfo | undefined> {
    return this.#images.get(image) ?? [...this.#images.values()].find((i) => i.id === image);
  }

  async list(): Promise<readonly ImageInfo[]> {
    return [...this.#images.values()];
  }

  pull(image: string, request: PullRequest): Promise<ImageInfo> | undefined {
    const pulls = this.#pulls;
    const how = pulls?.pullOf(image, request);
    if (!pulls || !how) return undefined;
    return this.#pull(image, { ...how, clock: pulls.clock, signal: request.signal });
  }

  /** Whoever asks for an image that is on its way waits for it only as long as it still takes. */
  async #pull(
    image: string,
    { clock, ms, error, signal }: FakePull & { clock: Clock; signal: AbortSignal },
  ): Promise<ImageInfo> {
    const now = clock.now();
    const known = this.#due.get(image);
    const due = known !== undefined && known >= now ? known : now + ms;
    this.#due.set(image, due);
    if (due > now) await clock.sleep(due - now, signal);
    this.#due.delete(image);
    if (error !== undefined) throw new Error(error);
    return this.#images.get(image) ?? this.add(image);
  }
}

function imageNamed(name: string, parts: Partial<ImageInfo>): ImageInfo {
  return {
    id: `fake:${name}`,
    names: [name],
    repoDigests: [],
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
