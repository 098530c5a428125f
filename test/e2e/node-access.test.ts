// Asking a real node: its pages and its health, directly and by way of the API server; and streams that nobody reads.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { KUBECTL } from '../support/kubectl.ts';
import { startRegistry } from '../support/docker-registry.ts';
import { SHELL_IMAGE, WEB_IMAGE } from '../support/tiny-images.ts';
import { until } from '../support/until.ts';

const MIB = 1024 * 1024;

let cluster: TestCluster;
let node: string;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true, registries: {}, kubeletConfig: { maxPods: 17 } });
  node = cluster.facts.nodeName;
  const probe = { httpGet: { port: 8080, path: '/readyz' }, periodSeconds: 1 };
  const limits = { memory: '200Mi', cpu: '1' };
  await cluster.kubectl.apply([
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          { name: 'main', image: WEB_IMAGE, readinessProbe: probe, resources: { limits } },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  ]);
  await cluster.kubectl.wait('--for=condition=Ready', 'pod/web');
});
afterAll(() => cluster?.stop());

const page = (path: string) =>
  cluster.kubectl.ok(['get', '--raw', `/api/v1/nodes/${node}/proxy${path}`]);

describe('a node, asked by way of the API server', () => {
  it('shows containers under cAdvisor’s names', async () => {
    const text = await page('/metrics/cadvisor');
    const value = (name: string, labels = '') =>
      Number(
        new RegExp(`^${name}\\{[^}]*pod="web"[^}]*${labels}[^}]*\\} (\\S+)`, 'm').exec(text)?.[1],
      );
    expect(value('container_cpu_usage_seconds_total')).toBeGreaterThan(0);
    expect(value('container_memory_working_set_bytes')).toBeGreaterThan(MIB);
    expect(value('container_memory_rss')).toBeGreaterThan(MIB);
    expect(value('container_memory_failures_total', 'failure_type="pgfault"')).toBeGreaterThan(0);
    expect(value('container_spec_memory_limit_bytes')).toBe(200 * MIB);
    expect(value('container_oom_events_total')).toBe(0);
    // The probes came over it.
    expect(value('container_network_receive_bytes_total')).toBeGreaterThan(0);
    expect(text).toMatch(/^machine_cpu_cores [1-9]/m);
  });

  it('shows its figures, its own work and its probes', async () => {
    expect(await page('/metrics/resource')).toMatch(
      /^container_cpu_usage_seconds_total\{container="main",namespace="default",pod="web"\} /m,
    );
    const own = await page('/metrics');
    expect(own).toMatch(
      /^kubelet_runtime_operations_total\{operation_type="start_container"\} [1-9]/m,
    );
    expect(own).toMatch(/^kubelet_pod_start_duration_seconds_count [1-9]/m);
    expect(own).toMatch(/^kubelet_running_pods [1-9]/m);
    expect(own).toMatch(/^rest_client_requests_total\{code="200",method="GET",/m);
    await until(async () =>
      /^prober_probe_total\{.*pod="web".*probe_type="Readiness",result="successful"\} [1-9]/m.test(
        await page('/metrics/probes'),
      ),
    );
  });

  it('summarizes node, pod, volumes and logs', async () => {
    const summary = JSON.parse(await page('/stats/summary')) as {
      node: Record<string, Record<string, unknown>>;
      pods: { podRef: { name: string } }[];
    };
    expect(summary.node).toMatchObject({
      nodeName: node,
      fs: { capacityBytes: expect.any(Number) as number },
      runtime: { imageFs: { usedBytes: expect.any(Number) as number } },
      rlimit: { maxpid: expect.any(Number) as number },
    });
    const web = summary.pods.find(({ podRef }) => podRef.name === 'web');
    expect(web).toMatchObject({
      network: { name: 'eth0' },
      volume: [{ name: 'data' }],
      'ephemeral-storage': { usedBytes: expect.any(Number) as number },
      containers: [{ rootfs: { usedBytes: expect.any(Number) as number } }],
    });
  });

  it('tells its pods, its configuration and its health', async () => {
    expect(JSON.parse(await page('/pods'))).toMatchObject({ kind: 'PodList' });
    const running = JSON.parse(await page('/runningpods/')) as { items: object[] };
    expect(running.items).toMatchObject([
      { metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: WEB_IMAGE }] } },
    ]);
    expect(JSON.parse(await page('/configz'))).toMatchObject({ kubeletconfig: { maxPods: 17 } });
    expect(await page('/healthz?verbose=1')).toBe(
      '[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n',
    );
  });
});

