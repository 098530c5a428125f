// A whole cluster with a node, in this process and its children, for the parts that run pods.
// Invariant: it ends with `use`; an interrupt ends it too (endCluster), and nothing of it is left on the host.
import { dataPaths, prepareDataDirectory } from '../../cli/serve/data-directory.ts';
import { readSupervisor } from '../../cli/serve/lock.ts';
import { type RunningCluster, startCluster } from '../../cli/serve/up.ts';
import { loadKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { Client } from '../../client/rest/client.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { createHttpTransport } from '../../client/transport/http.ts';
import { buildShopImages } from '../../examples/shop/images.ts';
import { createLinuxSystem } from '../../system/linux.ts';

let running: RunningCluster | undefined;

/** Puts the shop's images where a cluster in that directory finds them. */
export async function prepareImages(dataDir: string): Promise<void> {
  const paths = dataPaths(dataDir);
  prepareDataDirectory(paths);
  await buildShopImages({ system: createLinuxSystem(), imagesDir: paths.images });
}

/** A cluster in that directory while `use` lasts; its containers are run by the embedded runtime unless an endpoint is given. */
export async function withCluster(
  dataDir: string,
  use: (cluster: RunningCluster, client: Client) => Promise<void>,
  containerRuntimeEndpoint?: string,
): Promise<void> {
  const cluster = await startCluster({
    dataDir,
    port: 0,
    kubeconfig: undefined,
    node: true,
    containerRuntimeEndpoint,
  });
  running = cluster;
  const client = createClient(
    createHttpTransport((await loadKubeconfig(cluster.paths.kubeconfig)).transport),
  );
  try {
    await use(cluster, client);
  } finally {
    client.transport.close();
    await endCluster();
  }
}

/** Ends the cluster that runs, if one does; repeatable. */
export async function endCluster(): Promise<void> {
  const cluster = running;
  running = undefined;
  await cluster?.stop();
}

/** Pid of a supervised process. */
export function pidOf({ paths }: RunningCluster, name: 'control-plane' | 'node'): number {
  return readSupervisor(paths)?.children[name]?.pid ?? 0;
}
