// The cells that `kubectl get pods` prints, for pods in all sorts of states.
import { describe, expect, it } from 'vitest';
import type { ContainerStatus, Pod, PodStatus } from '../generated/types.ts';
import { podColumns } from './pod-columns.ts';

const NOW = Date.UTC(2026, 0, 1, 1, 0, 0);

/** What a pod is, apart from what every pod here has. */
interface Given {
  status?: PodStatus;
  init?: { name: string; restartPolicy?: string }[];
  containers?: string[];
  deleted?: boolean;
  gates?: string[];
}

function aPod({ status, init = [], containers = ['a'], deleted, gates }: Given): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'default',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:30:00Z' } : {}),
    },
    spec: {
      containers: containers.map((name) => ({ name })),
      initContainers: init,
      readinessGates: gates?.map((conditionType) => ({ conditionType })),
    },
    status,
  };
}

function aStatus(name: string, more: Partial<ContainerStatus>): ContainerStatus {
  return { name, image: '', imageID: '', ready: false, restartCount: 0, ...more };
}

const running = (name = 'a', more: Partial<ContainerStatus> = {}) =>
  aStatus(name, { ready: true, state: { running: {} }, ...more });
const waiting = (reason: string, name = 'a', more: Partial<ContainerStatus> = {}) =>
  aStatus(name, { state: { waiting: { reason } }, ...more });
const ended = (exitCode: number, reason?: string, name = 'a') =>
  aStatus(name, { state: { terminated: { exitCode, reason } } });

function cell(pod: Pod, column: string): unknown {
  return podColumns.find(({ name }) => name === column)?.value(pod, NOW);
}

describe('the Ready and Status cells of a pod', () => {
  it.each<[string, Given, string, string]>([
    ['pending', { status: { phase: 'Pending' } }, '0/1', 'Pending'],
    ['without any status', {}, '0/1', 'Unknown'],
    ['running', { status: { phase: 'Running', containerStatuses: [running()] } }, '1/1', 'Running'],
    [
      'with one of two ready',
      {
        containers: ['a', 'b'],
        status: {
          phase: 'Running',
          containerStatuses: [running(), aStatus('b', { state: { running: {} } })],
        },
      },
      '1/2',
      'Running',
    ],
    [
      'being made',
      { status: { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] } },
      '0/1',
      'ContainerCreating',
    ],
    [
      'crashing',
      { status: { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] } },
      '0/1',
      'CrashLoopBackOff',
    ],
    [
      'crashing in its first container while the second waits for an image',
      {
        containers: ['a', 'b'],
        status: {
          phase: 'Running',
          containerStatuses: [waiting('CrashLoopBackOff'), waiting('ErrImagePull', 'b')],
        },
      },
      '0/2',
      'CrashLoopBackOff',
    ],
    [
      'completed',
      { status: { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] } },
      '0/1',
      'Completed',
    ],
    [
      'failed with a word',
      { status: { phase: 'Failed', containerStatuses: [ended(1, 'Error')] } },
      '0/1',
      'Error',
    ],
    [
      'failed with a code alone',
      { status: { phase: 'Failed', containerStatuses: [ended(3)] } },
      '0/1',
      'ExitCode:3',
    ],
    [
      'ended by a signal',
      {
        status: {
          phase: 'Failed',
          containerStatuses: [
            aStatus('a', { state: { terminated: { exitCode: 137, signal: 9 } } }),
          ],
        },
      },
      '0/1',
      'Signal:9',
    ],
    [
      'half completed and ready',
      {
        containers: ['a', 'b'],
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [ended(0, 'Completed'), running('b')],
        },
      },
      '1/2',
      'Running',
    ],
    [
      'half completed and not ready',
      {
        containers: ['a', 'b'],
        status: { phase: 'Running', containerStatuses: [ended(0, 'Completed'), running('b')] },
      },
      '1/2',
      'NotReady',
    ],
    ['evicted', { status: { phase: 'Failed', reason: 'Evicted' } }, '0/1', 'Evicted'],
    [
      'held by a gate',
      {
        status: {
          phase: 'Pending',
          conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
        },
      },
      '0/1',
      'SchedulingGated',
    ],
    [
      'on its way out',
      { deleted: true, status: { phase: 'Running', containerStatuses: [running()] } },
      '1/1',
      'Terminating',
    ],
    [
      'deleted after its end',
      { deleted: true, status: { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] } },
      '0/1',
      'Completed',
    ],
    [
      'deleted on a lost node',
      { deleted: true, status: { phase: 'Running', reason: 'NodeLost' } },
      '0/1',
      'Unknown',
    ],
    [
      'in its first init container',
      {
        init: [{ name: 'i' }, { name: 'j' }],
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            aStatus('i', { state: { running: {} } }),
            waiting('PodInitializing', 'j'),
          ],
          containerStatuses: [waiting('PodInitializing')],
        },
      },
      '0/1',
      'Init:0/2',
    ],
    [
      'in its second init container',
      {
        init: [{ name: 'i' }, { name: 'j' }],
        status: {
          phase: 'Pending',
          initContainerStatuses: [
            ended(0, 'Completed', 'i'),
            aStatus('j', { state: { running: {} } }),
          ],
        },
      },
      '0/1',
      'Init:1/2',
    ],
    [
      'failing to start up',
      {
        init: [{ name: 'i' }],
        status: { phase: 'Pending', initContainerStatuses: [ended(1, 'Error', 'i')] },
      },
      '0/1',
      'Init:Error',
    ],
    [
      'failing to start up without a word',
      {
        init: [{ name: 'i' }],
        status: { phase: 'Pending', initContainerStatuses: [ended(7, undefined, 'i')] },
      },
      '0/1',
      'Init:ExitCode:7',
    ],
    [
      'crashing on start-up',
      {
        init: [{ name: 'i' }],
        status: { phase: 'Pending', initContainerStatuses: [waiting('CrashLoopBackOff', 'i')] },
      },
      '0/1',
      'Init:CrashLoopBackOff',
    ],
    [
      'with a sidecar that is up',
      {
        init: [{ name: 'side', restartPolicy: 'Always' }],
        status: {
          phase: 'Running',
          initContainerStatuses: [running('side', { started: true })],
          containerStatuses: [running()],
        },
      },
      '2/2',
      'Running',
    ],
    [
      'initialized, with a sidecar that crashes later',
      {
        init: [{ name: 'side', restartPolicy: 'Always' }],
        status: {
          phase: 'Running',
          conditions: [{ type: 'Initialized', status: 'True' }],
          initContainerStatuses: [waiting('CrashLoopBackOff', 'side')],
          containerStatuses: [running()],
        },
      },
      '1/2',
      'Init:CrashLoopBackOff',
    ],
  ])('%s', (...[, given, ready, status]) => {
    const pod = aPod(given);
    expect([cell(pod, 'Ready'), cell(pod, 'Status')]).toEqual([ready, status]);
  });
});

