// Keeps container logs within their size: the file is renamed, the runtime reopens, the oldest are removed.
// Invariant: the newest lines are always in the file that has the plain name; no line is lost.
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { NodeAgentOptions } from '../options.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';

/** Upstream's containerLogMaxSize and containerLogMaxFiles. */
export const MAX_LOG_BYTES = 10 * 1024 * 1024;
export const MAX_LOG_FILES = 5;
/** How often sizes are looked at. */
const LOOK_MS = 10_000;

/** What rotation is to keep to. */
export interface RotationLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** Looks after the logs of running containers until the signal aborts. Never rejects. */
export async function keepLogsSmall(options: NodeAgentOptions, signal: AbortSignal): Promise<void> {
  const { clock, runtime, logger } = options;
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      for (const status of await runtime.listContainers())
        if (status.state === 'running')
          await rotate(options, status, { maxBytes: MAX_LOG_BYTES, maxFiles: MAX_LOG_FILES });
    } catch (error) {
      logger.warn('a container log could not be rotated', { err: error });
    }
  }
}

/** Rotates one log if it is too large. True when it was. */
export async function rotate(
  { runtime, clock }: Pick<NodeAgentOptions, 'runtime' | 'clock'>,
  { id, logPath }: Pick<ContainerStatus, 'id' | 'logPath'>,
  limits: RotationLimits,
): Promise<boolean> {
  if ((statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) < limits.maxBytes) return false;
  const stamp = new Date(clock.now()).toISOString().replace(/[-:.TZ]/g, '');
  const old = `${logPath}.${stamp}`;
  renameSync(logPath, old);
  try {
    await runtime.reopenLog(id);
  } catch (error) {
    // The runtime still writes to the renamed file: it gets its name back, so that readers find it.
    renameSync(old, logPath);
    throw error;
  }
  removeOldest(logPath, limits.maxFiles - 1);
  return true;
}

function removeOldest(logPath: string, keep: number): void {
  const folder = dirname(logPath);
  const prefix = `${basename(logPath)}.`;
  const rotated = readdirSync(folder).filter((name) => name.startsWith(prefix));
  for (const name of rotated.toSorted().toReversed().slice(keep))
    rmSync(join(folder, name), { force: true });
}
