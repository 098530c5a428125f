// kubectl looks into pods that fake nodes play, on a cluster whose time stands still: their logs as they grow, and commands in them.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster, type TestCluster } from '../../testing/index.ts';
import { aDeployment } from '../support/controlled-cluster.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { type LocalKubectl, localKubectl } from '../support/local-kubectl.ts';

let cluster: TestCluster;
let local: LocalKubectl;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await startCluster({
    clock: 'virtual',
    lives: {
      'image:1': {
        log: ['listening', { atMs: 5_000, line: 'served' }],
        exec: ([command, ...args]) =>
          command === 'greet'
            ? { exitCode: 0, stdout: `hello ${args.join(' ')}\n` }
            : { exitCode: 3 },
      },
    },
  });
  local = localKubectl((await cluster.listen()).kubeconfig);
  kubectl = local.kubectl;
  await kubectl.apply(aDeployment('web', { replicas: 2 }));
  await kubectl.ok(['rollout', 'status', 'deployment/web', '--timeout=60s']);
});
afterAll(async () => {
  local.close();
  await cluster.close();
});

it('kubectl sees pods run on the node', async () => {
  const pods = await kubectl.ok(['get', 'pods', '-l', 'app=web', '-o', 'wide']);
  expect(pods.match(/1\/1\s+Running\s+0/g)).toHaveLength(2);
  expect(pods).toContain('node-1');
  expect(await kubectl.ok(['get', 'nodes'])).toMatch(/node-1\s+Ready/);
});

it('kubectl has logs, and follows them', async () => {
  expect(await kubectl.ok(['logs', 'deployment/web', '--limit-bytes=9'])).toBe('listening');
  const follower = kubectl.follow(['logs', '-f', 'deployment/web']);
  await follower.says(/listening/);
  expect(follower.text()).not.toContain('served');
  await cluster.advance(5_000);
  await follower.says(/served/);
  await follower.stop();
});

it('kubectl runs commands that the life answers, and is told their exit codes', async () => {
  expect(await kubectl.ok(['exec', 'deployment/web', '--', 'greet', 'you'])).toBe('hello you\n');
  expect(await kubectl.run(['exec', 'deployment/web', '--', 'other'])).toMatchObject({ code: 3 });
  const echo = ['exec', '-i', 'deployment/web', '--', 'greet'];
  expect(await kubectl.ok(echo, { input: 'said' })).toContain('said');
});
