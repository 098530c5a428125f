// Keeps all pods of a node together to what the node has for them, on runtimes whose pods' cgroups lie below one of the agent's own.
// Invariant: limits that the kernel does not take now are told, and hold nothing up.
import type { Logger } from '../../base/logger.ts';
import type { Cgroups } from '../../system/cgroups.ts';
import type { LinuxResources } from './runtime.ts';

/** Limits the cgroup that holds the pods' own, making it where it is not there. Repeatable. */
export function limitPodsTogether(
  { cgroups, logger }: { readonly cgroups: Cgroups; readonly logger: Logger },
  cgroup: string,
  limits: Pick<LinuxResources, 'memoryLimitBytes' | 'pidsLimit'>,
): void {
  cgroups.make(cgroup);
  try {
    cgroups.setLimits(cgroup, limits);
  } catch (error) {
    // Such as less memory than pods of an earlier agent, which was told other, have now.
    logger.warn('the pods of this node are not limited together', { err: error });
  }
}
