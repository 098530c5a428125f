// Removes everything a node made on its host: containers, volumes' mounts, cgroups, namespaces, links, the nftables table.
// Runs as a program of its own: `clean-up.ts DATA_DIRECTORY`. Repeatable; quiet when there is nothing.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { createLogger } from '../../base/logger.ts';
import { unmountVolumes } from '../../kubelet/volumes/disk-volumes.ts';
import { destroyNodeNetwork } from '../../network/node-network.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { layoutOf } from './cluster.ts';
import { nodeRuntime } from './container-runtime.ts';
import { dataPaths, readFacts } from './data-directory.ts';

/** Cleans the host of one cluster. */
export async function cleanUpHost(dataDir: string): Promise<void> {
  const paths = dataPaths(dataDir);
  const facts = readFacts(paths);
  if (!facts) return;
  const system = createLinuxSystem();
  const logger = createLogger('warn');
  const doors = { system, clock: systemClock, logger, addressOf: () => undefined };
  const { runtime } = await nodeRuntime({ paths, facts }, doors);
  try {
    await runtime.destroyAll();
  } finally {
    // Also where another runtime does not answer: the rest is this node's own.
    runtime.close();
    unmountVolumes(system, join(paths.node, 'pods'));
    const stateDir = join(paths.node, 'network');
    await destroyNodeNetwork({ system, layout: layoutOf(facts), stateDir });
  }
}

if (import.meta.main) {
  const dataDir = process.argv[2];
  if (dataDir === undefined) throw new Error('usage: clean-up.ts DATA_DIRECTORY');
  await cleanUpHost(dataDir);
}
