// Admits pods to one node: makes room for those that the cluster lives by, and says why the others are refused.
// Invariants: what was decided of one pod counts for the next; others end only where that is enough, and are waited for within a limit.
import type { Node, Pod } from '../../api/generated/types.ts';
import { Nodes } from '../../api/kinds.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import { isCriticalPod } from '../eviction/critical-pods.ts';
import type { Pressure } from '../eviction/thresholds.ts';
import type { HostFacts } from '../node/host-facts.ts';
import { nodeLabels } from '../node/node-object.ts';
import type { NodeAgentOptions } from '../options.ts';
import { refusalOf } from '../pods/node-admission.ts';
import type { PodManager } from '../pods/pod-manager.ts';
import type { Verdict } from '../pods/pod-status.ts';
import type { NodeFacts } from '../pods/worker-parts.ts';
import { shortagesOf } from './node-resources.ts';
import { choosePreempted } from './preemption.ts';

/** What it needs besides the agent's options. */
export interface PodAdmissionParts {
  readonly configuration: KubeletConfiguration;
  readonly node: NodeFacts;
  readonly host: HostFacts;
  readonly events: { event(about: Pod, note: EventNote): void };
  readonly manager: Pick<PodManager, 'takingRoom' | 'end'>;
  readonly pressures: () => readonly Pressure[];
  readonly isShuttingDown: () => boolean;
}

/** How long one that makes room is waited for at least, and how many times its own grace; as upstream. */
const PATIENCE = { leastMs: 10_000, graces: 1.5 };
/** What a pod has to end in where it does not say. */
const DEFAULT_GRACE_SECONDS = 30;
const PREEMPTED = 'Preempted in order to admit critical pod';
const PREEMPTED_FOR = 'Pod was preempted by Kubelet to accommodate a critical pod.';

/** The admission of one node. */
export class PodAdmission {
  readonly #options: NodeAgentOptions;
  readonly #parts: PodAdmissionParts;
  readonly #nodes: Informer<Node>;
  /** Those that the agent gives its node. */
  readonly #labels: Readonly<Record<string, string>>;

  constructor(options: NodeAgentOptions, parts: PodAdmissionParts) {
    this.#options = options;
    this.#parts = parts;
    const only = { fieldSelector: `metadata.name=${options.nodeName}` };
    this.#nodes = options.informers.informer(Nodes, only);
    this.#labels = nodeLabels({ ...options, name: options.nodeName, host: parts.host });
  }

  /** What the node's owner has labelled it with counts as much as what its agent does. */
  get nodeLabels(): Readonly<Record<string, string>> {
    return { ...this.#nodes.get(this.#options.nodeName)?.metadata.labels, ...this.#labels };
  }

  /** Why the pod is refused as things are now; undefined when it fits. */
  refusal(pod: Pod): Verdict | undefined {
    const { configuration, node, host, manager } = this.#parts;
    return refusalOf(pod, {
      node,
      nodeName: this.#options.nodeName,
      nodeLabels: this.nodeLabels,
      nodeTaints: this.#nodes.get(this.#options.nodeName)?.spec?.taints ?? [],
      others: manager.takingRoom(pod.metadata.uid),
      pressures: this.#parts.pressures(),
      allowedSysctls: configuration.allowedUnsafeSysctls,
      hasAppArmor: host.hasAppArmor,
      isShuttingDown: this.#parts.isShuttingDown(),
    });
  }

  /**
   * Ends others where a critical pod is refused for want of room alone. Resolves once they have gone, or had their time, or `leaving`
   * is aborted; with a verdict where none would do. Whether there is room then `refusal` says.
   */
  async makeRoom(pod: Pod, leaving: AbortSignal): Promise<Verdict | undefined> {
    if (!isCriticalPod(pod) || !this.refusal(pod)?.reason.startsWith('OutOf')) return undefined;
    const others = this.#parts.manager.takingRoom(pod.metadata.uid);
    const needs = shortagesOf(pod, others, this.#parts.node).map(
      ({ resource, requested, used, capacity }) => ({
        resource,
        amount: requested - (capacity - used),
      }),
    );
    const choice = choosePreempted(pod, others, needs);
    if (choice.kind === 'never') {
      const unmet = choice.unmet.map(
        ({ resource, amount }) => `(res: ${resource}, q: ${amount}), `,
      );
      const why = `preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [${unmet.join('')}]`;
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Unexpected error while attempting to recover from admission failure: ${why}`,
      };
    }
    await this.#within(patienceFor(choice.pods), leaving, choice.pods);
    return undefined;
  }

  /** One that the kernel does not let go of holds nobody up for ever. */
  async #within(ms: number, leaving: AbortSignal, pods: readonly Pod[]): Promise<void> {
    if (leaving.aborted) return;
    const enough = Promise.withResolvers<void>();
    const timer = this.#options.clock.timer(ms, enough.resolve);
    leaving.addEventListener('abort', () => enough.resolve(), { once: true });
    await Promise.race([enough.promise, Promise.all(pods.map((each) => this.#preempt(each)))]);
    timer.cancel();
  }

  #preempt(pod: Pod): Promise<void> {
    const reason = 'Preempting';
    this.#parts.events.event(pod, { type: 'Warning', reason, message: PREEMPTED });
    return this.#parts.manager.end(pod.metadata.uid ?? '', {
      reason,
      message: PREEMPTED,
      condition: 'TerminationByKubelet',
      conditionMessage: PREEMPTED_FOR,
    });
  }
}

/** Milliseconds for all of them: they end side by side. */
function patienceFor(pods: readonly Pod[]): number {
  const graces = pods.map(
    ({ spec }) => (spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000,
  );
  return Math.max(PATIENCE.leastMs, Math.max(...graces) * PATIENCE.graces);
}
