// A world of real containers: `pinnace up` in a network namespace of its own, reached by this process through a tunnel.
// Invariant: one cluster for all scenarios of a file; close() fails where the cluster leaves anything behind.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createClient } from '../../../client/rest/rest-client.ts';
import { parseKubeconfig } from '../../../client/kubeconfig/kubeconfig.ts';
import { createHttpTransport } from '../../../client/transport/http.ts';
import { startTestCluster, type TestClusterOptions } from '../../support/cluster.ts';
import { openTunnel } from '../../support/tunnel.ts';
import { until } from '../../support/until.ts';
import { HOST_FOLDER, type Runtime } from '../scenario.ts';
import { Recorder } from './recorder.ts';
import { firstProcessOf, minded } from './processes.ts';
import type { World } from './witness.ts';

/** Generous: the host is shared. */
const CEILING_MS = 90_000;

/** Starts the cluster. */
export async function startClusterWorld(
  runtime: Runtime,
  options: TestClusterOptions,
): Promise<{ world: World; close: () => Promise<void> }> {
  mkdirSync(HOST_FOLDER, { recursive: true });
  const cluster = await startTestCluster(options);
  const tunnel = await openTunnel(cluster);
  const server = `https://127.0.0.1:${tunnel.port}`;
  const text = readFileSync(cluster.kubeconfig, 'utf8').replaceAll(cluster.url, server);
  const transport = createHttpTransport((await parseKubeconfig(text, cluster.dataDir)).transport);
  const client = createClient(transport, { fieldManager: 'scenario' });
  const now = () => Date.now();
  const recorder = new Recorder(client, now);
  await recorder.start();
  const world: World = {
    runtime,
    client,
    recorder,
    now,
    until: (holds, missing) => untilRecorded(recorder, holds, missing),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    minded,
    async signal(pod, name, signal) {
      process.kill(firstProcessOf(pod, name), signal);
    },
    async restartAgent() {
      const pid = cluster.pidOf('node');
      if (pid === undefined) throw new Error('the cluster has no agent');
      process.kill(pid, 'SIGKILL');
      await until(() => ![undefined, pid].includes(cluster.pidOf('node')));
      // Its port is open once it has found again what runs.
      const path = `/api/v1/nodes/${cluster.facts.nodeName}/proxy/healthz`;
      const asked = { method: 'GET', path } as const;
      await until(() =>
        transport.request(asked).then(
          () => true,
          () => false,
        ),
      );
    },
  };
  const close = async () => {
    await recorder.stop();
    transport.close();
    await tunnel.close();
    await cluster.stop();
    rmSync(HOST_FOLDER, { recursive: true, force: true });
  };
  return { world, close };
}

/** Looks on each change; the timer is there for what never comes. */
function untilRecorded(
  recorder: Recorder,
  holds: () => boolean,
  missing: () => string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      clearTimeout(timer);
      forget();
      finish();
    };
    const look = () => {
      try {
        if (holds()) end(resolve);
      } catch (error) {
        end(() => reject(error as Error));
      }
    };
    const timer = setTimeout(() => end(() => reject(new Error(missing()))), CEILING_MS);
    const forget = recorder.onChange(look);
    look();
  });
}
