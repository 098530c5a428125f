// @kubernetes/client-node on real pods: exec, attach, port-forward, copies, logs, and the figures of nodes and pods.
import * as k8s from '@kubernetes/client-node';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientNode, connectClientNode, refusalOf } from '../support/client-node.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';
import { shellPod, webDeployment, webService } from './objects.ts';

const namespace = 'default';
let cluster: TestCluster;
let client: ClientNode;
let core: k8s.CoreV1Api;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-client-node-'));
  cluster = await startTestCluster({ node: true });
  client = await connectClientNode(cluster);
  core = client.config.makeApiClient(k8s.CoreV1Api);
  const listening = 'echo ready; while read line; do echo "heard $line"; done; sleep 1000';
  const objects = k8s.KubernetesObjectApi.makeApiClient(client.config);
  await objects.create(shellPod('ears', listening, { container: { stdin: true } }));
  await objects.create(webDeployment('web', 1));
  await objects.create(webService('web'));
  await cluster.kubectl.wait('--for=condition=Ready', 'pod/ears');
  await cluster.kubectl.wait('--for=condition=Available', 'deploy/web');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await client?.close();
  await cluster?.stop();
});

/** A sink that remembers what came. */
function aSink(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  let said = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  return { stream, text: () => said };
}

describe('Exec', () => {
  interface Executed {
    readonly out: string;
    readonly err: string;
    readonly status: k8s.V1Status;
  }

  async function execute(
    command: string[],
    { input, tty = false }: { input?: string; tty?: boolean } = {},
  ): Promise<Executed> {
    const [out, err, stdin] = [aSink(), aSink(), new PassThrough()];
    const ended = Promise.withResolvers<k8s.V1Status>();
    const exec = new k8s.Exec(client.config);
    const given = input === undefined ? null : stdin;
    const socket = await exec.exec(
      namespace,
      'ears',
      'main',
      command,
      out.stream,
      tty ? null : err.stream,
      given,
      tty,
      ended.resolve,
    );
    stdin.write(input ?? '');
    const status = await ended.promise;
    socket.close();
    return { out: out.text(), err: err.text(), status };
  }

  it('hands over output and errors apart, and says that all went well', async () => {
    const { out, err, status } = await execute(['/bin/sh', '-c', 'echo good; echo bad >&2']);
    expect([out, err, status.status]).toEqual(['good\n', 'bad\n', 'Success']);
  });

  it('tells the exit code of what failed', async () => {
    const { status } = await execute(['/bin/sh', '-c', 'exit 7']);
    expect(status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
  });

  it('tells why a program does not start', async () => {
    const { status } = await execute(['nope']);
    expect(status).toMatchObject({ status: 'Failure', message: expect.stringMatching(/"nope"/) });
  });

  it('takes input', async () => {
    const script = 'read line; echo "got $line"';
    const { out, status } = await execute(['/bin/sh', '-c', script], { input: 'some words\n' });
    expect([out, status.status]).toEqual(['got some words\n', 'Success']);
  });

  it('gives a terminal', async () => {
    const { out, status } = await execute(['/bin/sh', '-c', 'test -t 1 && echo terminal'], {
      tty: true,
    });
    expect([out, status.status]).toEqual(['terminal\r\n', 'Success']);
  });

  it('in a pod or a container that is not there is refused', async () => {
    const exec = new k8s.Exec(client.config);
    const call = (pod: string, container: string) =>
      exec.exec(namespace, pod, container, ['true'], null, aSink().stream, null, false);
    await expect(call('nobody', 'main')).rejects.toThrow(/404/);
    await expect(call('ears', 'nobody')).rejects.toThrow(/400/);
  });
});

describe('Attach', () => {
  it('talks to the program that runs', async () => {
    const [out, err, stdin] = [aSink(), aSink(), new PassThrough()];
    const attach = new k8s.Attach(client.config);
    const socket = await attach.attach(
      namespace,
      'ears',
      'main',
      out.stream,
      err.stream,
      stdin,
      false,
    );
    stdin.write('a word\n');
    await until(() => out.text().includes('heard a word\n'));
    const closed = once(socket, 'close');
    socket.close();
    await closed;
    expect((await core.readNamespacedPod({ namespace, name: 'ears' })).status?.phase).toBe(
      'Running',
    );
  });
});

describe('PortForward', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n';
  interface Ends {
    readonly out: PassThrough;
    readonly err: PassThrough;
    readonly input: PassThrough;
  }
  const forward = () => new k8s.PortForward(client.config);

  it.each([
    [
      'a pod',
      async ({ out, err, input }: Ends) => {
        const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=web' });
        const name = items[0]?.metadata?.name ?? '';
        return forward().portForward(namespace, name, [8080], out, err, input);
      },
    ],
    [
      'a Service',
      ({ out, err, input }: Ends) =>
        forward().portForwardService(namespace, 'web', [8080], out, err, input),
    ],
    [
      'a Deployment',
      ({ out, err, input }: Ends) =>
        forward().portForwardDeployment(namespace, 'web', [8080], out, err, input),
    ],
  ])('reaches %s', async (_what, open) => {
    const [out, err, input] = [aSink(), aSink(), new PassThrough()];
    const socket = await open({ out: out.stream, err: err.stream, input });
    input.write(GET);
    await until(() => out.text().includes('"pod":"web-'));
    expect(out.text()).toMatch(/^HTTP\/1\.1 200 /);
    expect(err.text()).toBe('');
    (typeof socket === 'function' ? socket() : socket)?.close();
  });
});

