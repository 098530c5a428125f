// Finds everything again after the agent's death or the host's restart, and tears all down at the end.
// Invariant: after recover() each record tells the truth, half-made things are gone, and nothing was started twice.
import { readdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '../../../system/remove-tree.ts';
import { endAbandonedCommands } from './abandoned-commands.ts';
import { removeCgroup } from './cgroup-removal.ts';
import { makeDirectories } from './directories.ts';
import { deleteFromRunc, destroyContainer, dropFiles, endProcessesOf } from './containers.ts';
import { type Context, isAlive, reasonOf, runc } from './context.ts';
import type { Exits } from './exits.ts';
import { brokeAtGate } from './init-gate.ts';
import type { ContainerRecord, SandboxRecord } from './records.ts';
import { removeMapped } from './user-namespace.ts';
import { destroySandbox, isIntact, releaseSandbox } from './sandboxes.ts';

/** How long a conmon may take to tell the end of its container. */
const END_TOLD_MS = 10_000;

/** Reads the records and brings each to what is true now. Repeatable. */
export async function recover(context: Context, exits: Exits): Promise<void> {
  const { records, layout } = context;
  makeDirectories(context);
  const { brokenContainers, brokenSandboxes } = records.load();
  const unknown = context.system
    .list(layout.runcRoot)
    .filter((id) => !records.containers.has(id) && !records.sandboxes.has(id));
  // What cannot be ended now holds nobody else up; it is tried again by the next agent.
  const complain = (error: unknown) =>
    context.logger.error('a container of an earlier agent is left', { why: reasonOf(error) });
  for (const id of new Set([...brokenContainers, ...unknown]))
    await destroyUnknown(context, id).catch(complain);
  for (const id of brokenSandboxes) await recoverBrokenSandbox(context, id);
  const starting = [...records.containers.values()].filter(({ phase }) => phase === 'starting');
  await exits.lookingBack(async () => {
    exits.start();
    for (const record of records.containers.values())
      await recoverContainer(context, exits, record).catch(complain);
  });
  for (const { id } of starting) await takeBackStart(context, id).catch(complain);
  for (const record of records.sandboxes.values()) {
    if (record.state === 'creating') await destroySandbox(context, record);
    else if (record.state === 'ready' && !isIntact(context, record))
      releaseSandbox(context, record);
  }
}

/** Ends and removes a container of which only the id is known: its record was lost with the host's power. */
async function destroyUnknown(context: Context, id: string): Promise<void> {
  const { cgroups, layout, system, records, logger } = context;
  logger.warn('container without a record is removed', { container: id });
  const pods = cgroups.children(layout.cgroup);
  await endProcessesOf(context, id);
  const groups = pods
    .map((pod) => `${layout.cgroup}/${pod}/${id}`)
    .filter((group) => cgroups.usage(group) !== undefined);
  for (const group of groups) cgroups.killAll(group);
  const state = join(layout.runcRoot, id);
  // Of what runc cannot read any more there are still the cgroup and the mounts.
  const complain = (error: unknown) =>
    logger.warn('a container is removed without runc', { container: id, why: reasonOf(error) });
  if (system.exists(state)) await deleteFromRunc(context, id).catch(complain);
  for (const group of groups) await removeCgroup(context, group);
  removeMapped(context, layout.container(id).mapped);
  system.unmount(layout.container(id).rootfs);
  rmSync(state, { recursive: true, force: true });
  await dropFiles(context, id);
  const known = new Set([...records.sandboxes.values()].map((sandbox) => sandbox.config.podUid));
  for (const group of groups) {
    const pod = dirname(group);
    if (!known.has(pod.slice(`${layout.cgroup}/pod`.length))) await removeCgroup(context, pod);
  }
}

/** Of a sandbox whose record is lost its containers know the pod, and end before there is another; without any, only its mounts are left. */
async function recoverBrokenSandbox(context: Context, id: string): Promise<void> {
  const { records, layout, logger, system } = context;
  logger.warn('sandbox without a record is given up', { sandbox: id });
  const podUid = records.containersOf(id)[0]?.podUid;
  const unknown = { namespace: '', name: '', hostname: '', hosts: '', resolvConf: '' };
  const record: SandboxRecord = {
    id,
    config: {
      ...unknown,
      podUid: podUid ?? '',
      attempt: 0,
      labels: {},
      hostNetwork: false,
      netnsPath: undefined,
      sysctls: {},
      resources: {},
    },
    createdAtMs: 0,
    state: 'notready',
  };
  system.unmount(join(layout.sandbox(id).pause, 'm'));
  releaseSandbox(context, record);
  if (podUid === undefined) await records.dropSandbox(id);
  else records.putSandbox(record);
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
      await destroyUnrun(context, record);
      return;
    case 'created':
      exits.check(record);
      return;
    case 'running':
      if (exits.check(record).phase === 'running') await endAbandonedCommands(context, record);
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
  // Whose init is gone has an end, which its conmon is about to tell.
  if (!isAlive(system, record.init) && isAlive(system, record.conmon))
    await exits.wait(record.id, END_TOLD_MS);
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

/** A start of which nothing came leaves nothing: what was to run is made again, and counts once. */
async function takeBackStart(context: Context, id: string): Promise<void> {
  const record = context.records.containers.get(id);
  if (!record || !brokeAtGate(record)) return;
  context.logger.warn('a container that an earlier agent began to start never ran', {
    container: id,
  });
  await destroyUnrun(context, record);
}

/** Leaves nothing of a container that never ran, its log neither: a pod's logs are counted as its starts. */
async function destroyUnrun(context: Context, record: ContainerRecord): Promise<void> {
  await destroyContainer(context, record);
  await rm(record.config.logPath, { force: true });
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
  await recover(context, exits);
  exits.close();
  const complain = (error: unknown) =>
    logger.error('something is left of a pod', { why: reasonOf(error) });
  for (const record of records.containers.values())
    await destroyContainer(context, record).catch(complain);
  for (const record of records.sandboxes.values())
    await destroySandbox(context, record).catch(complain);
  sweepMounts(context);
  for (const path of [layout.namespaces, layout.run]) system.unmount(path);
  const { containers, sandboxes, mountPoints, run } = layout;
  for (const path of [containers, sandboxes, layout.exits, mountPoints, run])
    await removeTree(system, path).catch(complain);
  await removeIfLast(context).catch(complain);
}

/** Unmounts what no record knew of, deepest first: removing a directory below a live mount would reach into it. */
function sweepMounts({ system, layout }: Context): void {
  const ours = [layout.run, layout.containers, layout.sandboxes].map((path) => `${path}/`);
  const points = system.mounts().map((mount) => mount.mountPoint);
  for (const point of points.toReversed())
    if (ours.some((prefix) => point.startsWith(prefix))) system.unmount(point);
}

/** The cluster's cgroup and directory in /run are shared by its nodes on this host; the last one takes them away. */
async function removeIfLast(context: Context): Promise<void> {
  const { layout, cgroups, system } = context;
  if (!system.exists(layout.clusterRun)) return;
  if (readdirSync(layout.clusterRun).length > 0) return;
  cgroups.killAll(layout.cgroup);
  await removeCgroup(context, layout.cgroup);
  rmSync(layout.clusterRun, { recursive: true, force: true });
}
