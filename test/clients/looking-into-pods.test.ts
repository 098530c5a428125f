// Real kubectl's ways of looking into what runs: proxies to nodes, pods and Services, and debug by ephemeral containers,
// by copies of pods, and on nodes; and resizes of pods in place. Limits are read from cgroups v1.
import { globSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';
import { shellPod, webDeployment, webService } from './objects.ts';

let cluster: TestCluster;
let k: Kubectl;
let node: string;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  k = cluster.kubectl;
  node = cluster.facts.nodeName;
  await k.apply([
    webDeployment('web', 1),
    webService('web'),
    shellPod('app', 'exec sleep 4321', { container: { name: 'app' } }),
  ]);
  await k.wait('--for=condition=Available', 'deploy/web');
  await k.wait('--for=condition=Ready', 'pod/app');
});
afterAll(() => cluster?.stop());

describe('proxies', () => {
  const raw = (path: string) => k.ok(['get', '--raw', path]);
  const service = '/api/v1/namespaces/default/services/web:http/proxy';

  it('reach a Service, a pod and a node', async () => {
    // A pod that is ready is among the Service's endpoints a moment later.
    await expect.poll(() => raw(`${service}/`)).toMatch(/"pod":"web-/);
    const pod = (await k.ok(['get', 'pod', '-l', 'app=web', '-o', 'name'])).trim().slice(4);
    expect(await raw(`/api/v1/namespaces/default/pods/${pod}/proxy/healthz`)).toBe('{}');
    const summary = JSON.parse(await raw(`/api/v1/nodes/${node}/proxy/stats/summary`)) as {
      node: { nodeName: string; cpu: { usageCoreNanoSeconds: number } };
    };
    expect(summary.node.nodeName).toBe(node);
    expect(summary.node.cpu.usageCoreNanoSeconds).toBeGreaterThan(0);
    expect(await raw(`/api/v1/nodes/${node}/proxy/healthz`)).toBe('ok');
  });

  it('say what is not there to reach', async () => {
    await k.apply({ ...webService('empty'), spec: { ports: [{ name: 'http', port: 80 }] } });
    const path = service.replace('web:http', 'empty:http');
    const { code, stderr } = await k.run(['get', '--raw', `${path}/`]);
    expect(code).toBe(1);
    expect(stderr).toContain('no endpoints available for service "empty"');
    const nobody = await k.run(['get', '--raw', '/api/v1/namespaces/default/pods/app:1/proxy/']);
    expect(nobody.stderr).toMatch(
      /error trying to reach service: dial tcp [\d.]+:1: connect: connection refused/,
    );
  });

  it('stand behind kubectl proxy, and cluster-info names the control plane', async () => {
    const follower = k.follow(['proxy', '--port=0']);
    const line = await follower.says(/Starting to serve on 127\.0\.0\.1:\d+/);
    const url = `http://${line.split(' ').at(-1)}${service}`;
    const body = 'x'.repeat(5_000_000);
    const echoed = await cluster.request({ url: `${url}/echo`, method: 'POST', body });
    expect([echoed.status, echoed.text === body]).toEqual([200, true]);
    await follower.stop();
    expect(await k.ok(['cluster-info'])).toContain(`127.0.0.1:${cluster.facts.port}`);
  });
});

describe('kubectl debug', () => {
  it('joins a pod, sees the processes of its target, and answers on a terminal', async () => {
    const args = ['debug', '-it', 'app', `--image=${SHELL_IMAGE}`, '--target=app', '-c', 'look'];
    const command = `"$KUBECTL" ${args.join(' ')} -- /bin/sh`;
    const shell = k.follow([command, '/dev/null'], ['script', '-qec']);
    // The prompt may have been written before kubectl was there to read it.
    await shell.says(/# $|try pressing enter/);
    shell.type('cat /proc/1/cmdline; echo; echo mark-$((40+2))\n');
    await shell.says(/sleep\W*4321[^]*mark-42/);
    shell.type('exit 3\n');
    await shell.ended;
    const terminated = '{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}';
    await k.wait(`--for=jsonpath=${terminated}=3`, 'pod/app');
    const { spec, status } = await k.json(['get', 'pod', 'app']);
    expect(spec.ephemeralContainers[0]).toMatchObject({ name: 'look', targetContainerName: 'app' });
    expect(status.containerStatuses[0]).toMatchObject({ ready: true, restartCount: 0 });
    expect(await k.ok(['logs', 'app', '-c', 'look'])).toContain('mark-42');
  });

  it('without a target sees its own processes, and may be looked into by exec', async () => {
    await k.ok(['debug', 'app', `--image=${SHELL_IMAGE}`, '-c', 'own', '--', 'sleep', '1234']);
    const running =
      '{.status.ephemeralContainerStatuses[?(@.name=="own")].state.running.startedAt}';
    await k.wait(`--for=jsonpath=${running}`, 'pod/app');
    const seen = () => k.ok(['exec', 'app', '-c', 'own', '--', 'cat', '/proc/1/cmdline']);
    await expect.poll(seen).toBe('sleep\0' + '1234\0');
    await k.ok(['delete', 'pod', 'app', '--grace-period=1']);
  });

  it('copies a pod with another command', async () => {
    await k.apply(shellPod('broken', 'exit 1'));
    const args = ['debug', 'broken', '--copy-to=mended', '--container=main'];
    await k.ok([...args, '--', '/bin/sh', '-c', 'echo mended; sleep 1000']);
    await k.wait('--for=condition=Ready', 'pod/mended');
    await expect.poll(() => k.ok(['logs', 'mended'])).toBe('mended\n');
    await k.ok(['delete', 'pod', 'broken', 'mended', '--grace-period=1']);
  });

  it('looks at a node: its processes, its network and its files', async () => {
    const said = await k.ok([
      'debug',
      `node/${node}`,
      `--image=${SHELL_IMAGE}`,
      '--',
      '/bin/sh',
      '-c',
      'sleep 1000',
    ]);
    const pod = /pod (\S+) with container debugger/.exec(said)?.[1] ?? said;
    await k.wait('--for=condition=Ready', `pod/${pod}`);
    const { spec } = await k.json(['get', 'pod', pod]);
    expect(spec).toMatchObject({ hostPID: true, hostNetwork: true, hostIPC: true, nodeName: node });
    const exec = (...command: string[]) => k.ok(['exec', pod, '--', ...command]);
    expect(await exec('ls', '/host/proc/1')).toContain('cmdline');
    const [inside, outside] = await Promise.all([
      exec('cat', `/proc/${cluster.pid}/cmdline`),
      exec('cat', `/host/proc/${cluster.pid}/cmdline`),
    ]);
    expect(inside).toContain('pinnace');
    expect(inside).toBe(outside);
    await k.ok(['delete', 'pod', pod, '--grace-period=1']);
  });
});

describe('a resize by kubectl', () => {
  const sizes = (cpu: string, memory: string) => ({
    requests: { cpu, memory },
    limits: { cpu, memory },
  });
  const resize = (pod: string, resources: object) => [
    'patch',
    'pod',
    pod,
    '--subresource=resize',
    '-p',
    JSON.stringify({ spec: { containers: [{ name: 'main', resources }] } }),
  ];
  /** A limit as the kernel has it, of the container or its pod. */
  const limit = async (pod: string, of: 'container' | 'pod', file: string) => {
    const { metadata, status } = await k.json(['get', 'pod', pod]);
    const id = String(status.containerStatuses[0].containerID).replace(/^.*:\/\//, '');
    const group = `pod${metadata.uid}${of === 'pod' ? '' : `/${id}`}`;
    const [path] = globSync(`/sys/fs/cgroup/*/**/${group}/${file}`);
    return path === undefined ? undefined : Number(readFileSync(path, 'utf8'));
  };
  const given = async (pod: string, cpu: string) => {
    const path = '{.status.containerStatuses[0].resources.limits.cpu}';
    await k.wait(`--for=jsonpath=${path}=${cpu}`, `pod/${pod}`);
  };

  it('reaches the kernel in place, up and down', async () => {
    const resources = sizes('100m', '64Mi');
    await k.apply(shellPod('sized', 'sleep 1000', { container: { resources } }));
    await k.wait('--for=condition=Ready', 'pod/sized');
    for (const [cpu, memory, quota, bytes] of [
      ['150m', '96Mi', 15_000, 96 * 2 ** 20],
      ['50m', '48Mi', 5_000, 48 * 2 ** 20],
    ] as const) {
      await k.ok(resize('sized', sizes(cpu, memory)));
      await given('sized', cpu);
      for (const of of ['container', 'pod'] as const) {
        await expect.poll(() => limit('sized', of, 'cpu.cfs_quota_us')).toBe(quota);
        await expect.poll(() => limit('sized', of, 'memory.limit_in_bytes')).toBe(bytes);
      }
    }
    const { metadata } = await k.json(['get', 'pod', 'sized']);
    const status = async () => (await k.json(['get', 'pod', 'sized'])).status;
    await expect.poll(status).toMatchObject({
      observedGeneration: metadata.generation,
      containerStatuses: [
        {
          restartCount: 0,
          allocatedResources: { cpu: '50m', memory: '48Mi' },
          resources: sizes('50m', '48Mi'),
        },
      ],
    });
  });

  it('that no node of its kind can hold is told to be infeasible, until it is taken back', async () => {
    await k.ok(resize('sized', sizes('900', '48Mi')));
    await k.wait('--for=condition=PodResizePending', 'pod/sized');
    const { status } = await k.json(['get', 'pod', 'sized']);
    const pending = status.conditions.find((c: { type: string }) => c.type === 'PodResizePending');
    expect(pending).toMatchObject({ status: 'True', reason: 'Infeasible' });
    expect(status.containerStatuses[0].allocatedResources.cpu).toBe('50m');
    await k.ok(resize('sized', sizes('60m', '48Mi')));
    await given('sized', '60m');
    const after = async () => (await k.json(['get', 'pod', 'sized'])).status.conditions;
    const types = async () => (await after()).map((c: { type: string }) => c.type);
    await expect.poll(types).not.toContain('PodResizePending');
  });

  it('restarts a container whose policy says so', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const resources = sizes('50m', '64Mi');
    await k.apply(shellPod('strict', 'sleep 1000', { container: { resources, resizePolicy } }));
    await k.wait('--for=condition=Ready', 'pod/strict');
    await k.ok(resize('strict', sizes('60m', '96Mi')));
    await k.wait('--for=jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod/strict');
    await k.wait('--for=condition=Ready', 'pod/strict');
    for (const of of ['container', 'pod'] as const)
      await expect.poll(() => limit('strict', of, 'memory.limit_in_bytes')).toBe(96 * 2 ** 20);
    await k.ok(['delete', 'pod', 'sized', 'strict', '--grace-period=1']);
  });
});
