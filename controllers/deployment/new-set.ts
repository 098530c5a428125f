// Sees to it that the ReplicaSet of a Deployment's present template is there, with its revision.
// Invariant: two templates never share a set; a name that is taken by another template raises the collision count.
import type { Clock } from '../../base/clock.ts';
import type { Deployment, ReplicaSet } from '../../api/generated/types.ts';
import { isAlreadyExists } from '../../api/status.ts';
import type { Informer } from '../../client/informer/informer.ts';
import type { ResourceClient } from '../../client/rest/client.ts';
import { findCondition } from '../framework/conditions.ts';
import { isControlledBy } from '../framework/owner.ts';
import type { EventRecorder } from '../framework/reconciler.ts';
import { writeStatus } from '../framework/status-writer.ts';
import { mostPods, newSetSize } from './plan.ts';
import { deadlineSeconds, progressing } from './progress.ts';
import { type Generations, total, wanted } from './replica-sets.ts';
import { newReplicaSet, nextRevision, REVISION, revisionAnnotations } from './revision.ts';
import { type BareCondition, withDeploymentCondition } from './status.ts';
import { sameTemplate } from './template-hash.ts';

/** What is needed to write deployments and their sets. */
export interface Doors {
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly deployments: ResourceClient<Deployment>;
  readonly deploymentCache: Informer<Deployment>;
  readonly sets: ResourceClient<ReplicaSet>;
  readonly setCache: Informer<ReplicaSet>;
}

/** A deployment with its sets. */
export interface Rollout {
  readonly deployment: Deployment;
  readonly generations: Generations;
}

/** Notes the revision on the present set, which is made first where `create` says so and it is missing. */
export async function withPresentSet(
  rollout: Rollout,
  doors: Doors,
  options: { readonly create: boolean },
): Promise<Rollout> {
  const { generations } = rollout;
  if (generations.current) return keep(rollout, generations.current, doors);
  return options.create ? create(rollout, doors) : rollout;
}

async function keep(rollout: Rollout, current: ReplicaSet, doors: Doors): Promise<Rollout> {
  const { deployment, generations } = rollout;
  const annotations = revisionAnnotations(deployment, current, nextRevision(generations.old));
  const { minReadySeconds = 0 } = deployment.spec ?? {};
  const stale = (current.spec?.minReadySeconds ?? 0) !== minReadySeconds;
  let set = current;
  if (annotations || stale) {
    const body = {
      metadata: annotations ? { annotations } : {},
      ...(stale ? { spec: { minReadySeconds } } : {}),
    };
    set = await doors.sets.patch(nameOf(current), { type: 'merge', body });
  }
  const noted = await noteRevision(deployment, set, doors);
  const found = progressing('True', [
    'FoundNewReplicaSet',
    `Found new replica set ${JSON.stringify(set.metadata.name)}`,
  ]);
  const known = findCondition(noted.status?.conditions, 'Progressing') !== undefined;
  const next =
    known || deadlineSeconds(noted) === undefined
      ? noted
      : await noteCondition(noted, found, doors);
  return { deployment: next, generations: { current: set, old: generations.old } };
}

async function create(rollout: Rollout, doors: Doors): Promise<Rollout> {
  const { deployment, generations } = rollout;
  const { old } = generations;
  const replicas = newSetSize(deployment, 0, total(old, wanted));
  const set = newReplicaSet(deployment, {
    revision: nextRevision(old),
    replicas: deployment.spec?.strategy?.type === 'Recreate' && isBusy(old) ? 0 : replicas,
    most: mostPods(deployment),
  });
  const made = await createOrFind(deployment, set, doors);
  const name = made.metadata.name ?? '';
  const size = wanted(made);
  if (size > 0 && made.metadata.annotations?.[REVISION] === set.metadata.annotations?.[REVISION])
    doors.events.event(deployment, {
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: `Scaled up replica set ${name} from 0 to ${size}`,
    });
  const noted = await noteRevision(deployment, made, doors);
  const reason = ['NewReplicaSetCreated', `Created new replica set ${JSON.stringify(name)}`];
  const next =
    deadlineSeconds(noted) === undefined
      ? noted
      : await noteCondition(noted, progressing('True', reason as [string, string]), doors);
  return { deployment: next, generations: { current: made, old } };
}

/** Under Recreate the old pods must be gone before the first new one comes. */
const isBusy = (old: readonly ReplicaSet[]): boolean =>
  total(old, wanted) > 0 || total(old, (set) => set.status?.replicas ?? 0) > 0;

async function createOrFind(
  deployment: Deployment,
  set: ReplicaSet,
  doors: Doors,
): Promise<ReplicaSet> {
  try {
    return await doors.sets.create(set);
  } catch (error) {
    if (isAlreadyExists(error)) return ownOrCollide(deployment, set, { doors, error });
    const why = `Failed to create new replica set ${JSON.stringify(set.metadata.name)}: ${
      error instanceof Error ? error.message : String(error)
    }`;
    doors.events.event(deployment, {
      type: 'Warning',
      reason: 'ReplicaSetCreateError',
      message: why,
    });
    if (deadlineSeconds(deployment) !== undefined)
      await noteCondition(deployment, progressing('False', ['ReplicaSetCreateError', why]), doors);
    throw error;
  }
}

/** The set of that name is ours after all (an earlier answer was lost), or another template's. */
async function ownOrCollide(
  deployment: Deployment,
  set: ReplicaSet,
  { doors, error }: { doors: Doors; error: unknown },
): Promise<ReplicaSet> {
  const existing = await doors.sets.get(nameOf(set));
  const ours =
    isControlledBy(existing, deployment) &&
    sameTemplate(existing.spec?.template, set.spec?.template);
  if (ours) {
    doors.setCache.observeWrite(existing);
    return existing;
  }
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
  await writeStatus({ resource: doors.deployments }, deployment, ({ status }) => ({
    ...status,
    collisionCount,
  }));
  // The next attempt has another name.
  throw error;
}

async function noteRevision(
  deployment: Deployment,
  set: ReplicaSet,
  doors: Doors,
): Promise<Deployment> {
  const revision = set.metadata.annotations?.[REVISION];
  if (revision === undefined || deployment.metadata.annotations?.[REVISION] === revision)
    return deployment;
  const body = { metadata: { annotations: { [REVISION]: revision } } };
  return doors.deployments.patch(nameOf(deployment), { type: 'merge', body });
}

/** Writes one condition of the deployment. */
export async function noteCondition(
  deployment: Deployment,
  condition: BareCondition,
  doors: Doors,
): Promise<Deployment> {
  return writeStatus({ resource: doors.deployments }, deployment, ({ status }) => ({
    ...status,
    conditions: withDeploymentCondition(status?.conditions, condition, doors.clock.now()),
  }));
}

/** The object's place. */
export function nameOf({ metadata }: Pick<ReplicaSet, 'metadata'>): {
  namespace: string | undefined;
  name: string;
} {
  return { namespace: metadata.namespace, name: metadata.name ?? '' };
}
