// What runs a node's containers: runc and conmon of its own, or a runtime behind CRI that `pinnace up` was given.
// Invariant: each is loaded only where it is used; the node's process and its clean-up make the same choice.
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Random } from '../../base/random.ts';
import type { OciImageStore } from '../../kubelet/images/image-store.ts';
import type { ContainerRuntime, ImageStore } from '../../kubelet/runtime/runtime.ts';
import type { System } from '../../system/system.ts';
import { type ClusterFacts, type DataPaths, UsageError } from './data-directory.ts';

const SCHEME = 'unix://';

/** A runtime and the images it runs. */
export interface NodeRuntime {
  readonly runtime: ContainerRuntime & {
    recover(): Promise<void>;
    destroyAll(): Promise<void>;
    close(): void;
  };
  readonly images: ImageStore;
}

/** What it is made with. */
export interface RuntimeDoors {
  readonly system: System;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The address of a pod that is attached. */
  readonly addressOf: (podUid: string) => string | undefined;
  /** Left out by who only cleans up: no image is pulled then. */
  readonly random?: Random;
}

/** The runtime of the cluster's node; nothing is begun before `recover`. */
export async function nodeRuntime(
  { paths, facts }: { paths: DataPaths; facts: ClusterFacts },
  doors: RuntimeDoors,
): Promise<NodeRuntime> {
  const { containerRuntimeEndpoint: endpoint, id: clusterId } = facts;
  if (endpoint === undefined) {
    const { createOciRuntime } = await import('../../kubelet/runtime/oci/oci-runtime.ts');
    const images = await embeddedImages(paths, doors);
    const stateDir = paths.runtime;
    return { runtime: createOciRuntime({ ...doors, stateDir, clusterId, images }), images };
  }
  const { CniPlugin } = await import('../../kubelet/runtime/cri/cni-plugin.ts');
  const { createCriImages } = await import('../../kubelet/runtime/cri/cri-images.ts');
  const { createCriRuntime } = await import('../../kubelet/runtime/cri/cri-runtime.ts');
  const plugin = new CniPlugin(join(paths.node, 'cni'));
  const stateDir = join(paths.node, 'cri');
  const runtime = createCriRuntime({ ...doors, endpoint, stateDir, clusterId, plugin });
  return { runtime, images: createCriImages(runtime.connection) };
}

/** What an earlier process left half done in the store is removed first. */
async function embeddedImages(paths: DataPaths, doors: RuntimeDoors): Promise<OciImageStore> {
  const dir = paths.images;
  const { random } = doors;
  if (!random) {
    const { createImageStore } = await import('../../kubelet/images/image-store.ts');
    return createImageStore({ ...doors, dir });
  }
  const { createApartImageStore } = await import(
    '../../kubelet/images/registry/registry-image-store.ts'
  );
  const { keptRegistries } = await import('./registries.ts');
  const images = createApartImageStore({
    ...doors,
    random,
    dir,
    settings: keptRegistries(paths),
  });
  await images.staging.removeAbandoned();
  return images;
}

/** Throws UsageError for an endpoint that cannot be one, or that nothing listens at. */
export function checkRuntimeEndpoint(system: System, endpoint: string): void {
  const path = endpoint.slice(SCHEME.length);
  if (!endpoint.startsWith(SCHEME) || !path.startsWith('/'))
    throw new UsageError(
      `--container-runtime-endpoint ${endpoint}: it is a socket's path, such as unix:///run/containerd/containerd.sock`,
    );
  if (!system.exists(path))
    throw new UsageError(
      `--container-runtime-endpoint ${endpoint}: there is no socket; is the runtime running?`,
    );
}