describe('Cp', () => {
  it('copies into a pod and back, byte for byte', async () => {
    const [there, back] = [join(folder, 'there'), join(folder, 'back')];
    for (const path of [there, back]) mkdirSync(path);
    const bytes = randomBytes(1024 * 1024);
    writeFileSync(join(there, 'sent'), bytes);
    const cp = new k8s.Cp(client.config);
    await cp.cpToPod(namespace, 'ears', 'main', there, '/tmp');
    // The client answers before the copy is made.
    await until(async () => {
      const listed = await cluster.kubectl.run(['exec', 'ears', '--', 'ls', '-l', '/tmp/sent']);
      return listed.stdout.includes(` ${bytes.length} `);
    });
    await cp.cpFromPod(namespace, 'ears', 'main', 'sent', back, '/tmp');
    const copy = join(back, 'sent');
    await until(() => existsSync(copy) && statSync(copy).size === bytes.length);
    expect(readFileSync(copy).equals(bytes)).toBe(true);
  });
});

describe('Log', () => {
  beforeAll(async () => {
    const script = 'for n in 1 2 3 4 5; do echo "line $n"; done; read go; echo "last $go"';
    const objects = k8s.KubernetesObjectApi.makeApiClient(client.config);
    const restartPolicy = 'Never';
    await objects.create(
      shellPod('teller', script, { container: { stdin: true }, spec: { restartPolicy } }),
    );
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/teller');
  });
  const log = async (pod: string, options?: k8s.LogOptions) => {
    const stream = new PassThrough();
    await new k8s.Log(client.config).log(namespace, pod, 'main', stream, options);
    return text(stream);
  };

  it('gives what was said: all, the tail, so many bytes, with times', async () => {
    await until(async () => (await log('teller')).includes('line 5\n'));
    expect(await log('teller')).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n');
    expect(await log('teller', { tailLines: 2 })).toBe('line 4\nline 5\n');
    expect(await log('teller', { limitBytes: 9 })).toBe('line 1\nli');
    const [first] = (await log('teller', { timestamps: true })).split('\n');
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line 1$/);
    const sinceTime = new Date(Date.now() + 60_000).toISOString();
    expect(await log('teller', { sinceTime })).toBe('');
    expect(await core.readNamespacedPodLog({ namespace, name: 'teller', tailLines: 1 })).toBe(
      'line 5\n',
    );
  });

  it('follows to the end of the container', async () => {
    const followed = aSink();
    const ended = once(followed.stream, 'end');
    const options = { follow: true, tailLines: 1 };
    const logs = new k8s.Log(client.config);
    await logs.log(namespace, 'teller', 'main', followed.stream, options);
    await until(() => followed.text() === 'line 5\n');
    const stdin = new PassThrough();
    const attach = new k8s.Attach(client.config);
    // The client breaks on output that it did not ask for.
    const socket = await attach.attach(namespace, 'teller', 'main', null, null, stdin, false);
    stdin.write('words\n');
    await ended;
    expect(followed.text()).toBe('line 5\nlast words\n');
    socket.close();
  });

  it('of no such container, or of a run that never was, is refused', async () => {
    const call = new k8s.Log(client.config).log(namespace, 'ears', 'nobody', new PassThrough());
    expect((await refusalOf(call)).code).toBe(400);
    const previous = core.readNamespacedPodLog({ namespace, name: 'ears', previous: true });
    expect(await refusalOf(previous)).toMatchObject({ code: 400, status: { kind: 'Status' } });
  });
});

describe('figures', () => {
  it('come for nodes and pods, and the top functions make sense of them', async () => {
    const metrics = new k8s.Metrics(client.config);
    await until(async () => {
      const { items } = await metrics.getPodMetrics(namespace);
      return items.some(({ metadata }) => metadata.name === 'ears');
    });
    const nodes = await metrics.getNodeMetrics();
    expect(nodes).toMatchObject({
      kind: 'NodeMetricsList',
      items: [{ usage: { cpu: expect.any(String), memory: expect.any(String) } }],
    });
    const [node] = await k8s.topNodes(core);
    expect(Number(node?.Memory.Capacity)).toBeGreaterThan(0);
    expect(Number(node?.CPU.RequestTotal)).toBeCloseTo(0.05);
    const pods = await k8s.topPods(core, metrics, namespace);
    const ears = pods.find(({ Pod }) => Pod.metadata?.name === 'ears');
    expect(Number(ears?.Memory.CurrentUsage)).toBeGreaterThan(0);
    expect(ears?.Containers.map(({ Container }) => Container)).toEqual(['main']);
  });
});
