// Everything a cluster has on disk before its first process starts: facts, certificates, kubeconfigs.
// Invariant: repeatable; a second call changes nothing but what has run out or was asked anew.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { clusterNames, writeKubeconfig } from '../../client/kubeconfig/kubeconfig.ts';
import type { System } from '../../system/system.ts';
import { certificateSpecs, ensureCertificates, loadCa, loadPair } from './certificates.ts';
import { apiServiceIp, serverUrl, settleFacts } from './cluster.ts';
import {
  type ClusterFacts,
  dataPaths,
  type DataPaths,
  prepareDataDirectory,
  UsageError,
  writeAtomically,
} from './data-directory.ts';
import { claimDirectory } from './lock.ts';
import { ensureTokenKey } from './token-key.ts';

/** What is asked for. */
export interface ClusterRequest {
  readonly dataDir: string;
  readonly port: number | undefined;
  /** As AskedFacts has it. */
  readonly containerRuntimeEndpoint?: string | undefined;
  /** The admin's kubeconfig is also written here. */
  readonly kubeconfig?: string | undefined;
}

/** Makes the files, as the owner of the directory from then on; throws UsageError for what the user can mend. */
export async function ensureClusterFiles(
  request: ClusterRequest,
  doors: { system: System; clock: Clock; random: Random },
): Promise<{ paths: DataPaths; facts: ClusterFacts }> {
  const paths = dataPaths(request.dataDir);
  if (request.kubeconfig !== undefined) refuseForeignKubeconfig(request.kubeconfig);
  prepareDataDirectory(paths);
  claimDirectory(doors.system, paths);
  const facts = await settleFacts(paths, doors, request);
  await ensureCertificates(paths.pki, certificateSpecs(facts, apiServiceIp(facts)), doors);
  ensureTokenKey(paths.pki);
  writeKubeconfigs(paths, facts, request.kubeconfig);
  return { paths, facts };
}

/** What the admin's way into the cluster is called in kubeconfigs. */
const CLUSTER_NAME = 'pinnace';

/** A file that leads to other clusters too would lose them. */
function refuseForeignKubeconfig(path: string): void {
  let names: string[];
  try {
    names = clusterNames(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new UsageError(`${path} cannot be replaced: ${(error as Error).message}`);
  }
  const others = names.filter((name) => name !== CLUSTER_NAME);
  if (others.length > 0)
    throw new UsageError(
      `${path} leads to other clusters (${others.join(', ')}) and would lose them; name another file, and join both by KUBECONFIG=${path}:FILE`,
    );
}

function writeKubeconfigs(paths: DataPaths, facts: ClusterFacts, extra: string | undefined): void {
  const ca = loadCa(paths.pki);
  const server = serverUrl(facts);
  const write = (path: string, user: string, file: string) => {
    const { cert, key } = loadPair(paths.pki, file);
    const content = { name: CLUSTER_NAME, server, ca, user, clientCert: cert, clientKey: key };
    writeAtomically(path, writeKubeconfig(content), 0o600);
  };
  write(paths.kubeconfig, 'kubernetes-admin', 'admin');
  for (const [user, file] of [
    ['system:kube-controller-manager', 'controllers'],
    ['system:kube-scheduler', 'scheduler'],
    [`system:node:${facts.nodeName}`, 'node'],
  ] as const)
    write(join(paths.pki, `${file}.kubeconfig`), user, file);
  if (extra === undefined) return;
  try {
    write(extra, 'kubernetes-admin', 'admin');
  } catch (error) {
    throw new UsageError(`cannot write ${extra}: ${(error as Error).message}`);
  }
}
