// The life of pods on real containers: starts, failures, restarts, limits, volumes and ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { configMap, shellPod } from '../clients/objects.ts';
import { SHELL_IMAGE } from '../support/tiny-images.ts';

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: true });
});
afterAll(() => cluster?.stop());

const status = (path: string, value: string, pod: string) =>
  cluster.kubectl.wait(`--for=jsonpath={.status.${path}}=${value}`, `pod/${pod}`);
const main = 'containerStatuses[0]';
const logs = (pod: string) => cluster.kubectl.ok(['logs', pod]);

describe('a container', () => {
  it('is started again when it is killed', async () => {
    // Before it hears signals, a first process is told of none.
    const readinessProbe = { exec: { command: ['cat', '/tmp/hears'] }, periodSeconds: 1 };
    const script = 'trap "exit 1" TERM; touch /tmp/hears; while :; do sleep 0.1; done';
    await cluster.kubectl.apply(shellPod('killed', script, { container: { readinessProbe } }));
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/killed');
    await cluster.kubectl.run(['exec', 'killed', '--', '/bin/sh', '-c', 'kill -TERM 1']);
    await status(`${main}.restartCount`, '1', 'killed');
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/killed');
  });

  it('that keeps failing waits longer and longer', async () => {
    await cluster.kubectl.apply(shellPod('failing', 'exit 3'));
    await status(`${main}.state.waiting.reason`, 'CrashLoopBackOff', 'failing');
    await status(`${main}.lastState.terminated.exitCode`, '3', 'failing');
  });

  it('past its memory limit is OOMKilled', async () => {
    const container = { resources: { limits: { memory: '24Mi' } } };
    const spec = { restartPolicy: 'Never' };
    const script = 'dd if=/dev/zero of=/dev/null bs=200M count=1';
    await cluster.kubectl.apply(shellPod('greedy', `exec ${script}`, { spec, container }));
    await status(`${main}.state.terminated.reason`, 'OOMKilled', 'greedy');
  });

  it('is restarted when its liveness probe fails', async () => {
    const livenessProbe = {
      exec: { command: ['/bin/sh', '-c', '[ ! -e /tmp/sick ]'] },
      periodSeconds: 1,
      timeoutSeconds: 20,
      failureThreshold: 2,
    };
    await cluster.kubectl.apply(shellPod('probed', 'sleep 1000', { container: { livenessProbe } }));
    await cluster.kubectl.wait('--for=condition=Ready', 'pod/probed');
    await cluster.kubectl.ok(['exec', 'probed', '--', 'touch', '/tmp/sick']);
    await status(`${main}.restartCount`, '1', 'probed');
  });
});

describe('a pod', () => {
  it('has its environment from ConfigMap, Secret and itself', async () => {
    const { kubectl } = cluster;
    await kubectl.apply(configMap('env', { COLOR: 'green' }));
    await kubectl.ok(['create', 'secret', 'generic', 'env', '--from-literal=word=hush']);
    const container = {
      envFrom: [{ configMapRef: { name: 'env' } }],
      env: [
        { name: 'WORD', valueFrom: { secretKeyRef: { name: 'env', key: 'word' } } },
        { name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'BOTH', value: '$(WORD)-$(ME)' },
      ],
    };
    const spec = { restartPolicy: 'Never' };
    await kubectl.apply(shellPod('env', 'echo $COLOR $BOTH', { spec, container }));
    await status('phase', 'Succeeded', 'env');
    expect(await logs('env')).toBe('green hush-env\n');
  });

  it('sees a ConfigMap change in its volume, and shares an emptyDir and a host path', async () => {
    const { kubectl } = cluster;
    const folder = mkdtempSync(join(tmpdir(), 'pinnace-hostpath-'));
    await kubectl.apply(configMap('files', { word: 'old' }));
    const spec = {
      volumes: [
        { name: 'files', configMap: { name: 'files' } },
        { name: 'scratch', emptyDir: {} },
        { name: 'host', hostPath: { path: folder } },
      ],
      initContainers: [
        {
          name: 'first',
          image: SHELL_IMAGE,
          command: ['/bin/sh', '-c', 'echo from-init > /scratch/note'],
          volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
        },
      ],
    };
    const container = {
      volumeMounts: [
        { name: 'files', mountPath: '/files' },
        { name: 'scratch', mountPath: '/scratch' },
        { name: 'host', mountPath: '/host' },
      ],
    };
    const script = 'cat /scratch/note; echo here > /host/note; sleep 1000';
    await kubectl.apply(shellPod('volumes', script, { spec, container }));
    await kubectl.wait('--for=condition=Ready', 'pod/volumes');
    // A container that runs is ready before its script has come this far.
    await expect.poll(() => logs('volumes')).toBe('from-init\n');
    const read = (path: string) => kubectl.ok(['exec', 'volumes', '--', 'cat', path]);
    await expect.poll(() => read('/host/note')).toBe('here\n');
    expect(await read('/files/word')).toBe('old');
    await kubectl.apply(configMap('files', { word: 'new' }));
    await expect.poll(() => read('/files/word')).toBe('new');
    await kubectl.ok(['delete', 'pod', 'volumes', '--wait']);
    rmSync(folder, { recursive: true });
  });

  it('ends in order: preStop, then SIGTERM, then nothing', async () => {
    const { kubectl } = cluster;
    const container = {
      lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'echo pre > /proc/1/fd/1'] } } },
    };
    const script = "trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    const spec = { terminationGracePeriodSeconds: 20 };
    await kubectl.apply(shellPod('orderly', script, { spec, container }));
    await kubectl.wait('--for=condition=Ready', 'pod/orderly');
    const follower = kubectl.follow(['logs', '-f', 'orderly']);
    await follower.says(/up/);
    await kubectl.ok(['delete', 'pod', 'orderly', '--wait']);
    await follower.ended;
    expect(follower.text()).toBe('up\npre\nterm\n');
  });
});
