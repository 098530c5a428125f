// The official JavaScript client (@kubernetes/client-node), in the test's own process, against a test cluster.
// Invariant: it reads the kubeconfig that the cluster wrote, with nothing changed but the port; close() leaves nothing.
import { KubeConfig, type V1Status } from '@kubernetes/client-node';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestCluster } from './cluster.ts';
import { openTunnel } from './tunnel.ts';

/** The client's way into a cluster. */
export interface ClientNode {
  /** Of the cluster's admin. */
  readonly config: KubeConfig;
  /** Of another kubeconfig of the cluster. */
  configOf(kubeconfig: string): KubeConfig;
  /** Breaks every connection that is open, as a network does; new ones go through. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

/** Connects to a cluster. */
export async function connectClientNode(cluster: TestCluster): Promise<ClientNode> {
  const { port, cut, close } = await openTunnel(cluster);
  const configOf = (kubeconfig: string) => {
    const copy = join(cluster.dataDir, 'home', 'client-node.kubeconfig');
    const text = readFileSync(kubeconfig, 'utf8');
    writeFileSync(copy, text.replaceAll(cluster.url, `https://127.0.0.1:${port}`));
    const config = new KubeConfig();
    config.loadFromFile(copy);
    return config;
  };
  return { config: configOf(cluster.kubeconfig), configOf, cut, close };
}

/** How a call failed: the HTTP code, and the Status that the server sent, parsed. */
export interface Refusal {
  readonly code: number;
  readonly status: V1Status;
}

/** The refusal of a call that must not succeed. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!isApiException(error)) throw error;
    const { code, body } = error;
    return { code, status: (typeof body === 'string' ? JSON.parse(body) : body) as V1Status };
  }
  throw new Error('the call was expected to be refused');
}

function isApiException(error: unknown): error is { code: number; body: unknown } {
  return error instanceof Error && 'code' in error && 'body' in error;
}
