// Unpacked layers, one directory per diff digest, shared by all images: what overlayfs mounts.
// Invariants: a directory below `layers/` is complete (it is renamed into place), never changes, and is named by its digest,
// so several processes may add layers at once and the second finds the work done. It is on the disk once an image that is recorded has it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../system/system.ts';
import { moveAway, writeWhole } from './blob-store.ts';
import { BadImageError } from './image-config.ts';
import type { UnpackLimits } from './limits.ts';
import type { Staging } from './staging.ts';
import { unpackTar } from './unpack.ts';
import { hideNames } from './whiteouts.ts';

/** Hex digits of the digest that name a directory: short, so that many fit into one mount call, and still without collisions. */
const SHORT_ID_DIGITS = 20;

/** What is known of a layer. */
export interface LayerInfo {
  readonly diffId: string;
  /** Bytes of its files. */
  readonly sizeBytes: number;
  /** Files, links and directories; not told of layers from before they were counted. */
  readonly members?: number;
}

/** A layer as a tar, and what it must be. */
export interface LayerSource {
  readonly file: string;
  readonly sizeBytes: number;
  readonly diffId: string;
}

/** Layers below one directory. */
export class LayerStore {
  readonly directory: string;
  readonly #info: string;
  readonly #staging: Staging;
  /** What was read of layers once: it never changes. */
  readonly #known = new Map<string, LayerInfo>();

  constructor(dir: string, staging: Staging) {
    this.directory = join(dir, 'layers');
    this.#info = join(dir, 'layer-info');
    this.#staging = staging;
    for (const path of [this.directory, this.#info])
      mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** Where a layer lies, whether it is there or not. */
  pathOf(diffId: string): string {
    return join(this.directory, shortId(diffId));
  }

  /** Undefined when the layer is not there. */
  find(diffId: string): LayerInfo | undefined {
    if (!existsSync(this.pathOf(diffId))) return undefined;
    const info = infoIn(this.#infoPath(diffId));
    return info?.diffId === diffId ? info : undefined;
  }

  /** A fresh directory for work in progress; the caller removes it. */
  stage(): string {
    return this.#staging.directory();
  }

  /** Unpacks a layer that is not there yet. Throws BadImageError, leaving nothing, when it is not what it must be. */
  async unpack(
    system: System,
    source: LayerSource,
    options: { limits: UnpackLimits; roomBytes?: number; signal?: AbortSignal },
  ): Promise<void> {
    if (this.find(source.diffId)) return;
    const directory = this.stage();
    try {
      const unpacked = await unpackTar(
        system,
        { ...source, directory },
        { mode: 'layer', ...options },
      );
      if (unpacked.diffId !== source.diffId)
        throw new BadImageError(`a layer's content does not have the digest ${source.diffId}`);
      await hideNames(system, directory, unpacked.hidden);
      const { diffId, sizeBytes, members } = unpacked;
      this.adopt({ diffId, sizeBytes, members }, directory);
    } finally {
      await this.#staging.remove(directory);
    }
  }

  /** Takes a finished directory as the layer; the caller removes what is left of it. */
  adopt(info: LayerInfo, directory: string): void {
    if (this.find(info.diffId)) return;
    writeWhole(this.#infoPath(info.diffId), JSON.stringify(info));
    try {
      renameSync(directory, this.pathOf(info.diffId));
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error;
    }
  }

  /** What all layers take. */
  used(): { bytes: number; files: number } {
    const used = { bytes: 0, files: 0 };
    for (const name of readdirSync(this.#info)) {
      const info = this.#known.get(name) ?? infoIn(join(this.#info, name));
      if (!info) continue;
      this.#known.set(name, info);
      used.bytes += info.sizeBytes;
      used.files += info.members ?? 0;
    }
    return used;
  }

  /** Removes layers that neither `keep` nor any text in `inUse` (options of live mounts) names; answers how many bytes that were. */
  async prune(keep: ReadonlySet<string>, inUse: readonly string[]): Promise<number> {
    let freed = 0;
    for (const name of this.#unused(keep, inUse)) freed += await this.#remove(name);
    return freed;
  }

  /** Moves such layers into a directory of the same file system, and forgets what is known of layers that are not there; answers their names. */
  putAway(keep: ReadonlySet<string>, inUse: readonly string[], into: string): readonly string[] {
    const away = this.#unused(keep, inUse);
    for (const name of away) moveAway(join(this.directory, name), join(into, name));
    const there = new Set(readdirSync(this.directory).map((name) => `${name}.json`));
    for (const name of readdirSync(this.#info))
      if (!there.has(name)) rmSync(join(this.#info, name), { force: true });
    return away;
  }

  #unused(keep: ReadonlySet<string>, inUse: readonly string[]): readonly string[] {
    const kept = new Set([...keep].map(shortId));
    return readdirSync(this.directory).filter(
      (name) => !kept.has(name) && !inUse.some((options) => options.includes(name)),
    );
  }

  /** Out of everybody's sight at once, and then file by file. */
  async #remove(name: string): Promise<number> {
    const infoPath = join(this.#info, `${name}.json`);
    const info = infoIn(infoPath);
    this.#known.delete(`${name}.json`);
    const trash = this.stage();
    renameSync(join(this.directory, name), join(trash, name));
    rmSync(infoPath, { force: true });
    await this.#staging.remove(trash);
    return info?.sizeBytes ?? 0;
  }

  #infoPath(diffId: string): string {
    return join(this.#info, `${shortId(diffId)}.json`);
  }
}

/** Undefined when it is not there: another process may have removed the layer just now. */
function infoIn(path: string): LayerInfo | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LayerInfo;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function shortId(diffId: string): string {
  return diffId.replace('sha256:', '').slice(0, SHORT_ID_DIGITS);
}
