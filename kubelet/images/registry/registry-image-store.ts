// The images of a node with registries behind them: what is not there is pulled. The agent's store of the embedded runtime.
// Invariant: everything but pulling is the plain store's.
import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/logger.ts';
import type { Random } from '../../../base/random.ts';
import type { System } from '../../../system/system.ts';
import type { ImageInfo, PullRequest } from '../../runtime/runtime.ts';
import { createImageStore, type OciImageStore } from '../image-store.ts';
import { REGISTRY_PATIENCE, type RegistryPatience } from './exchange.ts';
import { RegistryPuller } from './image-puller.ts';
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

/** A store that pulls, and the puller for those who are no pods. */
export interface RegistryImageStore extends OciImageStore {
  readonly puller: RegistryPuller;
  pull(
    image: string,
    request: Pick<PullRequest, 'credentials' | 'verify' | 'signal' | 'onProgress'>,
  ): Promise<ImageInfo> | undefined;
}

/** Opens the store below `dir`. */
export function createRegistryImageStore(options: RegistryImageStoreOptions): RegistryImageStore {
  const { settings = DEFAULT_SETTINGS } = options;
  const store = createImageStore({ ...options, limits: settings.limits });
  const patience = { ...REGISTRY_PATIENCE, ...options.patience };
  const puller = new RegistryPuller({ ...options, settings, patience, store });
  return Object.assign(store, {
    puller,
    pull: (
      image: string,
      request: Pick<PullRequest, 'credentials' | 'verify' | 'signal' | 'onProgress'>,
    ) => puller.pull(image, request),
  });
}
