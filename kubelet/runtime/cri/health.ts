// What a runtime says of itself: whether it can take pods, and what it can do.
// Source of the words: the Ready condition as upstream's agent tells it.
import type { RuntimeFeatures } from '../runtime.ts';
import { messageOf } from './failures.ts';
import { GrpcError, type GrpcConnection } from './grpc.ts';
import { RUNTIME } from './services.ts';

/** RuntimeConfig's word for systemd, whose groups this agent does not make. */
const SYSTEMD_DRIVER = 0;

/** Refuses a runtime that makes cgroups by systemd. Runtimes that cannot say are trusted: the guide tells what is expected. */
export async function refuseSystemd(connection: GrpcConnection): Promise<void> {
  const config = await connection.call(RUNTIME.runtimeConfig, {}).catch((error: unknown) => {
    if (error instanceof GrpcError && error.code === 'UNIMPLEMENTED') return undefined;
    throw error;
  });
  if (config?.linux && config.linux.cgroupDriver === SYSTEMD_DRIVER)
    throw new Error(
      'it makes cgroups by systemd; set its cgroup driver to cgroupfs (containerd: SystemdCgroup = false)',
    );
}

/** Why pods cannot be run now; undefined when they can. */
export async function problemOf(connection: GrpcConnection): Promise<string | undefined> {
  try {
    const { status } = await connection.call(RUNTIME.status, {});
    const unmet = status?.conditions?.find((condition) => !condition.status);
    if (!unmet) return undefined;
    const { type = '', reason = '', message = '' } = unmet;
    const what = type === 'NetworkReady' ? 'container runtime network' : 'container runtime';
    return `${what} not ready: ${type}=false reason:${reason} message:${message}`;
  } catch (error) {
    return runtimeDown(messageOf(error));
  }
}

/** That it does not answer. */
export const runtimeDown = (why: string): string => `container runtime is down: ${why}`;

/** What it can do; those that cannot say can do none of it. */
export async function featuresOf(connection: GrpcConnection): Promise<RuntimeFeatures> {
  const { handlers, features } = await connection.call(RUNTIME.status, {});
  const own = handlers.find(({ name = '' }) => name === '')?.features;
  return {
    userNamespaces: own?.userNamespaces ?? false,
    recursiveReadOnlyMounts: own?.recursiveReadOnlyMounts ?? false,
    supplementalGroupsPolicy: features?.supplementalGroupsPolicy ?? false,
  };
}
