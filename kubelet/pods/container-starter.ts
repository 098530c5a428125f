// Starts one container of a pod: image, environment, configuration, creation, start, postStart hook.
// Invariant: throws StartFailure with the reason that the container's waiting state shows; what it made then is
// removed again, but for a container that has ended because its program cannot be run.
import type { Container, EphemeralContainer, Pod } from '../../api/generated/types.ts';
import { IMAGE_REF, imageRefOf } from '../pulling/image-ref.ts';
import type { ContainerConfig, ContainerStatus, ImageInfo } from '../runtime/runtime.ts';
import {
  RuntimeError,
  type SandboxConfig,
  type SandboxStatus,
  START_ERROR,
} from '../runtime/runtime.ts';
import type { PodFacts } from '../volumes/pod-fields.ts';
import { syncedWithin } from '../volumes/synced-within.ts';
import { ConfigError } from '../volumes/volume-error.ts';
import { containerConfigOf } from './container-config.ts';
import { containerHash } from './container-hash.ts';
import { CRASHES, crashesOf, SPEC_HASH } from './crash-backoff.ts';
import { RECURSIVE, STOP_SIGNAL } from './container-status.ts';
import { environmentOf } from './environment.ts';
import { reachVolumes } from './container-volumes.ts';
import { bringImageVolumes, imageVolumesNote } from './image-volumes.ts';
import { postStart } from './post-start.ts';
import { ownEnds, ROUND } from './restart-rules.ts';
import { StartFailure } from './start-failure.ts';
import type { WorkerParts } from './worker-parts.ts';
import { containerPath } from './container-path.ts';

/** What a start needs. */
export interface StartRequest {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  /** Of the pod's starts all over. */
  readonly round: number;
  readonly live: SandboxStatus;
  readonly sandbox: SandboxConfig;
  readonly facts: PodFacts;
  readonly volumes: ReadonlyMap<string, string>;
  /** Earlier containers of this name, newest first. */
  readonly before: readonly ContainerStatus[];
  readonly signal: AbortSignal;
  /** Id of the running container of that name in the pod. */
  readonly runningId: (name: string) => string | undefined;
}

/** What a container is made from, and the images that its volumes show. */
interface StartImages {
  readonly image: ImageInfo;
  readonly volumes: ReadonlyMap<string, string>;
}

/** Starts it. Resolves once it runs and its postStart hook is through. */
export async function startContainer(parts: WorkerParts, request: StartRequest): Promise<void> {
  const { pod, container } = request;
  const { runtime } = parts.options;
  const images: StartImages = {
    image: await parts.puller.ensure(request),
    volumes: await bringImageVolumes(parts.puller, request),
  };
  const config = await configure(parts, request, images);
  const tell = (reason: string, message: string) =>
    parts.events.event(pod, {
      type: 'Normal',
      reason,
      message,
      ...containerPath(pod, container.name),
    });
  const id = await parts.slots.run(async () => {
    let made: string | undefined;
    try {
      made = await runtime.createContainer(request.live.id, request.sandbox, config);
      tell('Created', 'Container created');
      await runtime.startContainer(made);
      tell('Started', 'Container started');
      return made;
    } catch (error) {
      if (error instanceof RuntimeError && error.reason === START_ERROR)
        throw new StartFailure('RunContainerError', error.message, {
          retry: 'soon',
          cause: error,
        });
      if (made !== undefined) await runtime.removeContainer(made);
      const fallback = made === undefined ? 'CreateContainerError' : 'RunContainerError';
      const reason = error instanceof RuntimeError ? error.reason : fallback;
      throw new StartFailure(reason, (error as Error).message, { retry: 'backoff', cause: error });
    }
  });
  const { signal, facts } = request;
  await postStart(parts, { pod, container, id, podIp: facts.podIp, signal });
}

