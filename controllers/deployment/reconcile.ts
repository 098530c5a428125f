// One look at a Deployment: its sets are claimed, the present template's set is seen to, sizes move a step, the
// status is written.
// Invariant: each write rests on the outcome of the one before; a step that is not done yet is left to the next look.
import type { Deployment, Pod, ReplicaSet } from '../../api/generated/types.ts';
import { Deployments, Pods, ReplicaSets } from '../../api/kinds.ts';
import { fromLabelSelector } from '../../api/meta/labels.ts';
import { isNotFound } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import { claimAll } from '../framework/claim.ts';
import { controlledBy } from '../framework/owner.ts';
import { isPodTerminal } from '../framework/pod-state.ts';
import type { ControllerContext, Result } from '../framework/reconciler.ts';
import { done, requeueAfter } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import type { Doors, Rollout } from './new-set.ts';
import { nameOf, noteCondition, withPresentSet } from './new-set.ts';
import type { Scaling } from './plan.ts';
import { desired, mostPods, planCleanUp, planRecreate, planResize, planRolling } from './plan.ts';
import { deadlineWaitMs, isComplete, pauseCondition, withProgress } from './progress.ts';
import { generationsOf, wanted } from './replica-sets.ts';
import { revisionOf, sizeAnnotations, sizeChanged } from './revision.ts';
import { statusFigures } from './status.ts';

/** Reconciles Deployments. */
export class DeploymentReconciler {
  readonly #doors: Doors;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    this.#doors = {
      clock: context.clock,
      events: context.events,
      deployments: context.client.resource(Deployments),
      deploymentCache: context.informers.informer(Deployments),
      sets: context.client.resource(ReplicaSets),
      setCache: context.informers.informer(ReplicaSets),
    };
    this.#pods = context.informers.informer(Pods);
  }

  /** Moves one deployment a step. */
  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    const doors = this.#doors;
    const found = doors.deploymentCache.get(key);
    if (!found) return done;
    const sets = await claimAll({
      owner: found,
      selector: fromLabelSelector(found.spec?.selector),
      owners: doors.deployments,
      things: doors.sets,
      informer: doors.setCache,
      signal,
    });
    let rollout: Rollout = { deployment: found, generations: generationsOf(found, sets) };
    if (found.metadata.deletionTimestamp === undefined) rollout = await this.#advance(rollout);
    const written = await this.#writeStatus(rollout.deployment, found.metadata.generation);
    const waitMs = deadlineWaitMs(written, doors.clock.now());
    return waitMs === undefined ? done : requeueAfter(waitMs);
  }

  async #advance(before: Rollout): Promise<Rollout> {
    const rollout = await this.#notePause(before);
    const { deployment, generations } = rollout;
    const sets = [...generations.old, ...(generations.current ? [generations.current] : [])];
    const resized = sets.some((set) => wanted(set) > 0 && sizeChanged(deployment, set));
    if (deployment.spec?.paused || resized) return this.#resize(rollout);
    const isRecreate = deployment.spec?.strategy?.type === 'Recreate';
    if (isRecreate && !generations.current && this.#recreating(rollout)) {
      await this.#scaleAll(deployment, planRecreate(deployment, generations, true));
      return rollout;
    }
    const ready = await withPresentSet(rollout, this.#doors, { create: true });
    const plan = isRecreate
      ? planRecreate(ready.deployment, ready.generations, this.#recreating(ready))
      : planRolling(ready.deployment, ready.generations);
    await this.#scaleAll(ready.deployment, plan);
    if (plan.length === 0 && isComplete(ready.deployment, ready.deployment.status ?? {}))
      await this.#cleanUp(ready);
    return ready;
  }

  async #notePause(rollout: Rollout): Promise<Rollout> {
    const condition = pauseCondition(rollout.deployment);
    if (!condition) return rollout;
    return {
      ...rollout,
      deployment: await noteCondition(rollout.deployment, condition, this.#doors),
    };
  }

  /** Do pods of old sets still run? Those that are being deleted do until they are gone. */
  #recreating({ generations }: Rollout): boolean {
    return generations.old.some(
      (set) => wanted(set) > 0 || controlledBy(this.#pods, set).some((pod) => !isPodTerminal(pod)),
    );
  }

  /** The deployment's own size changed, or it is paused: sizes follow, but no rollout begins or goes on. */
  async #resize(before: Rollout): Promise<Rollout> {
    const rollout = await withPresentSet(before, this.#doors, { create: false });
    const { deployment, generations } = rollout;
    await this.#scaleAll(deployment, planResize(deployment, generations));
    // Sets whose size stays are told of the new total too, or they would ask for this again.
    for (const set of this.#setsOf(deployment))
      if (wanted(set) > 0 && sizeChanged(deployment, set))
        await this.#scale(deployment, { set, replicas: wanted(set) });
    if (deployment.spec?.paused && isComplete(deployment, deployment.status ?? {}))
      await this.#cleanUp(rollout);
    return rollout;
  }

  #setsOf(deployment: Deployment): ReplicaSet[] {
    return controlledBy(this.#doors.setCache, deployment);
  }

  async #scaleAll(deployment: Deployment, plan: readonly Scaling[]): Promise<void> {
    for (const scaling of plan) await this.#scale(deployment, scaling);
  }

  async #scale(deployment: Deployment, { set, replicas }: Scaling): Promise<void> {
    const { resourceVersion, name = '' } = set.metadata;
    const annotations = sizeAnnotations(desired(deployment), mostPods(deployment));
    // The revision makes it fail where the set changed meanwhile; the next look then sees why.
    const body = { metadata: { resourceVersion, annotations }, spec: { replicas } };
    await this.#doors.sets.patch(nameOf(set), { type: 'merge', body });
    const size = wanted(set);
    if (size === replicas) return;
    const way = replicas > size ? 'up' : 'down';
    this.#doors.events.event(deployment, {
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: `Scaled ${way} replica set ${name} from ${size} to ${replicas}`,
    });
  }

  async #cleanUp({ deployment, generations }: Rollout): Promise<void> {
    for (const set of planCleanUp(deployment, generations.old, revisionOf)) {
      const preconditions = set.metadata.uid === undefined ? undefined : { uid: set.metadata.uid };
      await this.#doors.sets
        .delete(nameOf(set), { preconditions, propagationPolicy: 'Background' })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    }
  }

  /** `generation` is that of the spec which was acted on. */
  async #writeStatus(deployment: Deployment, generation: number | undefined): Promise<Deployment> {
    const { deployments, clock } = this.#doors;
    return writeStatus({ resource: deployments }, deployment, (current) => {
      const nowMs = clock.now();
      const generations = generationsOf(current, this.#setsOf(current));
      const figures = statusFigures(current, { generations, generation, nowMs });
      const leaving = current.metadata.deletionTimestamp !== undefined;
      if (leaving || current.spec?.paused) return figures;
      return withProgress(current, figures, { generations, nowMs });
    });
  }
}