describe('a node, asked directly', () => {
  const ask = (path: string, headers: Record<string, string> = {}) => {
    const { nodeIp, kubeletPort } = cluster.facts;
    const ca = readFileSync(join(cluster.paths.pki, 'ca.crt'), 'utf8');
    return cluster.request({
      url: `https://${nodeIp}:${kubeletPort}${path}`,
      headers,
      tls: { ca },
    });
  };

  it('answers whoever the API server says may, and nobody else', async () => {
    const { kubectl } = cluster;
    expect(await ask('/pods')).toMatchObject({ status: 401 });
    await kubectl.ok(['create', 'serviceaccount', 'scraper']);
    const token = (await kubectl.ok(['create', 'token', 'scraper'])).trim();
    const headers = { authorization: `Bearer ${token}` };
    const refused = await ask('/pods', headers);
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringContaining(
        'Forbidden (user=system:serviceaccount:default:scraper, verb=get, resource=nodes, subresource(s)=[pods proxy])',
      ),
    ]);
    const rights = ['--clusterrole=system:kubelet-api-admin', '--serviceaccount=default:scraper'];
    await kubectl.ok(['create', 'clusterrolebinding', 'scraper', ...rights]);
    expect(await ask('/metrics/resource', headers)).toMatchObject({ status: 200 });
  });
});

describe('a pod whose image is in a registry that asks who comes', () => {
  it('has it pulled with its secret, and one without the secret does not get it', async () => {
    const { kubectl, host } = cluster;
    const registry = await startRegistry({ basic: true }, (...how) => host.start(...how));
    try {
      const image = `${registry.host}/shop/shell:1`;
      const creds = ['--creds', 'shop:sesame'];
      const push = await cluster.pinnace([
        'image',
        'push',
        SHELL_IMAGE,
        image,
        ...creds,
        '--data-dir',
        cluster.dataDir,
        '-q',
      ]);
      expect([push.code, push.stderr]).toEqual([0, '']);
      const login = [`--docker-server=${registry.host}`, '--docker-username=shop'];
      await kubectl.ok([
        'create',
        'secret',
        'docker-registry',
        'pull',
        ...login,
        '--docker-password=sesame',
      ]);
      const pod = (name: string, spec: object = {}) => ({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'main', image, command: ['sleep', '1000'] }],
          ...spec,
        },
      });
      await kubectl.apply(pod('private', { imagePullSecrets: [{ name: 'pull' }] }));
      await kubectl.wait('--for=condition=Ready', 'pod/private');
      const shown = await kubectl.json(['get', 'pod', 'private']);
      expect(shown.status.containerStatuses[0].imageID).toMatch(
        new RegExp(`^${registry.host}/shop/shell@sha256:[0-9a-f]{64}$`),
      );
      await kubectl.apply(pod('stranger'));
      const told = (pod: string) => kubectl.ok(['events', `--for=pod/${pod}`]);
      // As a reason to wait it is soon another one.
      await expect.poll(() => told('stranger')).toMatch(/Error: ErrImagePull/);
      await kubectl.wait(
        '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff',
        'pod/stranger',
      );
      await expect
        .poll(() => told('private'))
        .toMatch(/Pulled +Pod\/private +Successfully pulled image/);
      await kubectl.ok(['delete', 'pod', 'private', 'stranger']);
    } finally {
      await registry.stop();
    }
  });
});

describe('a command that says a gigabyte to somebody who does not read', () => {
  it.each([
    ['WebSocket', 'true'],
    ['SPDY', 'false'],
  ])('fills no memory of the node, and dies with its caller, over %s', async (_, webSockets) => {
    const rss = () => {
      const status = readFileSync(`/proc/${cluster.pidOf('node')}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    };
    const flood =
      "const b = Buffer.alloc(65536, 'x'); const w = () => { while (process.stdout.write(b)); process.stdout.once('drain', w); }; w();";
    const before = rss();
    const args = ['exec', 'web', '--', '/usr/local/bin/node', '-e', flood];
    const reader = cluster.host.start(KUBECTL, args, {
      env: {
        KUBECONFIG: cluster.kubeconfig,
        HOME: cluster.dataDir,
        KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets,
      },
    });
    try {
      // Something has come; from now on nobody reads.
      await new Promise((resolve) => reader.stdout?.once('readable', resolve));
      const most = await mostOver(rss, 2_000);
      expect(most - before).toBeLessThan(64 * MIB);
      const count = async () => {
        const { pods } = JSON.parse(await page('/stats/summary')) as { pods: PodSummary[] };
        return pods.find(({ podRef }) => podRef.name === 'web')?.process_stats.process_count ?? 0;
      };
      const withFlood = await count();
      reader.kill('SIGKILL');
      await until(async () => (await count()) < withFlood);
    } finally {
      reader.kill('SIGKILL');
    }
  });
});

/** What of a pod's summary is looked at. */
interface PodSummary {
  readonly podRef: { readonly name: string };
  readonly process_stats: { readonly process_count: number };
}

/** The largest of what is seen within so many milliseconds: a flood that is not held back takes a gigabyte in that time. */
async function mostOver(look: () => number, ms: number): Promise<number> {
  const due = performance.now() + ms;
  let most = look();
  await until(() => {
    most = Math.max(most, look());
    return performance.now() > due;
  });
  return most;
}
