// A pod of the shop, from created to Ready.
// Invariant: the time ends with the watch event that says Ready, as a user's own client would see it.
import { performance } from 'node:perf_hooks';
import type { Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import type { Client } from '../../client/rest/client.ts';

interface Conditioned {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}

const isReady = ({ status }: Conditioned): boolean =>
  status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;

function benchPod(name: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'shop/payment:1',
          env: [{ name: 'VAULT_KEY', value: 'bench' }],
          readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

/** Creates the pod and watches it until it is Ready; milliseconds. */
export async function podReadyMs(client: Client, name: string): Promise<number> {
  const pods = client.resource(Pods);
  const startedAt = performance.now();
  for (;;)
    try {
      await pods.create(benchPod(name));
      break;
    } catch (error) {
      // The default service account of a new cluster comes a moment after /readyz.
      if (!(error as Error).message.includes('service account')) throw error;
    }
  const only = { namespace: 'default', fieldSelector: `metadata.name=${name}` };
  for await (const events of pods.watch(only))
    for (const { object } of events)
      if (isReady(object as Conditioned)) return performance.now() - startedAt;
  throw new Error('the watch ended before the pod was Ready');
}

/** Resolves when the node is Ready. */
export async function nodeReady(client: Client): Promise<void> {
  for await (const events of client.resource(Nodes).watch())
    for (const { object } of events) if (isReady(object as Conditioned)) return;
}
