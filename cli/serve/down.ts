// `pinnace down`: ends a cluster wherever it runs, and cleans up after one whose supervisor died.
// Invariant: when it returns, no process, mount, namespace, table or cgroup of the cluster is left.
import { watch } from 'node:fs';
import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import type { System } from '../../system/system.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { type DataPaths, dataPaths, readFacts, UsageError } from './data-directory.ts';
import { keptKubeletConfig, shutdownMsOf } from './kubelet-config.ts';
import { isRunning, type ProcessName, readSupervisor, removeSupervisor } from './lock.ts';
import { cleanUpNode } from './up.ts';

/** How long the supervisor may take to end everything, beside the time that pods are given. */
const STOP_CEILING_MS = 90_000;
/** How often a process that cannot be watched is looked at. */
const LOOK_MS = 50;

/** Stops the cluster of a data directory. Says so when none was running. */
export async function stopCluster(dataDir: string): Promise<'stopped' | 'cleaned'> {
  const system = createLinuxSystem();
  const paths = dataPaths(dataDir);
  if (!readFacts(paths)) throw new UsageError(`there is no cluster in ${paths.root}`);
  const record = readSupervisor(paths);
  if (record && isRunning(system, record)) {
    system.kill(record.pid, 'SIGTERM');
    const ceilingMs = STOP_CEILING_MS + shutdownMsOf(keptKubeletConfig(paths));
    if (await ended(system, { paths, name: record, ceilingMs })) return 'stopped';
    system.kill(record.pid, 'SIGKILL');
    await gone(system, record);
  }
  for (const child of Object.values(readSupervisor(paths)?.children ?? {}))
    if (isRunning(system, child)) {
      // Its whole process group: the programs that it ran end with it.
      system.kill(-child.pid, 'SIGKILL');
      await gone(system, child);
    }
  if (record?.node ?? true) await cleanUpNode(system, paths);
  removeSupervisor(paths);
  return 'cleaned';
}

/** Waits for the supervisor to remove its record, its last act. False when it took too long. */
async function ended(
  system: System,
  { paths, name, ceilingMs }: { paths: DataPaths; name: ProcessName; ceilingMs: number },
): Promise<boolean> {
  const signal = AbortSignal.timeout(ceilingMs);
  const watcher = watch(paths.root, { signal });
  try {
    while (readSupervisor(paths) && isRunning(system, name))
      await once(watcher, 'change', { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  } finally {
    watcher.close();
  }
  await gone(system, name);
  return true;
}

async function gone(system: System, name: ProcessName): Promise<void> {
  const late = AbortSignal.timeout(STOP_CEILING_MS);
  while (isRunning(system, name)) await systemClock.sleep(LOOK_MS, late);
}
