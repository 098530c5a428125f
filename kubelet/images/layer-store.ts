// Unpacked layers, one directory per diff digest, shared by all images: what overlayfs mounts.
// Invariants: a directory below `layers/` is complete (it is renamed into place), never changes, and is named by its digest,
// so several processes may add layers at once and the second finds the work done.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Hex digits of the digest that name a directory: short, so that many fit into one mount call, and still without collisions. */
const SHORT_ID_DIGITS = 20;

/** What is known of a layer. */
export interface LayerInfo {
  readonly diffId: string;
  /** Bytes of its files. */
  readonly sizeBytes: number;
}

/** Layers below one directory. */
export class LayerStore {
  readonly directory: string;
  readonly #info: string;
  readonly #staging: string;

  constructor(dir: string) {
    this.directory = join(dir, 'layers');
    this.#info = join(dir, 'layer-info');
    this.#staging = join(dir, 'staging');
    for (const path of [this.directory, this.#info, this.#staging])
      mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Where a layer lies, whether it is there or not. */
  pathOf(diffId: string): string {
    return join(this.directory, shortId(diffId));
  }

  /** Undefined when the layer is not there. */
  find(diffId: string): LayerInfo | undefined {
    if (!existsSync(this.pathOf(diffId))) return undefined;
    const info = JSON.parse(readFileSync(this.#infoPath(diffId), 'utf8')) as LayerInfo;
    return info.diffId === diffId ? info : undefined;
  }

  /** A fresh directory for work in progress; the caller removes it. */
  stage(): string {
    return mkdtempSync(join(this.#staging, 'w-'));
  }

  /** Takes a finished directory as the layer; the directory is gone afterwards either way. */
  adopt(info: LayerInfo, directory: string): void {
    if (!this.find(info.diffId)) {
      writeFileSync(this.#infoPath(info.diffId), JSON.stringify(info));
      try {
        renameSync(directory, this.pathOf(info.diffId));
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? ''))
          throw error;
      }
    }
    rmSync(directory, { recursive: true, force: true });
  }

  /** Removes layers that neither `keep` nor any text in `inUse` (options of live mounts) names. */
  prune(keep: ReadonlySet<string>, inUse: readonly string[]): void {
    const kept = new Set([...keep].map(shortId));
    for (const name of readdirSync(this.directory)) {
      if (kept.has(name) || inUse.some((options) => options.includes(name))) continue;
      rmSync(join(this.directory, name), { recursive: true, force: true });
      rmSync(join(this.#info, `${name}.json`), { force: true });
    }
  }

  #infoPath(diffId: string): string {
    return join(this.#info, `${shortId(diffId)}.json`);
  }
}

function shortId(diffId: string): string {
  return diffId.replace('sha256:', '').slice(0, SHORT_ID_DIGITS);
}
