// The part of a run that is not under test: an API server on a store in memory that begins as a copy of an image.
// Invariant: worlds of one image begin alike, and share nothing that any of them changes.
import type { Clock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import { type ApiServer, createApiServer } from '../../apiserver/api-server.ts';
import { SigningKey } from '../../apiserver/auth/signing-key.ts';
import type { NodeDialer } from '../../apiserver/handlers/node-dialer.ts';
import type { StoreImage } from '../../apiserver/storage/memory/memory-log.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';

const SERVICE_CIDR = '10.96.0.0/16';

/** What a world begins as: its objects, its moment, and the key of its ServiceAccounts' tokens. */
export interface WorldImage {
  readonly store: StoreImage | undefined;
  readonly atMs: number;
  readonly key: SigningKey;
}

/** A cluster with nothing in it but what every cluster has, at the first moment of simulated time. */
export function emptyWorld(): WorldImage {
  const key = new SigningKey(SigningKey.generate());
  return { store: undefined, atMs: Date.UTC(2026, 0, 1), key };
}

/** A server that runs. */
export interface World {
  readonly server: ApiServer;
  /** What it is now, for other worlds to begin as. */
  image(): WorldImage;
  close(): Promise<void>;
}

/** What a world is given. */
export interface WorldParts {
  readonly clock: Clock;
  readonly random: Random;
  /** The way to the agents of its nodes. */
  readonly nodeDialer: NodeDialer;
}

/** Starts a server on a copy of the image. */
export async function startWorld(
  from: WorldImage,
  { clock, random, nodeDialer }: WorldParts,
): Promise<World> {
  const logger = silentLogger;
  const storage = createMemoryStorage({ clock, logger }, from.store);
  const server = await createApiServer({
    storage,
    clock,
    random,
    logger,
    serviceCidr: SERVICE_CIDR,
    accountTokens: { key: from.key },
    nodeDialer,
    isBootstrapped: from.store !== undefined,
  });
  return {
    server,
    image() {
      // What is visible rather than what is stored: those are parsed once for all worlds.
      const { items, revision } = server.store.list('');
      const store = { live: items, revision };
      return { store, atMs: clock.monotonic(), key: from.key };
    },
    async close() {
      await server.close();
      await storage.close();
    },
  };
}
