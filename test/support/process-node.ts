// A node's real agent side with one running pod whose commands are real processes of this host, and the way to it.
// Invariant: close() ends every process and connection; nothing listens on a port.
import { nodeRequestParts } from './node-request-parts.ts';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import { Nodes, Pods } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import type { Client } from '../../client/rest/client.ts';
import { MemoryLogs } from '../../kubelet/host/memory/memory-logs.ts';
import { FakeImageStore } from '../../kubelet/runtime/fake/fake-images.ts';
import { FakeRuntime } from '../../kubelet/runtime/fake/fake-runtime.ts';
import type { ExecSession } from '../../kubelet/runtime/runtime.ts';
import { AGENT_PORT, FakeNodeDialer } from '../../testing/nodes/fake-node-dialer.ts';
import { aContainer, aSandbox } from '../contracts/runtime.ts';

const NODE = 'processes';
const ADDRESS = '172.31.0.1';
const NAMESPACE = 'default';

/** Commands are processes; terminals are told by their sizes only. */
class ProcessRuntime extends FakeRuntime {
  readonly sizes: { columns: number; rows: number }[] = [];
  readonly #kills = new Set<() => void>();

  /** Processes that have not ended. */
  get running(): number {
    return this.#kills.size;
  }

  override async exec(
    _: string,
    { command, tty, stdin }: { command: readonly string[]; tty: boolean; stdin: boolean },
  ): Promise<ExecSession> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] });
    const exit = new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal === null ? (code ?? 0) : 137));
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', () => reject(new Error(`exec: "${program}": executable file not found`)));
      exit.catch(() => undefined);
    });
    const kill = () => child.kill('SIGKILL');
    this.#kills.add(kill);
    void exit.finally(() => this.#kills.delete(kill));
    child.stdin?.on('error', () => undefined);
    if (tty) child.stderr?.resume();
    return {
      stdin: child.stdin ?? undefined,
      stdout: child.stdout ?? new PassThrough().end(),
      stderr: tty ? undefined : (child.stderr ?? undefined),
      resize: (size) => void this.sizes.push(size),
      exit,
      kill,
    };
  }

  /** What it would talk to is a shell that reads its lines. */
  override attach(id: string, { stdin }: { stdin: boolean }): Promise<ExecSession> {
    const script = 'while read line; do echo "heard $line"; done; exit 4';
    return this.exec(id, { command: ['sh', '-c', script], tty: false, stdin });
  }

  end(): void {
    for (const kill of this.#kills) kill();
  }
}

/** A node with one pod. */
export interface ProcessNode {
  readonly dialer: FakeNodeDialer;
  readonly runtime: ProcessRuntime;
  /** The pod, once it is there. */
  readonly ref: { readonly namespace: string; readonly name: string };
  /** Writes a line to the container's log. */
  log(line: string): void;
  /** Makes node and pod in the API. */
  register(client: Client): Promise<void>;
  close(): Promise<void>;
}

/** Makes it; the API server is to be given its dialer. */
export async function aProcessNode(): Promise<ProcessNode> {
  const images = new FakeImageStore();
  const runtime = new ProcessRuntime({ clock: systemClock, images, lifeOf: () => ({}) });
  const sandbox = aSandbox('uid-1');
  const logs = new MemoryLogs();
  const logPath = '/logs/main.log';
  const imageId = images.add('app:1').id;
  const config = aContainer({ name: 'main', imageId, command: ['run'], logPath });
  const sandboxId = await runtime.runSandbox(sandbox);
  await runtime.startContainer(await runtime.createContainer(sandboxId, sandbox, config));
  logs.begin(logPath);
  const dialer = new FakeNodeDialer();
  const pods = new Map<string, Pod>();
  const statuses = [...(await runtime.listContainers())];
  const server = await dialer.serving(
    ADDRESS,
    () => true,
  )(
    nodeRequestParts({
      nodeName: NODE,
      pods: {
        list: () => [...pods.values()],
        find: (namespace, name) => {
          const pod = pods.get(`${namespace}/${name}`);
          return pod && { pod, podIp: '127.0.0.1', containers: new Map([['main', statuses]]) };
        },
      },
      runtime,
      logs,
      connect: (_, port) =>
        new Promise((resolve, reject) => {
          const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
          socket.once('error', reject);
          socket.once('connect', () => {
            socket.off('error', reject);
            resolve(socket);
          });
        }),
    }),
  );
  const ref = { namespace: NAMESPACE, name: 'shell' };
  return {
    dialer,
    runtime,
    ref,
    log: (line) => logs.append(logPath, `2026-01-01T00:00:00Z stdout F ${line}`),
    async register(client) {
      await client.resource(Nodes).create(nodeObject(NODE));
      const node = await client.resource(Nodes).get({ name: NODE });
      const addresses = [{ type: 'InternalIP', address: ADDRESS }];
      const daemonEndpoints = { kubeletEndpoint: { Port: AGENT_PORT } };
      await client
        .resource(Nodes)
        .updateStatus({ ...node, status: { addresses, daemonEndpoints } });
      pods.set(`${ref.namespace}/${ref.name}`, await client.resource(Pods).create(podObject(ref)));
    },
    async close() {
      runtime.end();
      await server.close();
    },
  };
}

const nodeObject = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });

function podObject(metadata: { namespace: string; name: string }): Pod {
  const containers = [{ name: 'main', image: 'app:1' }];
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { nodeName: NODE, containers } };
}
