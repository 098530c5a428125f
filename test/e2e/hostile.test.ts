// Pods that try to harm others or the agent, side by side, with a peaceful one that answers meanwhile.
// Invariants: the witness is Ready and answers all the time, agent and control plane live through it in their memory, each harm's pod
// says what became of it, and when all are deleted nothing of them is on the host.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { collect } from '../../tools/host-namespace.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type Harm, HARMS } from '../support/hostile/harms.ts';
import { buildPerlImage, PERL_IMAGE, SERVE } from '../support/perl-image.ts';
import type { Served } from '../support/restless/load.ts';
import { differencesOnHost } from '../support/restless/host-pods.ts';

/** Side by side at most. */
const AT_ONCE = 6;
/** Of the agent at its worst; it has about 100 MB with as many pods as fit. */
const AGENT_PEAK_MB = 250;
const CEILING_MS = 120_000;

const WITNESS = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'witness' },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: PERL_IMAGE,
        command: [SERVE, '8080'],
        resources: { requests: { cpu: '200m', memory: '32Mi' } },
        readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
        livenessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
      },
    ],
  },
};

let cluster: TestCluster;
let witness: { before: Pod; served(): Promise<Served> };
let pids: readonly (number | undefined)[];

const pidsNow = () => (['control-plane', 'node'] as const).map((name) => cluster.pidOf(name));
const podNow = async (name: string) => (await cluster.kubectl.json(['get', 'pod', name])) as Pod;
const logOf = async (name: string) =>
  (await cluster.kubectl.run(['logs', '--tail=1500', name])).stdout;

beforeAll(async () => {
  cluster = await startTestCluster({ node: true, kubeletConfig: { podPidsLimit: 1000 } });
  await buildPerlImage(cluster.host.system, cluster.paths.images);
  await cluster.kubectl.apply(WITNESS);
  await cluster.kubectl.wait('--for=condition=Ready', 'pod/witness');
  const before = await podNow('witness');
  const program = join(import.meta.dirname, '../support/hostile/witness.ts');
  const child = cluster.host.start(process.execPath, [
    program,
    `http://${before.status?.podIP}:8080/`,
  ]);
  const served = async () =>
    JSON.parse((await collect(child, { timeoutMs: CEILING_MS })).stdout) as Served;
  witness = { before, served };
  pids = pidsNow();
});
afterAll(() => cluster?.stop());

/** The port of the API server, for who would grab it. */
function specOf({ spec }: Harm): object {
  const env = [{ name: 'PORT', value: String(cluster.facts.port) }];
  const containers = spec.containers.map((each) => ({ env, ...each }));
  return { ...spec, containers };
}

async function commit(harm: Harm): Promise<void> {
  const { name, objects = [], log } = harm;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: specOf(harm) };
  // Applied would be kept twice, which an object may be too large for.
  const input = [...objects, pod].map((each) => `---\n${JSON.stringify(each)}`).join('\n');
  await cluster.kubectl.ok(['create', '-f', '-'], { input });
  await cluster.kubectl.wait(harm.until, `pod/${name}`).catch(async (error: Error) => {
    const told = JSON.stringify((await podNow(name)).status?.containerStatuses);
    throw new Error(`${error.message}\n${told}\n${await logOf(name)}`, { cause: error });
  });
  if (harm.status) expect(await podNow(name)).toMatchObject(harm.status);
  // Not expect.poll, which throws where no test runs, as between two of them.
  if (log)
    await vi.waitFor(async () => expect(await logOf(name)).toMatch(log), {
      timeout: CEILING_MS,
      interval: 300,
    });
}

async function gone(name: string): Promise<void> {
  const args = ['delete', 'pod', name, `--timeout=${CEILING_MS / 1000}s`];
  await cluster.kubectl.ok(args, { timeoutMs: CEILING_MS + 5_000 });
}

const peakMb = (pid: number | undefined) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('hostile pods', () => {
  const outcomes = new Map(HARMS.map(({ name }) => [name, Promise.withResolvers<void>()]));
  beforeAll(() => {
    // A few at a time, in their order; each test waits for its own.
    const open = HARMS.values();
    for (let lane = 0; lane < AT_ONCE; lane += 1) void carryOut(open);
  });

  async function carryOut(open: Iterable<Harm>): Promise<void> {
    for (const harm of open) {
      const outcome = outcomes.get(harm.name);
      outcome?.promise.catch(() => undefined);
      const committed = commit(harm);
      await committed.catch(() => undefined);
      await Promise.all([committed, gone(harm.name)]).then(
        () => outcome?.resolve(),
        outcome?.reject,
      );
    }
  }

  it.for(HARMS.map(({ name }) => name))('%s', { timeout: 3 * CEILING_MS }, async (name) => {
    await outcomes.get(name)?.promise;
  });
});

