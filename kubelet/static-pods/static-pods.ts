// The pods that a node runs by its own files: found, begun, changed and ended as the files are, whether there is an API server or not.
// Invariants: a bad file harms no other pod; of one name there is one pod at a time, the next comes once the last has gone.
import type { Pod } from '../../api/generated/types.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { ManifestFiles, ManifestText } from './manifest-files.ts';

/** A file that is being written is read when it has been left alone for so long. */
const SETTLE_MS = 100;

/** What it needs. */
export interface StaticPodsOptions {
  /** '' for none. */
  readonly directory: string;
  readonly files: ManifestFiles;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The node is to run the pod. */
  readonly take: (pod: Pod) => void;
  /** The node is to end the pod; `gone` follows. */
  readonly drop: (podUid: string) => void;
  /** Tells that a file cannot be used. */
  readonly tellProblem: (message: string) => void;
  /** The pod of that namespace and name is another one, or none. */
  readonly onChange: (key: string) => void;
}

/** The static pods of one node. */
export class StaticPods {
  readonly #options: StaticPodsOptions;
  /** What is wanted, by file. */
  #wanted: ReadonlyMap<string, Pod> = new Map();
  /** Pods that the node has, those that are leaving among them, by uid. */
  readonly #live = new Map<string, Pod>();
  readonly #told = new Map<string, string>();
  #reading: Promise<void> | undefined;
  #isStale = false;

  constructor(options: StaticPodsOptions) {
    this.#options = options;
  }

  /** The pod that is to run under a namespace and name. */
  find(key: string): Pod | undefined {
    return [...this.#wanted.values()].find((pod) => keyOf(pod) === key);
  }

  /** Reads the files now and does what they say. Never rejects. */
  read(): Promise<void> {
    if (this.#options.directory === '') return Promise.resolve();
    this.#isStale = true;
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  /** Follows the files until the signal aborts. */
  run(signal: AbortSignal): void {
    const { directory, files, clock } = this.#options;
    if (directory === '') return;
    let timer: Timer | undefined;
    const look = () => {
      timer?.cancel();
      timer = clock.timer(SETTLE_MS, () => void this.read());
    };
    files.watch(directory, look, signal);
    signal.addEventListener('abort', () => timer?.cancel(), { once: true });
    // What has changed between the first reading and the watch.
    void this.read();
  }

  /** Nothing of the pod is left on the node. */
  gone(podUid: string): void {
    if (!this.#live.delete(podUid)) return;
    this.#begin();
  }

  async #readAll(): Promise<void> {
    const { directory, files, logger } = this.#options;
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.#want(await this.#podsOf(await files.read(directory)));
      }
    } catch (error) {
      logger.warn('static pods could not be read', { err: error });
    }
    this.#reading = undefined;
  }

  async #podsOf(texts: ReadonlyMap<string, ManifestText>): Promise<ReadonlyMap<string, Pod>> {
    const pods = new Map<string, Pod>();
    for (const file of this.#told.keys()) if (!texts.has(file)) this.#told.delete(file);
    // Loaded with the first reading, whatever there is to read: later ones take no time of their own.
    const { staticPodOf } = await import('./static-pod.ts');
    const { nodeName, clock } = this.#options;
    for (const [file, read] of texts)
      try {
        if ('problem' in read) throw new Error(read.problem);
        const pod = staticPodOf(read.text, { file, nodeName, nowMs: clock.now() });
        const other = [...pods].find(([, known]) => keyOf(known) === keyOf(pod))?.[0];
        if (other !== undefined) throw new Error(`its pod has the name of that in ${other}`);
        pods.set(file, this.#live.get(pod.metadata.uid ?? '') ?? pod);
        this.#told.delete(file);
      } catch (error) {
        this.#tell(file, (error as Error).message);
      }
    return pods;
  }

  /** Once for each fault of a file. */
  #tell(file: string, why: string): void {
    if (this.#told.get(file) === why) return;
    this.#told.set(file, why);
    const message = `the static pod in ${this.#options.directory}/${file} is not run: ${why}`;
    this.#options.logger.warn(message);
    this.#options.tellProblem(message);
  }

  #want(wanted: ReadonlyMap<string, Pod>): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    const uids = new Set(Array.from(wanted.values(), ({ metadata }) => metadata.uid));
    for (const uid of this.#live.keys()) if (!uids.has(uid)) this.#options.drop(uid);
    this.#begin();
    const keys = [...before.values(), ...wanted.values()].map((pod) => keyOf(pod));
    for (const key of new Set(keys)) this.#options.onChange(key);
  }

  /** Begins what is wanted and has no namesake on the node. */
  #begin(): void {
    const taken = new Set(Array.from(this.#live.values(), (pod) => keyOf(pod)));
    for (const pod of this.#wanted.values()) {
      const { uid = '' } = pod.metadata;
      if (taken.has(keyOf(pod))) continue;
      this.#live.set(uid, pod);
      this.#options.take(pod);
    }
  }
}
