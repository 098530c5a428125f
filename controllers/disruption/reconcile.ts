// One look at a disruption budget: its pods are counted, and its status says how many may go.
// Invariant: a place that an eviction takes meanwhile is never given back by a status worked out before.
import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { PodDisruptionBudgets, Pods } from '../../api/kinds.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object.ts';
import { controllerOf } from '../../api/meta/object.ts';
import { builtInDefinitions } from '../../api/scheme.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer, InformerFactory } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import type { ControllerContext, ReconcileContext, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import type { Outcome, Workload } from './plan.ts';
import { planBudget } from './plan.ts';

/** How soon a budget is looked at again whose pods' workloads were not to be found. */
const RETRY_MS = 5_000;

/** Whether the budget selects a pod of its namespace. */
export function selectsPod({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return fromLabelSelector(spec?.selector).matches(pod.metadata.labels);
}

/** Reconciles disruption budgets. */
export class DisruptionReconciler {
  readonly #context: ControllerContext;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #budgetClient: ResourceClient<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #workloads: Workloads;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#budgets = context.informers.informer(PodDisruptionBudgets);
    this.#budgetClient = context.client.resource(PodDisruptionBudgets);
    this.#pods = context.informers.informer(Pods);
    this.#workloads = new Workloads(context.informers);
  }

  /** Brings one budget's status up to date. */
  async reconcile(key: string, { signal }: ReconcileContext): Promise<Result> {
    const budget = this.#budgets.get(key);
    if (!budget || budget.metadata.deletionTimestamp !== undefined) return done;
    let outcome: Outcome | undefined;
    try {
      await writeStatus({ resource: this.#budgetClient, signal }, budget, (current) => {
        outcome = this.#plan(current);
        return outcome.status;
      });
    } catch (error) {
      // It went meanwhile.
      if (isNotFound(error)) return done;
      throw error;
    }
    return outcome === undefined ? done : this.#after(budget, outcome);
  }

  #plan(budget: PodDisruptionBudget): Outcome {
    const pods = this.#pods
      .list(budget.metadata.namespace ?? '')
      .filter((pod) => selectsPod(budget, pod));
    return planBudget({
      budget,
      pods,
      workloadOf: (pod) => this.#workloads.of(pod),
      nowMs: this.#context.clock.now(),
    });
  }

  #after(budget: PodDisruptionBudget, { failure, notDeleted, recheckMs }: Outcome): Result {
    const { events } = this.#context;
    for (const pod of notDeleted) {
      const { namespace = '', name = '' } = budget.metadata;
      const message = `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`;
      events.event(pod, { type: 'Warning', reason: 'NotDeleted', message });
    }
    if (failure !== undefined) {
      const message = `Failed to calculate the number of expected pods: ${failure}`;
      const reason = 'CalculateExpectedPodCountFailed';
      events.event(budget, { type: 'Warning', reason, message });
      return requeueAfter(RETRY_MS);
    }
    return recheckMs === undefined ? done : requeueAfter(recheckMs);
  }
}

/** A kind that says how many pods it wants. */
interface Scalable {
  readonly informer: Informer<KubeObject>;
  replicas(object: KubeObject): number;
}

/** The workloads that pods belong to, by their owner references. */
class Workloads {
  readonly #scalable = new Map<string, Scalable>();

  constructor(informers: InformerFactory) {
    for (const { ref, scale } of builtInDefinitions) {
      if (scale === undefined) continue;
      this.#scalable.set(`${apiVersionOf(ref)}/${ref.kind}`, {
        informer: informers.informer(ref as KindRef),
        replicas: (object) => scale.specReplicas(object),
      });
    }
  }

  /** The workload that decides how many pods like this one there are: a Deployment's, not its ReplicaSet's. */
  of(pod: Pod): Workload {
    const owner = controllerOf(pod);
    if (owner === undefined) return { kind: 'none' };
    const why = `found no controllers for pod "${pod.metadata.name ?? ''}"`;
    const { namespace = '' } = pod.metadata;
    const scalable = this.#scalable.get(`${owner.apiVersion}/${owner.kind}`);
    if (scalable === undefined) return { kind: 'unknown', why: unscalable(owner) ?? why };
    const found = this.#find(scalable, namespace, owner);
    if (found === undefined) return { kind: 'unknown', why };
    const above = controllerOf(found);
    const higher = above && this.#scalable.get(`${above.apiVersion}/${above.kind}`);
    const top = higher && this.#find(higher, namespace, above);
    return top && higher
      ? { kind: 'sized', uid: above.uid, replicas: higher.replicas(top) }
      : { kind: 'sized', uid: owner.uid, replicas: scalable.replicas(found) };
  }

  #find({ informer }: Scalable, namespace: string, owner: OwnerReference): KubeObject | undefined {
    const found = informer.get(`${namespace}/${owner.name}`);
    return found?.metadata.uid === owner.uid ? found : undefined;
  }
}

/** What upstream says of a known kind without a size. */
function unscalable({ apiVersion, kind }: OwnerReference): string | undefined {
  const known = builtInDefinitions.find(
    ({ ref }) => ref.kind === kind && apiVersionOf(ref) === apiVersion,
  );
  if (known === undefined) return undefined;
  const { group, plural } = known.ref;
  return `${group === '' ? plural : `${plural}.${group}`} does not implement the scale subresource`;
}
