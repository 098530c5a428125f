// Real kubectl against pods that run: logs, exec, rollouts, figures, nodes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { shellPod, webDeployment } from './objects.ts';

let cluster: TestCluster;
let k: Kubectl;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
  k = cluster.kubectl;
  await k.apply([
    shellPod('talker', 'echo started; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done'),
    webDeployment('web', 2),
  ]);
  await k.wait('--for=condition=Ready', 'pod/talker');
  await k.ok(['rollout', 'status', 'deploy/web', '--timeout=60s'], { timeoutMs: 65_000 });
});
afterAll(() => cluster?.stop());

describe('logs', () => {
  it('are followed', async () => {
    const logs = k.follow(['logs', '-f', 'talker']);
    await logs.says(/started\nline 1\n/);
    await logs.says(/line 5\n/);
    await logs.stop();
  });

  it('are cut to the last lines', async () => {
    expect(await k.ok(['logs', 'talker', '--tail=2'])).toMatch(/^line \d+\nline \d+\n$/);
  });
});

describe('exec', () => {
  it('answers with output and exit code of the command', async () => {
    expect(await k.ok(['exec', 'talker', '--', 'cat', '/proc/1/comm'])).toBe('sh\n');
    const { code, stderr } = await k.run([
      'exec',
      'talker',
      '--',
      '/bin/sh',
      '-c',
      'echo no >&2; exit 7',
    ]);
    expect(code).toBe(7);
    expect(stderr).toContain('no\n');
  });

  it('hands over standard input', async () => {
    const args = ['exec', '-i', 'talker', '--', 'cat'];
    expect(await k.ok(args, { input: 'through\n' })).toBe('through\n');
  });

  it('gives a terminal', async () => {
    const command = 'kubectl exec -it talker -- /bin/sh'.replace('kubectl', `"$KUBECTL"`);
    const shell = k.follow([command, '/dev/null'], ['script', '-qec']);
    await shell.says(/# $/);
    shell.type('stty size; echo mark-$((40+2))\n');
    await shell.says(/\d+ \d+\r\n/);
    await shell.says(/mark-42\r\n/);
    shell.type('exit 3\n');
    expect(await shell.ended).toBe(3);
  });
});

describe('rollout', () => {
  it('changes the image step by step, tells its history and goes back', async () => {
    await k.ok(['set', 'env', 'deploy/web', 'VERSION=2']);
    await k.ok(['rollout', 'status', 'deploy/web', '--timeout=60s'], { timeoutMs: 65_000 });
    expect(await k.ok(['rollout', 'history', 'deploy/web'])).toMatch(/\n1 .*\n2 /);
    expect(await k.ok(['rollout', 'undo', 'deploy/web'])).toContain('rolled back');
    await k.ok(['rollout', 'status', 'deploy/web', '--timeout=60s'], { timeoutMs: 65_000 });
    const { spec } = await k.json(['get', 'deploy', 'web']);
    expect(spec.template.spec.containers[0].env).toBeUndefined();
  });

  it('restarts', async () => {
    await k.ok(['rollout', 'restart', 'deploy/web']);
    const said = await k.ok(['rollout', 'status', 'deploy/web', '--timeout=60s'], {
      timeoutMs: 65_000,
    });
    expect(said).toContain('successfully rolled out');
  });
});

describe('node and pods', () => {
  it('are described', async () => {
    await expect
      .poll(() => k.ok(['describe', 'pod', 'talker']))
      .toMatch(/State: +Running[^]*Events:[^]*Started/);
    expect(await k.ok(['describe', 'node', cluster.facts.nodeName])).toMatch(
      /Container Runtime Version:[^]*Non-terminated Pods/,
    );
  });

  it('show what they use', async () => {
    await k.wait('--for=create', 'podmetrics/talker');
    expect(await k.ok(['top', 'nodes'])).toMatch(/CPU\(cores\)[^]*\d+m/);
    expect(await k.ok(['top', 'pods'])).toMatch(/talker +\d+m +\d+Mi/);
  });

  it('are closed to new pods by cordon, and opened again', async () => {
    await k.ok(['cordon', cluster.facts.nodeName]);
    expect(await k.ok(['get', 'nodes'])).toContain('SchedulingDisabled');
    await k.apply(shellPod('late', 'sleep 1000'));
    await k.wait(
      '--for=jsonpath={.status.conditions[?(@.type=="PodScheduled")].reason}=Unschedulable',
      'pod/late',
    );
    await k.ok(['uncordon', cluster.facts.nodeName]);
    await k.wait('--for=condition=Ready', 'pod/late');
    await expect.poll(() => k.ok(['events', '--for', 'pod/late'])).toMatch(/ Scheduled/);
  });

  it('end at once when forced', async () => {
    await k.apply(shellPod('stubborn', "trap '' TERM; while :; do sleep 0.1; done"));
    await k.wait('--for=condition=Ready', 'pod/stubborn');
    await k.ok(['delete', 'pod', 'stubborn', '--grace-period=0', '--force']);
    expect((await k.run(['get', 'pod', 'stubborn'])).code).toBe(1);
  });

  it('go with their deployment', async () => {
    await k.ok(['delete', 'deploy', 'web', '--wait']);
    await k.wait('--for=delete', 'pod', '-l', 'app=web');
    expect(await k.ok(['get', 'rs,pod', '-l', 'app=web', '-o', 'name'])).toBe('');
  });
});
