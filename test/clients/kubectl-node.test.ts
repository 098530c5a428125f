// kubectl's commands for nodes and for pods that run: cordon, drain, taint, debug, logs with their flags, run and attach, figures.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { keyOf } from '../../api/meta/object.ts';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { documentsOf, KUBECTL_VERSIONS } from '../support/kubectl.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';
import { until } from '../support/until.ts';
import { shellPod, webDeployment } from './objects.ts';

let cluster: TestCluster;
let node: string;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  node = cluster.facts.nodeName;
});
afterAll(() => cluster?.stop());

describe.each(KUBECTL_VERSIONS)('kubectl $version', ({ binary, word }) => {
  const ns = `node-${word}`;
  const k = () => cluster.kubectl.with({ binary });
  const args = (typed: string) => ['-n', ns, ...typed.split(' ')];
  const run = (typed: string) => k().run(args(typed));
  const ok = (typed: string) => k().ok(args(typed));
  const apply = (...objects: readonly object[]) =>
    k().ok(args('apply -f -'), { input: documentsOf(objects) });
  const ready = (name: string) => ok(`wait --for=condition=Ready --timeout=60s pod/${name}`);

  beforeAll(async () => {
    await k().ok(['create', 'namespace', ns]);
    const two = shellPod('two', 'echo from main; sleep 1000', {
      spec: {
        containers: ['main', 'side'].map((name) => ({
          name,
          image: SHELL_IMAGE,
          command: ['/bin/sh', '-c', `echo first ${name}; echo second ${name}; sleep 1000`],
        })),
      },
    });
    await apply(two, shellPod('other', 'echo first other; sleep 1000'));
    await Promise.all([ready('two'), ready('other')]);
  });

  it('logs: of a container, of all, by label, with prefix, times and limits, and of the one before', async () => {
    for (const name of ['main', 'side'])
      await until(
        async () => (await ok(`logs two -c ${name}`)) === `first ${name}\nsecond ${name}\n`,
      );
    expect(await ok('logs two')).toBe('first main\nsecond main\n');
    expect((await ok('logs two --all-containers')).split('\n').toSorted()).toEqual(
      ['', 'first main', 'second main', 'first side', 'second side'].toSorted(),
    );
    const prefixed = await ok('logs -l app=two --all-containers --prefix --tail=1');
    expect(prefixed.split('\n').toSorted()).toEqual(
      ['', '[pod/two/main] second main', '[pod/two/side] second side'].toSorted(),
    );
    expect(await ok('logs two -c main --timestamps --tail=1')).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:]+\.\d+(Z|\+00:00) second main\n$/,
    );
    expect(await ok('logs two -c main --limit-bytes=5')).toBe('first');
    expect(await ok('logs two --since-time=2999-01-01T00:00:00Z')).toBe('');
    expect(await ok('logs two --since=1h')).toContain('first main\n');
    expect((await run('logs two -c none')).stderr).toContain(
      'container none is not valid for pod two',
    );
    expect((await run('logs two -p')).stderr).toContain(
      'previous terminated container "main" in pod "two" not found',
    );
    await apply(shellPod('again', 'echo life; sleep 1; exit 3'));
    await ok(
      'wait --for=jsonpath={.status.containerStatuses[0].restartCount}=1 --timeout=60s pod/again',
    );
    expect(await ok('logs again --previous')).toBe('life\n');
    await ok('delete pod again --now --wait=false');
  });

  it('run: attached until it ends, with input, its exit code, and removed when it is told to', async () => {
    const attached = await k().run(
      args(
        `run once --image=${SHELL_IMAGE} --restart=Never -i --rm --quiet --command -- /bin/sh -c`,
      ).concat('read line; echo "got $line"; exit 4'),
      { input: 'word\n' },
    );
    // What the log has as well is shown once.
    expect(attached.stdout.match(/got word\n/g)).toHaveLength(1);
    expect(attached.stderr).not.toContain('falling back to streaming logs');
    expect(attached.code).toBe(4);
    expect((await run('get pod once')).stderr).toContain('NotFound');
  });

  it('attach and exec: a container that is named, and the one that is meant', async () => {
    expect(await ok('exec two -c side -- cat /etc/hostname')).toBe('two\n');
    const meant = await run('exec two -- /bin/sh -c exit');
    expect(meant).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Defaulted container "main"'),
    });
    expect((await run('exec two -c none -- true')).stderr).toContain('container none');
    expect((await run('exec none -- true')).stderr).toBe(
      'Error from server (NotFound): pods "none" not found\n',
    );
    await apply(shellPod('loud', 'while :; do echo tick; sleep 0.1; done'));
    await ready('loud');
    const attached = k().follow(args('attach loud'));
    await attached.says(/tick\ntick\n/);
    await attached.stop();
    await ok('delete pod loud --now --wait=false');
  });

  it('debug: a container beside the others, in the process namespace of one', async () => {
    const said = await k().run(
      args(
        `debug other --image=${SHELL_IMAGE} -c probe --target=main -i --quiet -- /bin/sh -c`,
      ).concat('cat /proc/1/cmdline'),
      { timeoutMs: 60_000 },
    );
    expect(said.code, said.stderr).toBe(0);
    await until(async () => (await ok('logs other -c probe')).includes('first other'));
    const { spec } = await k().json(args('get pod other'));
    expect(spec.ephemeralContainers).toMatchObject([
      { name: 'probe', image: SHELL_IMAGE, targetContainerName: 'main' },
    ]);
    expect(await ok('describe pod other')).toMatch(/Ephemeral Containers:\n {2}probe:/);
  });

  it('debug: a copy of a pod, with what is to be different', async () => {
    await ok(
      `debug two --copy-to=copied --container=side --image=${SHELL_IMAGE} --set-image=main=${SHELL_IMAGE} --share-processes -- sleep 1000`,
    );
    await ready('copied');
    const { spec, metadata } = await k().json(args('get pod copied'));
    expect(metadata.labels).toBeUndefined();
    expect(spec.shareProcessNamespace).toBe(true);
    expect(spec.containers).toHaveLength(2);
    await ok('delete pod copied --now --wait=false');
  });

  it('debug: a pod on a node, with its file system', async () => {
    const said = await k().run(
      args(`debug node/${node} --image=${SHELL_IMAGE} -i --quiet -- /bin/sh -c`).concat(
        `test -d /host${cluster.dataDir} && echo "sees the node"`,
      ),
      { timeoutMs: 60_000 },
    );
    const name = (await ok('get pod -o name')).match(/pod\/node-debugger-\S+/)?.[0] ?? 'none';
    expect(
      await ok(`get ${name} -o jsonpath={.spec.nodeName},{.spec.hostNetwork},{.spec.hostPID}`),
    ).toBe(`${node},true,true`);
    expect(said.code, said.stderr).toBe(0);
    await until(async () => (await ok(`logs ${name}`)) === 'sees the node\n');
    await ok(`delete ${name} --now --wait=false`);
  });
});

