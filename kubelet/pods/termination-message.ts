// The last words of containers that left no termination message and ask for their log instead (FallbackToLogsOnError).
// Invariant: 2 KiB or 80 lines at most, as upstream; nothing is kept from one look to the next, as upstream: a runtime may tell of an
// end before it has written all of the log.
import { parseCriLine } from '../logs/cri-line.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';

const MAX_LINES = 80;
const MAX_BYTES = 2048;

/** The state with messages from logs where containers asked for them. */
export async function withLastWords(state: PodState, logs: PodLogs): Promise<PodState> {
  const containers = new Map<string, readonly ContainerStatus[]>();
  for (const [name, statuses] of state.containers) {
    const told: ContainerStatus[] = [];
    for (const status of statuses) told.push(asks(status) ? await complete(status, logs) : status);
    containers.set(name, told);
  }
  return { ...state, containers };
}

function asks({ annotations, state, exitCode, message }: ContainerStatus): boolean {
  const falls = annotations['terminationMessagePolicy'] === 'FallbackToLogsOnError';
  return falls && state === 'exited' && exitCode !== 0 && !message;
}

async function complete(status: ContainerStatus, logs: PodLogs): Promise<ContainerStatus> {
  const message = await lastWords(logs, status.logPath);
  return message === '' ? status : { ...status, message };
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
