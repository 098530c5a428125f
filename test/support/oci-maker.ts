// A program that makes containers one after another over a host's state directory until it is killed: an agent to die at any moment.
// Started with a JSON argument (MakerOptions). Invariant: it ends with whoever started it.
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { createOciRuntime } from '../../kubelet/runtime/oci/oci-runtime.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { aContainer, aSandbox } from './runtime-configs.ts';

/** What it works on: an OciHost's own. */
export interface MakerOptions {
  readonly folder: string;
  readonly stateDir: string;
  readonly clusterId: string;
  readonly imageId: string;
}

process.stdin.on('end', () => process.exit(0)).resume();
const { folder, stateDir, clusterId, imageId } = JSON.parse(process.argv[2] ?? '') as MakerOptions;
const system = createLinuxSystem();
const doors = { system, clock: systemClock, logger: silentLogger };
const images = createImageStore({ system, dir: join(folder, 'images'), logger: silentLogger });
const runtime = createOciRuntime({ ...doors, stateDir, clusterId, images });
await runtime.recover();
const sandbox = aSandbox('a', { hostNetwork: true });
const sandboxId = await runtime.runSandbox(sandbox);
const command = ['/bin/sh', '-c', 'while :; do sleep 1; done'];
for (let attempt = 0; ; attempt++) {
  const config = { name: 'main', imageId, command, logPath: join(folder, 'main.log'), attempt };
  const id = await runtime.createContainer(sandboxId, sandbox, aContainer(config));
  await runtime.removeContainer(id);
}
