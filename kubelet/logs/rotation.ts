// Keeps the logs of running containers within their size, as long as the agent runs; while it does not, the runtime does (`logMaxBytes`).
// Invariant: one log that cannot be rotated keeps no other from it for longer than a look.
import type { Clock } from '../../base/clock.ts';
import { HEARTBEAT_MS, type NodeAgentOptions } from '../options.ts';
import type { ContainerRuntime, ContainerStatus } from '../runtime/runtime.ts';
import type { PodLogs, RotationLimits } from './pod-logs.ts';

/** How soon is looked again after a log was rotated: one that grows so fast may be too large by then. */
const SOON_MS = 1000;

/** Looks after the logs of running containers until the signal aborts. Never rejects. */
export async function keepLogsSmall(
  options: NodeAgentOptions,
  limits: RotationLimits,
  signal: AbortSignal,
): Promise<void> {
  const { clock, runtime, logger, heartbeatMs = HEARTBEAT_MS } = options;
  const parts = { clock, runtime, logs: options.host.logs };
  let waitMs = heartbeatMs;
  while (!signal.aborted) {
    await clock.sleep(waitMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    waitMs = heartbeatMs;
    try {
      const failures: unknown[] = [];
      for (const status of await runtime.listContainers()) {
        if (status.state !== 'running') continue;
        const rotated = await rotate(parts, status, limits).catch((error: unknown) => {
          failures.push(error);
          return false;
        });
        if (rotated) waitMs = Math.min(SOON_MS, heartbeatMs);
      }
      for (const err of failures) logger.warn('a container log could not be rotated', { err });
    } catch (error) {
      logger.warn('the logs of containers could not be looked at', { err: error });
    }
  }
}

/** What rotation needs. */
export interface RotationParts {
  readonly clock: Clock;
  readonly runtime: Pick<ContainerRuntime, 'reopenLog'>;
  readonly logs: PodLogs;
}

/** Rotates one log if it is too large, and packs what it put aside before. True when it was too large. */
export function rotate(
  { runtime, clock, logs }: RotationParts,
  { id, logPath }: Pick<ContainerStatus, 'id' | 'logPath'>,
  limits: RotationLimits,
): Promise<boolean> {
  return logs.rotate(logPath, limits, {
    stamp: () => stampOf(clock.now()),
    reopen: () => runtime.reopenLog(id),
  });
}

/** To the second, in the form of upstream's: `20260102-150405`. */
function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-');
}