async function configure(
  parts: WorkerParts,
  request: StartRequest,
  { image, volumes: imageVolumes }: StartImages,
): Promise<ContainerConfig> {
  const { pod, container, attempt, facts, volumes, before, live } = request;
  const refused = rootRefused(pod, container, image);
  if (refused) throw configFailure(refused);
  // Its pod has what it was given, unless the note of that was lost.
  const refusal = parts.extensions.admit(pod);
  if (refusal) throw configFailure(refusal.message);
  const namespace = pod.metadata.namespace ?? '';
  try {
    const env = await environmentOf(container, {
      pod,
      sources: parts.sources,
      facts,
      services: await linkedServices(parts, namespace),
    });
    const volumeParts = await reachVolumes(parts.volumes, { pod, container, volumes, env });
    const hash = containerHash(container);
    const recursive = await recursiveReadOnly(parts, container);
    const same = before[0]?.annotations[SPEC_HASH] === hash;
    const quick = same
      ? crashesOf({ statuses: ownEnds(container, before, request.round), sandbox: live })
      : 0;
    return containerConfigOf(container, {
      pod,
      attempt,
      imageId: image.id,
      env,
      volumes,
      imageVolumes,
      subPath: (_root, _inside, index) => volumeParts.get(index) as string,
      logPath: parts.options.host.logs.pathOf(pod, container.name, attempt),
      annotations: {
        [SPEC_HASH]: hash,
        [CRASHES]: String(quick),
        [ROUND]: String(request.round),
        [RECURSIVE]: String(recursive),
        [STOP_SIGNAL]: container.lifecycle?.stopSignal ?? image.stopSignal ?? '',
        [IMAGE_REF]: imageRefOf(image, container.image ?? ''),
        ...imageVolumesNote(imageVolumes),
      },
      nodeMemoryBytes: parts.node.memoryBytes,
      configuration: parts.configuration,
      additions: parts.extensions.of(pod.metadata.uid ?? '', container.name),
      seccompProfiles: parts.options.host.seccompProfiles,
      recursiveReadOnly: recursive,
      targetId: targetOf(request),
    });
  } catch (error) {
    if (error instanceof ConfigError) throw configFailure(error.message, error);
    throw error;
  }
}

/** Can the runtime make mounts read-only with all below them? Asked only where a container wants that if it can. */
async function recursiveReadOnly(parts: WorkerParts, container: Container): Promise<boolean> {
  const wanted = container.volumeMounts?.some((each) => each.recursiveReadOnly === 'IfPossible');
  const features = wanted ? await parts.options.runtime.features?.() : undefined;
  return features?.recursiveReadOnlyMounts ?? false;
}

/** The container that an ephemeral one looks into. Throws ConfigError while it does not run. */
function targetOf({ container, runningId }: StartRequest): string | undefined {
  const { targetContainerName: name } = container as EphemeralContainer;
  if (!name) return undefined;
  const id = runningId(name);
  if (id !== undefined) return id;
  const why = `target container "${name}" is not running`;
  throw new ConfigError('CreateContainerConfigError', why);
}

/** The Services of the namespace, and the API server's own, which every container may know. */
async function linkedServices(parts: WorkerParts, namespace: string) {
  const { services, ending, options } = parts;
  await syncedWithin(services, options.clock, ending);
  const own = services.list(namespace);
  const api = services.get('default/kubernetes');
  return api && namespace !== 'default' ? [api, ...own] : own;
}

function configFailure(message: string, cause?: unknown): StartFailure {
  return new StartFailure('CreateContainerConfigError', message, { retry: 'backoff', cause });
}

/** Why the container must not run, where it says that it must not run as root; undefined when it may. */
function rootRefused(pod: Pod, container: Container, image: ImageInfo): string | undefined {
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  if (!(own.runAsNonRoot ?? shared.runAsNonRoot)) return undefined;
  const user = own.runAsUser ?? shared.runAsUser;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`;
  if (user === 0) return `container's runAsUser breaks non-root policy ${where}`;
  if (user !== undefined) return undefined;
  const named = image.user.split(':')[0] ?? '';
  if (named === '' || named === '0' || named === 'root')
    return `container has runAsNonRoot and image will run as root ${where}`;
  if (!/^\d+$/.test(named))
    return `container has runAsNonRoot and image has non-numeric user (${named}), cannot verify user is non-root ${where}`;
  return undefined;
}
