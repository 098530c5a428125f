// A host directory for real containers in tests: an image store with a shell image made from the host's own programs, a runtime over a state
// directory of its own. Invariant: dispose fails when a mount, cgroup, process or file of the runtime is left.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Clock, systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { type BuildFile, buildImage } from '../../kubelet/images/build.ts';
import { createImageStore, type OciImageStore } from '../../kubelet/images/image-store.ts';
import { sharedLibraries } from '../../kubelet/images/node-base-layer.ts';
import { createOciRuntime, type OciRuntime } from '../../kubelet/runtime/oci/oci-runtime.ts';
import type { ImageInfo } from '../../kubelet/runtime/runtime.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import type { System } from '../../system/system.ts';
import type { Behaviour } from '../contracts/runtime.ts';

/** Programs of the shell image. */
const PROGRAMS = ['cat', 'id', 'ls', 'sleep', 'stty'];

/** A place for real containers. */
export interface OciHost {
  readonly system: System;
  readonly folder: string;
  readonly stateDir: string;
  readonly clusterId: string;
  readonly images: OciImageStore;
  readonly shell: ImageInfo;
  /** A runtime over the state directory, recovered: as an agent that has just started. By the host's clock unless another is given. */
  start(clock?: Clock): Promise<OciRuntime>;
  /** Command of the shell image for a behaviour of the contract. */
  command(behaviour: Behaviour): readonly string[];
  dispose(): Promise<void>;
}

/** A new host directory; needs root, runc and conmon. */
export async function anOciHost(): Promise<OciHost> {
  const system = createLinuxSystem({ manyChildren: true });
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-oci-'));
  const clusterId = `t${basename(folder).slice(-6).toLowerCase()}${process.pid}`;
  const stateDir = join(folder, 'state');
  const images = createImageStore({ system, dir: join(folder, 'images'), logger: silentLogger });
  const shell = await buildImage(images, {
    name: 'test/shell:1',
    layers: [{ files: await shellFiles(system) }],
    config: { Cmd: ['/bin/sh'] },
  });
  let runtime: OciRuntime | undefined;
  const start = async (clock: Clock = systemClock) => {
    runtime?.close();
    const doors = { system, clock, logger: silentLogger };
    runtime = createOciRuntime({ ...doors, stateDir, clusterId, images });
    await runtime.recover();
    return runtime;
  };
  const dispose = async () => {
    await (runtime ?? (await start())).destroyAll();
    const left = await leftovers(system, { folder, clusterId });
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  };
  return { system, folder, stateDir, clusterId, images, shell, start, command, dispose };
}

/** The shell and its programs, as files of a layer. */
export async function shellFiles(system: System): Promise<BuildFile[]> {
  const files = new Map<string, BuildFile>();
  const add = async (source: string, target: string) => {
    files.set(target, { source, target, mode: 0o755 });
    for (const library of await sharedLibraries(system, source)) files.set(library.target, library);
  };
  await add('/bin/dash', '/bin/sh');
  for (const name of PROGRAMS) await add(`/bin/${name}`, `/bin/${name}`);
  const passwd = 'root:x:0:0::/:/bin/sh\nshop:x:1500:1600::/:/bin/sh\n';
  return [
    ...files.values(),
    { content: passwd, target: '/etc/passwd' },
    { content: 'root:x:0:\nextra:x:1700:shop\n', target: '/etc/group' },
  ];
}

function command(behaviour: Behaviour): readonly string[] {
  switch (behaviour.kind) {
    case 'obedient':
      return sh(`trap 'exit ${behaviour.exitCode}' TERM; echo ready; while :; do sleep 0.02; done`);
    case 'stubborn':
      return sh(`trap '' TERM; echo ready; while :; do sleep 1; done`);
    case 'ends':
      return sh(
        `echo '${behaviour.message}' > /dev/termination-log; echo '${behaviour.log}'; exit ${behaviour.exitCode}`,
      );
    case 'broken':
      return ['/no/such/program'];
  }
}

/** The command of a shell script. */
export function sh(script: string): readonly string[] {
  return ['/bin/sh', '-c', script];
}

async function leftovers(
  system: System,
  host: { folder: string; clusterId: string },
): Promise<readonly string[]> {
  const tag = `pinnace-${host.clusterId}`;
  const mounts = system
    .mounts()
    .map((mount) => mount.mountPoint)
    .filter((point) => point.startsWith(host.folder) || point.includes(tag));
  const groups = system
    .mounts()
    .filter((mount) => mount.type.startsWith('cgroup'))
    .map((mount) => join(mount.mountPoint, tag))
    .filter((path) => system.exists(path));
  const { stdout } = await system.run('ps', ['-eo', 'pid,args']);
  const processes = stdout
    .split('\n')
    .filter((line) => line.includes('conmon') && line.includes(host.folder));
  const files = [`/run/${tag}`].filter((path) => system.exists(path));
  return [...mounts, ...groups, ...processes, ...files];
}
