// New limits for a running container: runc writes them, in the order that the kernel takes them.
// Invariant: the record says what the container has, so that a start after a crash gives it the same.
import { type LinuxResources, RuntimeError } from '../runtime.ts';
import { type Context, reasonOf, runc } from './context.ts';
import type { ContainerRecord } from './records.ts';

const NO_LIMIT = -1;
const DEFAULT_PERIOD_US = 100_000;

/** Changes them. Throws RuntimeError, such as for memory that is in use. */
export async function updateResources(
  context: Context,
  record: ContainerRecord,
  resources: LinuxResources,
): Promise<void> {
  const { layout, cgroups, records } = context;
  const { cpuShares, cpuQuotaUs, cpuPeriodUs, memoryLimitBytes = NO_LIMIT } = resources;
  const swap = cgroups.limitsSwap(layout.podCgroup(record.podUid));
  const flags = {
    ...(cpuShares !== undefined && { 'cpu-share': cpuShares }),
    'cpu-period': cpuPeriodUs ?? DEFAULT_PERIOD_US,
    'cpu-quota': cpuQuotaUs ?? NO_LIMIT,
    memory: memoryLimitBytes,
    ...(swap && { 'memory-swap': memoryLimitBytes }),
  };
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  try {
    await runc(context, ['update', ...args, record.id]);
  } catch (error) {
    throw new RuntimeError('UpdateContainerError', reasonOf(error), error);
  }
  const now = records.containers.get(record.id);
  if (!now) return;
  // Where it runs is not asked for anew.
  const { cpusetCpus, cpusetMems } = now.config.resources;
  const kept = { ...(cpusetCpus && { cpusetCpus }), ...(cpusetMems && { cpusetMems }) };
  const config = { ...now.config, resources: { ...kept, ...resources } };
  records.putContainer({ ...now, config });
}
