// The images of a node with registries behind them: what is not there is pulled. The agent's store of the embedded runtime.
// Invariant: everything but pulling is the plain store's.
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import type { System } from '../../../system/system.ts';
import type { ImageInfo, PullRequest } from '../../runtime/runtime.ts';
import { parseImageName } from '../image-name.ts';
import { createImageStore, type OciImageStore } from '../image-store.ts';
import { REGISTRY_PATIENCE, type RegistryPatience } from './exchange.ts';
import { registryOf, RegistryPuller } from './image-puller.ts';
import { PullProcess } from './pull-process.ts';
import { DEFAULT_SETTINGS, type RegistrySettings } from './registry-settings.ts';

/** What it is made from. */
export interface RegistryImageStoreOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly dir: string;
  /** Every registry is asked itself unless given. */
  readonly settings?: RegistrySettings;
  readonly patience?: Partial<RegistryPatience>;
}

/** For whom an image is pulled, whoever that is. */
export type StorePull = Pick<PullRequest, 'credentials' | 'signal' | 'onProgress'>;

/** A store that pulls, and the puller for those who want more. */
export interface RegistryImageStore extends OciImageStore {
  readonly puller: RegistryPuller;
  pull(image: string, request: StorePull): Promise<ImageInfo> | undefined;
}

/** A store that pulls in a process beside this one. */
export interface ApartImageStore extends RegistryImageStore {
  readonly apart: PullProcess;
}

/** Opens the store below `dir`. */
export function createRegistryImageStore(options: RegistryImageStoreOptions): RegistryImageStore {
  const { settings = DEFAULT_SETTINGS } = options;
  const store = createImageStore({ ...options, limits: settings.limits });
  const patience = { ...REGISTRY_PATIENCE, ...options.patience };
  const puller = new RegistryPuller({ ...options, settings, patience, store });
  const pull = (image: string, request: StorePull) => puller.pull(image, request);
  return Object.assign(store, { puller, pull });
}

/** Opens the store below `dir` for an agent: it asks registries itself, and what there is to fetch is fetched by another process. */
export function createApartImageStore(options: RegistryImageStoreOptions): ApartImageStore {
  const store = createRegistryImageStore(options);
  const { settings = DEFAULT_SETTINGS, system, clock, dir } = options;
  const patience = { ...REGISTRY_PATIENCE, ...options.patience };
  const apart = new PullProcess({
    system,
    clock,
    open: { kind: 'open', dir, settings: settings.source, patience },
    onDeath: async () => {
      await store.staging.removeAbandoned();
      await store.sweep();
    },
  });
  const fetch = async (image: string, request: StorePull) => {
    const { credentials = [] } = request;
    const asked = { ...request, credentials };
    const present = await store.puller.present(image, asked);
    if (present) return present;
    const pulled = await apart.pull({ ...asked, image });
    options.logger.info('image pulled', { image, id: pulled.id, sizeBytes: pulled.sizeBytes });
    return pulled;
  };
  return Object.assign(store, {
    apart,
    pull: (image: string, request: StorePull) => {
      const name = parseImageName(image);
      const isNowhere = name && settings.endpointsOf(registryOf(name)).length === 0;
      return isNowhere ? undefined : fetch(image, request);
    },
  });
}
