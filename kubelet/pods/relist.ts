// Finds what no event told of: one list of all that the runtime has, held against what each pod's worker believes. A safety net, as
// upstream's relist is.
// Invariant: a pod is named where the runtime has another thing of it than its worker saw last, or the same in another state; the
// others are named once a round, and never all in one list.
import type { ContainerRuntime, ContainerStatus, SandboxStatus } from '../runtime/runtime.ts';
import type { PodState } from './plan.ts';
import { containersOf } from './pod-state.ts';

/** So many lists make a round: with RELIST_MS a minute, which is upstream's syncFrequency. */
export const LISTS_PER_ROUND = 6;

/** What the runtime has of all pods. */
export interface Listed {
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
}

/** Lists it. */
export async function listAll(runtime: ContainerRuntime): Promise<Listed> {
  const [sandboxes, containers] = await Promise.all([
    runtime.listSandboxes(),
    runtime.listContainers(),
  ]);
  return { sandboxes, containers };
}

/** A pod's worker, as far as it matters here. */
interface Believer {
  readonly state: PodState;
}

type Thing = Pick<SandboxStatus | ContainerStatus, 'id' | 'podUid' | 'state'>;

/** The lists of one agent, in rounds. */
export class Relist {
  #lists = 0;
  /** Pods as they were when the round began. */
  #round: readonly string[] = [];

  /** The pods that are to be looked at after a list, by uid. */
  due(workers: ReadonlyMap<string, Believer>, listed: Listed): ReadonlySet<string> {
    return new Set([...changedPods(workers, listed), ...this.#turn(workers.keys())]);
  }

  /** Those whose turn it is in this round. */
  #turn(uids: Iterable<string>): readonly string[] {
    const list = this.#lists++ % LISTS_PER_ROUND;
    if (list === 0) this.#round = [...uids];
    const from = (at: number) => Math.ceil((this.#round.length * at) / LISTS_PER_ROUND);
    return this.#round.slice(from(list), from(list + 1));
  }
}

/** The pods that are another than their workers believe. */
function changedPods(
  workers: ReadonlyMap<string, Believer>,
  { sandboxes, containers }: Listed,
): readonly string[] {
  const things: readonly Thing[] = [...sandboxes, ...containers];
  const byPod = Map.groupBy(things, ({ podUid }) => podUid);
  return Array.from(workers)
    .filter(([uid, { state }]) => !isSame(thingsOf(state), byPod.get(uid) ?? []))
    .map(([uid]) => uid);
}

function isSame(believed: readonly Thing[], listed: readonly Thing[]): boolean {
  return (
    believed.length === listed.length &&
    listed.every(({ id, state }) => believed.find((each) => each.id === id)?.state === state)
  );
}

const thingsOf = (state: PodState): readonly Thing[] => [
  ...(state.sandbox ? [state.sandbox] : []),
  ...state.oldSandboxes,
  ...containersOf(state),
];
