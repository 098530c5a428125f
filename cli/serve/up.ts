// `pinnace up`: a cluster on this machine, its two processes supervised until told to stop.
// Invariant: one supervisor per data directory; when it returns, nothing of the cluster is left on the host but its data.
import { join } from 'node:path';
import { createLogger, type Logger } from '../../base/logger.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import type { System } from '../../system/system.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { serverUrl } from './cluster.ts';
import { ensureClusterFiles } from './cluster-files.ts';
import { checkRuntimeEndpoint } from './container-runtime.ts';
import {
  type ClusterFacts,
  dataPaths,
  type DataPaths,
  readFacts,
  UsageError,
} from './data-directory.ts';
import { keepAdmissionConfig } from './admission-config.ts';
import { keepKubeletConfig } from './kubelet-config.ts';
import { keepRegistries } from './registries.ts';
import { missingFeature } from './kernel-features.ts';
import { environmentOf, flagsOf, type Program, programOf } from './programs.ts';
import {
  nameProcess,
  type ProcessName,
  releaseDirectory,
  removeSupervisor,
  writeSupervisor,
} from './lock.ts';
import { RotatingFile } from './rotating-file.ts';
import { type ChildEvent, type ChildSpec, SupervisedChild } from './supervisor.ts';

/** What `pinnace up` is asked. */
export interface UpOptions {
  readonly dataDir: string;
  /** 0 picks a free one; undefined takes that of last time, or 6443. */
  readonly port: number | undefined;
  /** Also written here besides the data directory. */
  readonly kubeconfig: string | undefined;
  /** A file that says how the node agent is to run; undefined for that of last time. */
  readonly kubeletConfig?: string | undefined;
  /** Settings of registries, kept for later starts. */
  readonly registries?: string | undefined;
  /** An AdmissionConfiguration, read at later starts too; empty for none. */
  readonly admissionConfig?: string | undefined;
  /** Where a container runtime serves CRI; undefined for that of last time, empty for the embedded one. */
  readonly containerRuntimeEndpoint?: string | undefined;
  /** Run pods on this machine. */
  readonly node: boolean;
}

/** A cluster that is up. */
export interface RunningCluster {
  readonly paths: DataPaths;
  readonly facts: ClusterFacts;
  readonly url: string;
  /** Milliseconds from the first child's start to /readyz. */
  readonly readyMs: number;
  /** Rejects when a child can never work. */
  readonly failed: Promise<never>;
  /** Ends the processes, and removes what the node made on the host. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster; resolves when its API server serves. Throws UsageError for what the user can mend, and when `stopped` resolves
 * before that.
 */
export async function startCluster(
  options: UpOptions,
  stopped: Promise<void> = new Promise(() => undefined),
): Promise<RunningCluster> {
  const system = createLinuxSystem();
  const endpoint = endpointOf(options);
  const missing = options.node ? missingFeature(system, process.env, endpoint) : undefined;
  if (missing !== undefined) throw new UsageError(missing);
  if (options.node && endpoint) checkRuntimeEndpoint(system, endpoint);
  const doors = { system, clock: systemClock, random: systemRandom };
  const { paths, facts } = await ensureClusterFiles(options, doors);
  if (options.kubeletConfig !== undefined) await keepKubeletConfig(paths, options.kubeletConfig);
  if (options.registries !== undefined) keepRegistries(paths, options.registries);
  if (options.admissionConfig !== undefined)
    await keepAdmissionConfig(paths, options.admissionConfig);
  const logger = createLogger('info', new RotatingFile(join(paths.logs, 'supervisor.log')));
  return superviseCluster({ system, paths, facts, logger, node: options.node, stopped });
}

/** The endpoint that counts in this start. */
function endpointOf(options: UpOptions): string | undefined {
  const known = () => readFacts(dataPaths(options.dataDir))?.containerRuntimeEndpoint;
  return (options.containerRuntimeEndpoint ?? known()) || undefined;
}

interface Supervision {
  readonly system: System;
  readonly paths: DataPaths;
  readonly facts: ClusterFacts;
  readonly logger: Logger;
  readonly node: boolean;
  /** Resolves when the cluster is to end, even before it serves. */
  readonly stopped: Promise<void>;
}

async function interrupted(stopped: Promise<void>): Promise<never> {
  await stopped;
  throw new Error('stopped before the API server was ready');
}

async function superviseCluster(what: Supervision): Promise<RunningCluster> {
  const { system, paths, facts, logger } = what;
  const children = new Map<string, ProcessName>();
  const self = nameProcess(system, process.pid);
  if (!self) throw new Error('this process is not in /proc');
  const record = () =>
    writeSupervisor(paths, { ...self, node: what.node, children: Object.fromEntries(children) });
  const onEvent = (event: ChildEvent) => {
    logger.info('child', { ...event });
    if (event.kind === 'ready') return;
    const name = event.kind === 'started' ? nameProcess(system, event.pid) : undefined;
    if (name) children.set(event.name, name);
    else children.delete(event.name);
    record();
  };
  record();
  const child = (name: Program) =>
    new SupervisedChild(childSpec(name, paths), { system, clock: systemClock, logger, onEvent });
  const leave = () => {
    removeSupervisor(paths);
    releaseDirectory(paths);
  };
  const controlPlane = child('control-plane');
  const node = what.node ? child('node') : undefined;
  const stop = async () => {
    await node?.stop();
    await controlPlane.stop();
    if (node) await cleanUpNode(system, paths);
    leave();
  };
  const startedAt = systemClock.monotonic();
  controlPlane.start();
  try {
    await Promise.race([controlPlane.ready, interrupted(what.stopped)]);
  } catch (error) {
    await controlPlane.stop();
    leave();
    throw new UsageError((error as Error).message);
  }
  const readyMs = systemClock.monotonic() - startedAt;
  node?.start();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  node?.ready.catch(reject);
  failed.catch(() => undefined);
  return { paths, facts, url: serverUrl(facts), readyMs, failed, stop };
}

/** Removes what a node made on the host, in a process of its own so that this one stays small. */
export async function cleanUpNode(system: System, paths: DataPaths): Promise<void> {
  await system.run(process.execPath, [programOf('clean-up'), paths.root], { timeoutMs: 60_000 });
}

function childSpec(name: Program, paths: DataPaths): ChildSpec {
  return {
    name,
    args: [programOf(name), paths.root],
    nodeFlags: flagsOf(name),
    env: environmentOf(name),
    log: new RotatingFile(join(paths.logs, `${name}.log`)),
  };
}
