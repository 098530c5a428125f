// The API server as a process of its own (`pinnace apiserver`), for controllers and a scheduler that run elsewhere.
import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { keepAdmissionConfig } from './admission-config.ts';
import { ensureClusterFiles } from './cluster-files.ts';
import { runChild } from './child-process.ts';
import { serveApi } from './control-plane.ts';

/** The body of the process. */
export async function runComponent(
  dataDir: string,
  { admissionControlConfigFile: file }: { readonly admissionControlConfigFile?: string } = {},
): Promise<void> {
  await runChild('apiserver', async (context) => {
    const doors = { system: createLinuxSystem(), clock: systemClock, random: systemRandom };
    const { paths, facts } = await ensureClusterFiles({ dataDir, port: undefined }, doors);
    if (file !== undefined) await keepAdmissionConfig(paths, file);
    const api = await serveApi(paths, facts, context);
    context.ready();
    if (!context.signal.aborted) await once(context.signal, 'abort');
    await api.close();
  });
}
