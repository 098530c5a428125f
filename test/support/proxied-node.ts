// A node's real agent server with one pod whose programs are the test's own, and the dialer by which an API server reaches it.
// Invariant: the pod's address in the API is one of the test's choice; the agent leads to this host's loopback.
import { nodeRequestParts } from './node-request-parts.ts';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';
import type { NodeDialer } from '../../apiserver/handlers/node-dialer.ts';
import { createHttpNodeDialer } from '../../apiserver/http/node-dialer.ts';
import { systemClock } from '../../base/clock.ts';
import { CertificateAuthority } from '../../cli/serve/pki.ts';
import { MemoryLogs } from '../../kubelet/host/memory/memory-logs.ts';
import { FakeImageStore } from '../../kubelet/runtime/fake/fake-images.ts';
import { FakeRuntime } from '../../kubelet/runtime/fake/fake-runtime.ts';
import { overHttps } from '../../kubelet/server/node-server.ts';

const CLIENT = 'apiserver-kubelet-client';
/** Where the pod's programs are. */
const LOOPBACK = '127.0.0.1';

/** A node's server and the way to it. */
export interface ProxiedNode {
  readonly port: number;
  readonly dialer: NodeDialer;
  /** A certificate that a server in a pod may use; nobody verifies it. */
  readonly pair: { readonly key: string; readonly cert: string };
  /** The pods that the agent has from now on. */
  readonly pods: Map<string, Pod>;
  /** Names of those that have no sandbox yet, whatever their status says. */
  readonly unsettled: Set<string>;
  close(): Promise<void>;
}

/** Starts it on 127.0.0.1. */
export async function aProxiedNode(): Promise<ProxiedNode> {
  const folder = mkdtempSync(join(tmpdir(), 'pinnace-proxied-'));
  const authority = await CertificateAuthority.open(folder, systemClock);
  const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
  const pair = await authority.issue({ file: 'node', commonName: 'node', usage: 'server', names });
  const client = await authority.issue({ file: 'client', commonName: CLIENT, usage: 'client' });
  const ca = readFileSync(join(folder, 'ca.crt'), 'utf8');
  const pods = new Map<string, Pod>();
  const unsettled = new Set<string>();
  const runtime = new FakeRuntime({
    clock: systemClock,
    images: new FakeImageStore(),
    lifeOf: () => ({}),
  });
  const server = await overHttps({
    host: '127.0.0.1',
    port: 0,
    tls: { ...pair, clientCa: ca },
    allowedClientCommonNames: [CLIENT],
  })(
    nodeRequestParts({
      nodeName: 'n1',
      pods: {
        list: () => [...pods.values()],
        find: (namespace, name) => {
          const pod = pods.get(`${namespace}/${name}`);
          return (
            pod && { pod, podIp: unsettled.has(name) ? undefined : LOOPBACK, containers: new Map() }
          );
        },
      },
      runtime,
      logs: new MemoryLogs(),
      connect: () => Promise.reject(new Error('nobody forwards here')),
    }),
  );
  return {
    port: server.port,
    dialer: createHttpNodeDialer({ ...client, ca }),
    pair,
    pods,
    unsettled,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