describe('a hundred commands at once', () => {
  it('are all carried out', { timeout: 3 * CEILING_MS }, async () => {
    const program = join(import.meta.dirname, '../support/hostile/exec-flood.ts');
    const args = [program, cluster.kubeconfig, 'witness'];
    const { stdout, stderr } = await cluster.host.run(process.execPath, args, {
      timeoutMs: 2 * CEILING_MS,
    });
    const expected = Array.from({ length: 100 }, (_, i) => `0 ${i}`);
    expect(JSON.parse(stdout || '[]'), stderr).toEqual(expected);
  });
});

describe('a file system that hangs', () => {
  const system = createLinuxSystem();
  let folder: string;
  let frozen = false;
  const thaw = async () => {
    if (frozen) await system.run('fsfreeze', ['--unfreeze', join(folder, 'fs')]);
    frozen = false;
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pinnace-frozen-'));
    const image = join(folder, 'image');
    await system.run('truncate', ['-s', '16M', image]);
    await system.run('mkfs.ext4', ['-q', '-F', image]);
    mkdirSync(join(folder, 'fs'));
    await system.run('mount', ['-o', 'loop', image, join(folder, 'fs')]);
  });
  afterAll(async () => {
    await thaw();
    await system.run('umount', [join(folder, 'fs')]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds its pod, which no signal ends, and no other; once it goes on, the pod goes', {
    timeout: 3 * CEILING_MS,
  }, async () => {
    const { kubectl } = cluster;
    const script =
      '$| = 1; while (1) { open(F, ">>/frozen/x"); syswrite(F, "x"); print "wrote\\n"; select(undef, undef, undef, 0.05) }';
    const spec = {
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: 'frozen', hostPath: { path: join(folder, 'fs'), type: 'Directory' } }],
      containers: [
        {
          name: 'main',
          image: PERL_IMAGE,
          command: ['/bin/perl', '-e', script],
          volumeMounts: [{ name: 'frozen', mountPath: '/frozen' }],
        },
      ],
    };
    await kubectl.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'stuck' }, spec });
    await kubectl.wait('--for=condition=Ready', 'pod/stuck');
    await expect.poll(() => logOf('stuck'), { timeout: CEILING_MS }).toMatch(/wrote/);
    await system.run('fsfreeze', ['--freeze', join(folder, 'fs')]);
    frozen = true;
    const [status] = (await podNow('stuck')).status?.containerStatuses ?? [];
    const id = status?.containerID?.replace(/^.*:\/\//, '') ?? '';
    await expect.poll(() => statesOf(id), { timeout: CEILING_MS }).toContain('D');
    await kubectl.ok(['delete', 'pod', 'stuck', '--wait=false']);
    const after = { ...WITNESS, metadata: { name: 'after' } };
    await kubectl.apply(after);
    await kubectl.wait('--for=condition=Ready', 'pod/after');
    await gone('after');
    expect(statesOf(id)).toContain('D');
    expect((await podNow('stuck')).metadata.deletionTimestamp).toBeDefined();
    await thaw();
    await kubectl.wait('--for=delete', 'pod/stuck');
  });

  /** States of the processes of a container. */
  function statesOf(id: string): string[] {
    return system
      .list('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => (system.read(`/proc/${pid}/cgroup`) ?? '').includes(id))
      .map((pid) => system.processState(Number(pid)) ?? '');
  }
});

describe('after all of them', () => {
  it('the witness was Ready and answered all the time', async () => {
    const { answered, failed } = await witness.served();
    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    const now = await podNow('witness');
    expect(now.status?.containerStatuses).toEqual(witness.before.status?.containerStatuses);
    expect(now.status?.conditions).toEqual(witness.before.status?.conditions);
  });

  it('agent and control plane live, and the agent never needed much', () => {
    expect(pidsNow()).toEqual(pids);
    expect(peakMb(cluster.pidOf('node'))).toBeLessThan(AGENT_PEAK_MB);
  });

  it('nothing of them is on the host', async () => {
    await expect
      .poll(() => differencesOnHost(cluster), { timeout: CEILING_MS, interval: 300 })
      .toEqual([]);
  });
});
