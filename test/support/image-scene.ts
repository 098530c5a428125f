// An image store with registries, in a folder of its own, and layers and images to fill it with.
// Invariant: nothing is left in the store's places for work in progress that a test has not left there on purpose.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { buildImage } from '../../kubelet/images/build.ts';
import type { RegistryPatience } from '../../kubelet/images/registry/exchange.ts';
import { pushImage, type PushOptions } from '../../kubelet/images/registry/image-pusher.ts';
import {
  createApartImageStore,
  createRegistryImageStore,
  type ApartImageStore,
  type RegistryImageStore,
} from '../../kubelet/images/registry/registry-image-store.ts';
import { parseRegistrySettings } from '../../kubelet/images/registry/registry-settings.ts';
import { REGISTRY_PATIENCE } from '../../kubelet/images/registry/exchange.ts';
import type { ImageInfo } from '../../kubelet/runtime/runtime.ts';
import { createLinuxSystem } from '../../system/linux.ts';

/** A member of a layer. */
export type LayerEntry = Partial<Header> & {
  readonly name: string;
  readonly content?: string | Buffer;
};

/** A tar of these members. */
export async function layerTar(entries: readonly LayerEntry[]): Promise<Buffer> {
  const stream = pack();
  for (const { content = '', ...header } of entries) stream.entry(header, content);
  stream.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A store, and what it is used with. */
export interface ImageScene {
  readonly folder: string;
  readonly store: RegistryImageStore;
  /** The same store as an agent has it: it pulls in a process beside this one. */
  apart(): ApartImageStore;
  push(image: string, options?: Partial<PushOptions>): Promise<string>;
  /** A small image of two layers, built here. */
  build(name: string, content?: string): Promise<ImageInfo>;
  /** Names of all that lies in the store, but for empty folders: none after a failure on an empty store. */
  left(): readonly string[];
  dispose(): void;
}

/** Opens one. `settings` are those of registries.json. */
export function imageScene(
  settings: object = {},
  patience: Partial<RegistryPatience> = {},
): ImageScene {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-images-'));
  const dir = join(folder, 'images');
  const quick = { ...REGISTRY_PATIENCE, retryInitialMs: 5, retryMaxMs: 50, ...patience };
  const doors = {
    system: createLinuxSystem(),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    patience: quick,
    settings: parseRegistrySettings(JSON.stringify(settings), join(folder, 'registries.json')),
  };
  const store = createRegistryImageStore({ ...doors, dir });
  const apart = () => createApartImageStore({ ...doors, dir });
  const { signal } = new AbortController();
  return {
    folder,
    store,
    apart,
    push: (image, options = {}) => pushImage({ ...doors, store }, image, { signal, ...options }),
    build: (name, content = name) =>
      buildImage(store, {
        name,
        layers: [
          { files: [{ content: 'shared', target: '/etc/base' }] },
          {
            files: [
              { content, target: '/app/main', mode: 0o4755 },
              { link: 'main', target: '/app/a' },
            ],
          },
        ],
        config: { Entrypoint: ['/app/main'] },
      }),
    left: () =>
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
        // Tells during which boot of the host the store was looked through last.
        .filter((path) => path !== 'boot'),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
