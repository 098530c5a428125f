// Ends the commands (probes, exec) that an agent which died has left in a running container, and removes their files.
// Invariant: the container's own processes are left alone. A command is known by its parent, which is outside of the container:
// orphans inside come to the container's init, so that nothing else has such a parent.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../../system/system.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './records.ts';

/** How often is looked again for a command that was about to begin. */
const MAX_ROUNDS = 10;
const LOOK_AGAIN_MS = 20;

/** Leaves no command of an earlier agent in the container. Repeatable. */
export async function endAbandonedCommands(
  context: Context,
  record: ContainerRecord,
): Promise<void> {
  const { layout, logger, clock, system } = context;
  const { execs } = layout.container(record.id);
  if (system.list(execs).length === 0) return;
  logger.info('commands of an earlier agent are ended', { container: record.id });
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const doomed = [...launchersOf(system, execs), ...commandsIn(context, record)];
    if (doomed.length === 0) break;
    for (const pid of doomed) system.kill(pid, 'SIGKILL');
    await clock.sleep(LOOK_AGAIN_MS);
  }
  for (const file of readdirSync(execs)) {
    // A terminal's folder has the name of its session, and so has its socket's.
    rmSync(join(layout.sockets, file), { recursive: true, force: true });
    rmSync(join(execs, file), { recursive: true, force: true });
  }
}

/** runc and conmon that look after commands: their arguments name files in the container's folder of commands. */
function launchersOf(system: System, execs: string): number[] {
  const isOne = (pid: string) =>
    (system.read(`/proc/${pid}/cmdline`) ?? '')
      .split('\0')
      .some((argument) => argument.startsWith(`${execs}/`));
  return system
    .list('/proc')
    .filter((name) => /^\d+$/.test(name) && isOne(name))
    .map(Number);
}

/** Processes in the container that came from outside, and all that came from those. */
function commandsIn({ cgroups, layout, system }: Context, record: ContainerRecord): number[] {
  const init = record.init?.pid;
  const inside = cgroups.processes(layout.containerCgroup(record.podUid, record.id));
  const parents = new Map(inside.map((pid) => [pid, parentOf(system, pid)]));
  const cameFromOutside = (pid: number | undefined): boolean => {
    if (pid === undefined || pid === init) return false;
    const parent = parents.get(pid);
    if (parent === undefined) return false;
    return !parents.has(parent) || cameFromOutside(parent);
  };
  return init === undefined ? [] : inside.filter(cameFromOutside);
}

function parentOf(system: System, pid: number): number | undefined {
  const parent = /^PPid:\s*(\d+)$/m.exec(system.read(`/proc/${pid}/status`) ?? '')?.[1];
  return parent === undefined ? undefined : Number(parent);
}
