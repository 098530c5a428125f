// Finds everything again after the agent's death or the host's restart, and tears all down at the end.
// Invariant: after recover() each record tells the truth, half-made things are gone, and nothing was started twice.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { destroyContainer } from './containers.ts';
import { type Context, isAlive, reasonOf, runc } from './context.ts';
import type { Exits } from './exits.ts';
import type { ContainerRecord } from './records.ts';
import { destroySandbox, isIntact, releaseSandbox } from './sandboxes.ts';

/** Reads the records and brings each to what is true now. Repeatable. */
export async function recover(context: Context, exits: Exits): Promise<void> {
  const { records, layout } = context;
  const { brokenContainers, brokenSandboxes } = records.load();
  for (const id of brokenContainers) {
    context.system.unmount(layout.container(id).rootfs);
    records.dropContainer(id);
  }
  for (const id of brokenSandboxes) records.dropSandbox(id);
  exits.start();
  for (const record of records.containers.values()) await recoverContainer(context, exits, record);
  for (const record of records.sandboxes.values()) {
    if (record.state === 'creating') destroySandbox(context, record);
    else if (record.state === 'ready' && !isIntact(context, record))
      releaseSandbox(context, record);
  }
}

async function recoverContainer(
  context: Context,
  exits: Exits,
  record: ContainerRecord,
): Promise<void> {
  switch (record.phase) {
    case 'exited':
      return;
    case 'creating':
      await destroyContainer(context, record);
      return;
    case 'created':
    case 'running':
      exits.check(record);
      return;
    case 'starting':
      await recoverStarting(context, exits, record);
  }
}

/** The agent died around `runc start`: runc knows whether it took place. */
async function recoverStarting(
  context: Context,
  exits: Exits,
  record: ContainerRecord,
): Promise<void> {
  const { records, clock, system } = context;
  const state = await runcState(context, record.id);
  const now = records.containers.get(record.id) ?? record;
  if (now.phase === 'exited') return;
  if (state === 'created' && isAlive(system, record.init)) {
    records.putContainer({ ...now, phase: 'created' });
    return;
  }
  const running = records.putContainer({ ...now, phase: 'running', startedAtMs: clock.now() });
  exits.check(running);
}

async function runcState(context: Context, id: string): Promise<string | undefined> {
  try {
    const { stdout } = await runc(context, ['state', id]);
    return (JSON.parse(stdout) as { status?: string }).status;
  } catch {
    return undefined;
  }
}

/** Ends and removes all containers and sandboxes of this runtime, and its directories in /run. Repeatable. */
export async function destroyAll(context: Context, exits: Exits): Promise<void> {
  const { records, layout, logger, system } = context;
  if (records.containers.size === 0 && records.sandboxes.size === 0) records.load();
  exits.close();
  for (const record of records.containers.values())
    await destroyContainer(context, record).catch((error: unknown) =>
      logger.error('container is not removed', { container: record.id, why: reasonOf(error) }),
    );
  for (const record of records.sandboxes.values()) destroySandbox(context, record);
  sweepMounts(context);
  for (const path of [layout.containers, layout.sandboxes, layout.exits, layout.run])
    rmSync(path, { recursive: true, force: true });
  removeIfLast(context);
  system.unmount(layout.namespaces);
}

/** Unmounts what no record knew of, deepest first: removing a directory below a live mount would reach into it. */
function sweepMounts({ system, layout }: Context): void {
  const ours = [layout.run, layout.containers, layout.sandboxes].map((path) => `${path}/`);
  const points = system.mounts().map((mount) => mount.mountPoint);
  for (const point of points.toReversed())
    if (ours.some((prefix) => point.startsWith(prefix))) system.unmount(point);
}

/** The cluster's cgroup and directory in /run are shared by its nodes on this host; the last one takes them away. */
function removeIfLast({ layout, cgroups, system }: Context): void {
  if (!system.exists(layout.clusterRun)) return;
  if (readdirSync(layout.clusterRun).length > 0) return;
  cgroups.killAll(layout.cgroup);
  cgroups.remove(layout.cgroup);
  rmSync(join(layout.clusterRun), { recursive: true, force: true });
}
