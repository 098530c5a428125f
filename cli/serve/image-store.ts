// The image store of a data directory, for the commands of `pinnace image`.
// Invariant: works on the store's folder, so it needs no running cluster; a running node sees new images at once.
import { existsSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { createLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { REGISTRY_PATIENCE } from '../../kubelet/images/registry/exchange.ts';
import type { PullerDoors } from '../../kubelet/images/registry/image-puller.ts';
import {
  createRegistryImageStore,
  type RegistryImageStore,
} from '../../kubelet/images/registry/registry-image-store.ts';
import type { RegistrySettings } from '../../kubelet/images/registry/registry-settings.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { dataPaths, prepareDataDirectory, UsageError } from './data-directory.ts';
import { keptRegistries, registriesOf } from './registries.ts';

/** Flags of all commands. */
export interface ImageFlags {
  readonly dataDir: string;
  /** Instead of the settings that the cluster keeps. */
  readonly registries?: string;
}

/** A store, and what moving images takes. */
export interface OpenStore extends PullerDoors {
  readonly store: RegistryImageStore;
}

/** The store of a data directory that is there: only what puts images into it makes one. */
export function storeThere(flags: ImageFlags): OpenStore {
  const { root } = dataPaths(flags.dataDir);
  if (!existsSync(root))
    throw new UsageError(
      `there is no data directory ${root}; name another with --data-dir, or make it with "npx pinnace up"`,
    );
  return storeOf(flags);
}

/** The store, made when it is not there. */
export function storeOf(
  flags: ImageFlags,
  settled: (settings: RegistrySettings) => RegistrySettings = (settings) => settings,
): OpenStore {
  const paths = dataPaths(flags.dataDir);
  prepareDataDirectory(paths);
  const kept =
    flags.registries === undefined ? keptRegistries(paths) : registriesOf(flags.registries);
  const settings = settled(kept);
  const doors = {
    system: createLinuxSystem(),
    clock: systemClock,
    random: systemRandom,
    logger: createLogger('warn'),
    patience: REGISTRY_PATIENCE,
    settings,
  };
  return { ...doors, store: createRegistryImageStore({ ...doors, dir: paths.images }) };
}
