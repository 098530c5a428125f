// The last words of containers that left no termination message and ask for their log instead (FallbackToLogsOnError).
// Invariant: each end is read once; 2 KiB or 80 lines at most, as upstream.
import { parseCriLine } from '../logs/cri-line.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';

const MAX_LINES = 80;
const MAX_BYTES = 2048;

/** Messages by container id. */
export class TerminationMessages {
  #messages = new Map<string, string>();

  /** The state with messages from logs where containers asked for them. */
  async complete(state: PodState, logs: PodLogs): Promise<PodState> {
    const before = this.#messages;
    this.#messages = new Map();
    const containers = new Map<string, readonly ContainerStatus[]>();
    for (const [name, statuses] of state.containers) {
      const told: ContainerStatus[] = [];
      for (const status of statuses) told.push(await this.#complete(status, { before, logs }));
      containers.set(name, told);
    }
    return { ...state, containers };
  }

  async #complete(
    status: ContainerStatus,
    { before, logs }: { before: ReadonlyMap<string, string>; logs: PodLogs },
  ): Promise<ContainerStatus> {
    const asks = status.annotations['terminationMessagePolicy'] === 'FallbackToLogsOnError';
    if (!asks || status.state !== 'exited' || status.exitCode === 0 || status.message)
      return status;
    const message = before.get(status.id) ?? (await lastWords(logs, status.logPath));
    this.#messages.set(status.id, message);
    return message === '' ? status : { ...status, message };
  }
}

/** '' when there is no log. */
async function lastWords(logs: PodLogs, path: string): Promise<string> {
  try {
    const parts: Uint8Array[] = [];
    for await (const lines of logs.lines(path, { tailLines: MAX_LINES }))
      for (const line of lines) {
        const { text, partial } = parseCriLine(line);
        parts.push(text, Buffer.from(partial ? '' : '\n'));
      }
    return Buffer.concat(parts).subarray(-MAX_BYTES).toString('utf8');
  } catch {
    return '';
  }
}