/** Both versions ask the same of the server here, and it takes long: the newer stands for both. */
describe('nodes', () => {
  const ns = 'default';
  const k = () => cluster.kubectl;
  const run = (typed: string) => k().run(['-n', ns, ...typed.split(' ')]);
  const ok = (typed: string) => k().ok(['-n', ns, ...typed.split(' ')]);
  const apply = (...objects: readonly object[]) => k().apply(objects);
  const ready = (name: string) => ok(`wait --for=condition=Ready --timeout=60s pod/${name}`);

  it('top: pods with their containers, summed, sorted, of all namespaces; nodes', async () => {
    await until(async () =>
      /node-new +two +side /.test((await run('top pod -A --containers')).stdout),
    );
    const containers = await ok('top pod -A --containers -l app=two');
    expect(containers).toMatch(/^NAMESPACE +POD +NAME +CPU\(cores\) +MEMORY\(bytes\) *\n/);
    expect(containers).toMatch(/node-new +two +side +\d+m +\d+Mi/);
    expect(await ok('top pod -A --sum')).toMatch(/ _+ +_+ +\n +\d+m +\d+Mi +\n$/);
    const cpus = (await ok('top pod -A --sort-by=cpu --no-headers')).matchAll(/ (\d+)m /g);
    const sorted = [...cpus].map(([, cpu]) => Number(cpu));
    expect(sorted).toEqual(sorted.toSorted((a, b) => b - a));
    expect(await ok('top pod -n node-new two --no-headers')).toMatch(/^two +\d+m +\d+Mi +\n$/);
    expect(await ok('top node --show-capacity')).toMatch(
      new RegExp(`\n${node} +\\d+m +\\d+% +\\d+Mi +\\d+% +\n$`),
    );
    expect((await run('top pod none')).stderr).toContain('NotFound');
  });

  it('describe: every kind that can be listed, in every namespace', {
    timeout: 400_000,
  }, async () => {
    const kinds = (await ok('api-resources --verbs=list,get -o name')).trim().split('\n');
    expect(kinds.length).toBeGreaterThan(50);
    // What is listed is asked for again by name: figures of a pod that is leaving come and go meanwhile.
    await until(async () => {
      const pods = (await k().json(['get', 'pods', '-A'])).items as readonly Pod[];
      const figures = (await k().json(['get', 'pods.metrics.k8s.io', '-A']))
        .items as readonly Pod[];
      const running = pods.filter(({ status }) => status?.phase === 'Running').map(keyOf);
      return (
        !pods.some(({ metadata }) => metadata.deletionTimestamp) &&
        figures.every((each) => running.includes(keyOf(each)))
      );
    });
    const all = ['describe', '-A', kinds.join(',')];
    const { code, stdout, stderr } = await k().run(all, { timeoutMs: 300_000 });
    expect(code, stderr).toBe(0);
    for (const [name, more] of [
      [node, 'Non-terminated Pods:'],
      ['two', 'Controlled By|Containers:'],
      ['cluster-admin', 'PolicyRule:'],
      ['kube-root-ca.crt', 'Data\n===='],
      ['default', 'Image pull secrets:'],
      ['kubernetes', 'Endpoints:'],
      ['system-node-critical', 'PreemptionPolicy:'],
    ])
      expect(stdout).toMatch(new RegExp(`^Name: +${name}\n[^]*${more}`, 'm'));
  });

  it('taint: add, overwrite, remove; pods without a toleration are driven off', async () => {
    expect(await ok(`taint node ${node} example.com/t=1:NoSchedule`)).toBe(
      `node/${node} tainted\n`,
    );
    const refused = await run(`taint node ${node} example.com/t=2:NoSchedule`);
    expect(refused.stderr).toContain('already has example.com/t taint(s) with same effect(s)');
    expect(await ok(`taint node ${node} example.com/t=2:NoSchedule --overwrite`)).toBe(
      `node/${node} modified\n`,
    );
    expect(await ok(`get node ${node} -o jsonpath={.spec.taints}`)).toBe(
      '[{"effect":"NoSchedule","key":"example.com/t","value":"2"}]',
    );
    expect(await ok(`describe node ${node}`)).toMatch(/Taints: +example.com\/t=2:NoSchedule\n/);
    expect(await ok(`taint node ${node} example.com/t-`)).toBe(`node/${node} untainted\n`);
    await apply(shellPod('driven', 'sleep 1000'));
    await ready('driven');
    await ok(`taint node -l kubernetes.io/hostname=${node} example.com/off:NoExecute`);
    await ok('wait --for=delete pod/driven --timeout=60s');
    await ok(`taint node ${node} example.com/off:NoExecute-`);
  });

  it('drain: refuses, then evicts what it may, keeps to budgets, and uncordon opens the node again', async () => {
    await apply(shellPod('alone', 'sleep 1000'), webDeployment('web', 1));
    await ready('alone');
    await ok('rollout status deploy/web --timeout=60s');
    const drain = `drain ${node} --pod-selector=app`;
    const refused = await run(drain);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/cannot delete .*declare no controller.*alone/);
    await ok('create pdb web --selector=app=web --min-available=1');
    await until(async () => (await ok('get pdb web -o jsonpath={.status.currentHealthy}')) === '1');
    const kept = await run(`${drain} --force --timeout=8s`);
    expect(kept.code).toBe(1);
    expect(kept.stderr).toContain(
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    await ok('delete pdb web');
    const drained = await ok(`${drain} --force --timeout=60s`);
    expect(drained).toMatch(new RegExp(`pod/web-\\S+ evicted\n[^]*node/${node} drained\n`));
    expect(await ok(`get node ${node}`)).toContain('Ready,SchedulingDisabled');
    expect(await ok(`cordon ${node}`)).toBe(`node/${node} already cordoned\n`);
    expect(await ok(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`);
    await ok('rollout status deploy/web --timeout=60s');
    await ok('delete deploy web --cascade=foreground');
  });
});