describe('the Restarts cell of a pod', () => {
  const restarted = (restartCount: number, finishedAt: string): Partial<ContainerStatus> => ({
    restartCount,
    lastState: { terminated: { exitCode: 1, finishedAt } },
  });

  it('counts all containers and says how long ago the last was', () => {
    const containerStatuses = [
      running('a', restarted(1, '2026-01-01T00:59:55Z')),
      running('b', restarted(2, '2026-01-01T00:10:00Z')),
    ];
    const pod = aPod({ containers: ['a', 'b'], status: { phase: 'Running', containerStatuses } });
    expect(cell(pod, 'Restarts')).toBe('3 (5s ago)');
  });

  it('counts init containers while they run, and sidecars ever after', () => {
    const init = [{ name: 'i' }, { name: 'side', restartPolicy: 'Always' }];
    const first = aStatus('i', {
      ...restarted(4, '2026-01-01T00:58:00Z'),
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    const starting = aPod({ init, status: { phase: 'Pending', initContainerStatuses: [first] } });
    expect(cell(starting, 'Restarts')).toBe('4 (2m ago)');
    const side = running('side', { started: true, ...restarted(1, '2026-01-01T00:00:00Z') });
    const up = aPod({
      init,
      status: {
        phase: 'Running',
        initContainerStatuses: [{ ...first, state: { terminated: { exitCode: 0 } } }, side],
        containerStatuses: [running()],
      },
    });
    expect(cell(up, 'Restarts')).toBe('1 (60m ago)');
  });

  it('is a bare number without history', () => {
    expect(cell(aPod({}), 'Restarts')).toBe('0');
    const containerStatuses = [running('a', { restartCount: 2 })];
    expect(cell(aPod({ status: { containerStatuses } }), 'Restarts')).toBe('2');
  });
});

describe('the wide cells of a pod', () => {
  it('say where it is', () => {
    const pod = aPod({
      gates: ['a/b', 'c/d'],
      status: { podIP: '10.1.0.2', conditions: [{ type: 'a/b', status: 'True' }] },
    });
    if (pod.spec) pod.spec.nodeName = 'n1';
    const names = podColumns.filter(({ priority }) => priority === 1).map(({ name }) => name);
    expect(names).toEqual(['IP', 'Node', 'Nominated Node', 'Readiness Gates']);
    expect(names.map((name) => cell(pod, name))).toEqual(['10.1.0.2', 'n1', '<none>', '1/2']);
    expect(names.map((name) => cell(aPod({}), name))).toEqual(names.map(() => '<none>'));
  });
});
