// Keeps the logs of running containers within their size, as long as the agent runs.
// Invariant: one log that cannot be rotated keeps no other from it for longer than a look.
import type { Clock } from '../../base/clock.ts';
import { HEARTBEAT_MS, type NodeAgentOptions } from '../options.ts';
import type { ContainerRuntime, ContainerStatus } from '../runtime/runtime.ts';
import type { PodLogs, RotationLimits } from './pod-logs.ts';

/** Upstream's containerLogMaxSize and containerLogMaxFiles. */
export const MAX_LOG_BYTES = 10 * 1024 * 1024;
export const MAX_LOG_FILES = 5;

/** Looks after the logs of running containers until the signal aborts. Never rejects. */
export async function keepLogsSmall(options: NodeAgentOptions, signal: AbortSignal): Promise<void> {
  const { clock, runtime, logger, heartbeatMs = HEARTBEAT_MS } = options;
  const parts = { clock, runtime, logs: options.host.logs };
  while (!signal.aborted) {
    await clock.sleep(heartbeatMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      for (const status of await runtime.listContainers())
        if (status.state === 'running')
          await rotate(parts, status, { maxBytes: MAX_LOG_BYTES, maxFiles: MAX_LOG_FILES });
    } catch (error) {
      logger.warn('a container log could not be rotated', { err: error });
    }
  }
}

/** What rotation needs. */
export interface RotationParts {
  readonly clock: Clock;
  readonly runtime: Pick<ContainerRuntime, 'reopenLog'>;
  readonly logs: PodLogs;
}

/** Rotates one log if it is too large. True when it was. */
export function rotate(
  { runtime, clock, logs }: RotationParts,
  { id, logPath }: Pick<ContainerStatus, 'id' | 'logPath'>,
  limits: RotationLimits,
): Promise<boolean> {
  const stamp = () => new Date(clock.now()).toISOString().replace(/[-:.TZ]/g, '');
  return logs.rotate(logPath, limits, { stamp, reopen: () => runtime.reopenLog(id) });
}
