// What the agent's events tell of its node, in upstream's reasons and words. Pure.
// Invariant: a condition is told when it has changed, or is new, and not for a mere heartbeat.
import { table } from '../../base/table.ts';
import type { NodeCondition } from '../../api/generated/types.ts';
import type { EventNote } from '../../client/events/recorder.ts';

/** The agent is there, and has told the API of the node. */
export const STARTING: EventNote = {
  type: 'Normal',
  reason: 'Starting',
  message: 'Starting kubelet.',
};

/** By condition: what its truth is called, and what its falsehood. */
const REASONS: Readonly<Record<string, readonly [string, string]>> = table({
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
  Ready: ['NodeReady', 'NodeNotReady'],
});

/** An event for each condition that is not as it was. */
export function nodeNews(
  name: string,
  before: readonly NodeCondition[] | undefined,
  now: readonly NodeCondition[] | undefined,
): EventNote[] {
  return (now ?? []).flatMap(({ type, status }) => {
    const [isSo, isNotSo] = REASONS[type] ?? [];
    const known = before?.find((condition) => condition.type === type);
    const reason = status === 'True' ? isSo : isNotSo;
    if (reason === undefined || known?.status === status) return [];
    return [{ type: 'Normal', reason, message: `Node ${name} status is now: ${reason}` }];
  });
}
