// The runtime over CRI against the contract, on Debian's containerd; then what only it shows. Needs root and containerd.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { containersContract } from '../../../test/contracts/containers.ts';
import { runtimeContract } from '../../../test/contracts/runtime.ts';
import { aContainerd, type TestContainerd } from '../../../test/support/containerd.ts';
import { anOciHost, type OciHost } from '../../../test/support/oci-host.ts';
import { CniPlugin } from './cni-plugin.ts';
import { createCriRuntime } from './cri-runtime.ts';
import { IMAGES } from './services.ts';

const SHELL = 'test/shell:1';
const system = createLinuxSystem();
let containerd: TestContainerd;
let shell: OciHost;
let cni: string;
let imageId = '';
let clusters = 0;

beforeAll(async () => {
  cni = mkdtempSync(join(tmpdir(), 'pinnace-cni-'));
  shell = await anOciHost();
  containerd = await aContainerd({ cni });
  await containerd.load(shell.images, [SHELL]);
  const { runtime, dispose } = await aRuntime();
  const { image } = await runtime.connection().call(IMAGES.status, { image: { image: SHELL } });
  imageId = image?.id ?? '';
  await dispose();
});
afterAll(async () => {
  await containerd?.dispose();
  await shell?.dispose();
  rmSync(cni, { recursive: true, force: true });
});

/** A runtime of an owner of its own on the shared containerd. */
async function aRuntime() {
  clusters += 1;
  const clusterId = `c${clusters}${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-cri-'));
  const start = async () => {
    const made = createCriRuntime({
      system,
      clock: systemClock,
      logger: silentLogger,
      endpoint: containerd.endpoint,
      stateDir: join(folder, 'state'),
      clusterId,
      plugin: new CniPlugin(cni),
      addressOf: () => '10.1.2.3',
    });
    await made.recover();
    return made;
  };
  let runtime = await start();
  const restart = async (meanwhile?: () => Promise<void>) => {
    runtime.close();
    await containerd.kill();
    await meanwhile?.();
    await containerd.start();
    runtime = await start();
    return runtime;
  };
  const dispose = async () => {
    await runtime.destroyAll();
    runtime.close();
    rmSync(folder, { recursive: true, force: true });
    const left = system
      .mounts()
      .filter(({ type }) => type.startsWith('cgroup'))
      .map(({ mountPoint }) => `${mountPoint}/pinnace-${clusterId}`)
      .filter((path) => system.exists(path));
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  };
  return { runtime, folder, restart, dispose };
}

runtimeContract('containerd over CRI', async () => {
  const { runtime, folder, dispose } = await aRuntime();
  return {
    runtime,
    netnsPath: undefined,
    container: (behaviour) => ({ imageId, command: shell.command(behaviour) }),
    logPath: (name) => join(folder, 'logs', `${name}.log`),
    dispose,
  };
});

// Its shim asks the container's cgroup whether memory ran out, which on a busy host may be gone by then.
containersContract('containerd over CRI', async () => ({
  ...(await aRuntime()),
  imageId,
  mayMissOom: true,
}));
