// Manifests of static pods that are played: what a directory would hold, for nodes without files.
// Invariant: whoever watches is told of each change, after it.
import type { ManifestFiles, ManifestText } from '../../static-pods/manifest-files.ts';

/** One directory, whatever it is called. */
export class MemoryManifests implements ManifestFiles {
  readonly #texts = new Map<string, string>();
  readonly #watchers = new Set<() => void>();

  /** Puts a file there, or takes it away. */
  put(name: string, text: string | undefined): void {
    if (text === undefined) this.#texts.delete(name);
    else this.#texts.set(name, text);
    for (const onChange of this.#watchers) onChange();
  }

  read(): Promise<ReadonlyMap<string, ManifestText>> {
    return Promise.resolve(new Map(Array.from(this.#texts, ([name, text]) => [name, { text }])));
  }

  watch(_directory: string, onChange: () => void, signal: AbortSignal): void {
    this.#watchers.add(onChange);
    signal.addEventListener('abort', () => this.#watchers.delete(onChange), { once: true });
  }
}
