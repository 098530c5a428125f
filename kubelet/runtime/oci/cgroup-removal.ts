// Removes a cgroup whose processes are being taken apart. Invariant: it ends, one way or the other, within a second or so.
import { type Context, reasonOf } from './context.ts';

const ATTEMPTS = 50;
const RETRY_MS = 20;

/** Kills what is left in a group and removes it and all below it. A killed process stays in its group for a moment. */
export async function removeCgroup(
  { cgroups, clock }: Pick<Context, 'cgroups' | 'clock'>,
  group: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      cgroups.remove(group);
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw new Error(`${group} is not removed: ${reasonOf(error)}`);
      cgroups.killAll(group);
      await clock.sleep(RETRY_MS);
    }
  }
}
