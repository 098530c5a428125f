// A connection to a program in a pod by the pod's own loopback, so that programs that listen nowhere else are reached too.
// Invariant: what is connected to is the pod's namespace, or the host's for a pod that shares it, and nothing else.
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import type { System } from '../../system/system.ts';
import type { PodNetwork } from '../pod-network.ts';

const LOOPBACKS = ['127.0.0.1', '::1'] as const;
const HOST_NAMESPACE = '/proc/self/ns/net';
const CONNECT_TIMEOUT_MS = 30_000;

/** Connects. Rejects with a message for people. */
export async function connectToPod(
  { network, system }: { readonly network: PodNetwork; readonly system: System },
  pod: Pod,
  port: number,
): Promise<Duplex> {
  const attachment = (await network.list()).find(({ podUid }) => podUid === pod.metadata.uid);
  const namespace = pod.spec?.hostNetwork ? HOST_NAMESPACE : attachment?.netnsPath;
  if (namespace === undefined) throw new Error('the pod has no network yet');
  const failures: string[] = [];
  for (const host of LOOPBACKS)
    try {
      const limit = { timeoutMs: CONNECT_TIMEOUT_MS };
      return await system.connectInNamespace(namespace, { host, port }, limit);
    } catch (error) {
      failures.push((error as Error).message);
    }
  throw new Error(`failed to connect to localhost:${port} inside the pod: ${failures.join('; ')}`);
}
