// Tests of single fields of container statuses: last words, signals, mounts, sizes, and ends that nobody saw.
import { describe, expect, it } from 'vitest';
import type { Container, ContainerStatus as ApiStatus, Pod } from '../../api/generated/types.ts';
import {
  containerStatusOf,
  ephemeralStatusOf,
  RECURSIVE,
  STOP_SIGNAL,
} from './container-status.ts';
import { aContainer, aPod, aState, ended, NOW, running, WELL } from './fixtures/pod-scenes.ts';
import type { ContainerStatus } from '../runtime/runtime.ts';

function statusOf(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  before?: readonly ApiStatus[],
): ApiStatus {
  return containerStatusOf(pod, pod.spec?.containers[0] as Container, {
    state: aState(statuses),
    probes: WELL,
    runtimeName: 'pinnace',
    problems: new Map(),
    ending: true,
    before: before && { containerStatuses: [...before] },
    nowMs: NOW,
  });
}

const messageOf = (status: ApiStatus) => status.state?.terminated?.message ?? '';
const noted = (key: string, value: string) => ({
  annotations: { ...running('app').annotations, [key]: value },
});

describe('a container that is being ended because its start failed', () => {
  it('waits with the reason, and is neither started nor ready', () => {
    const pod = aPod();
    const problem = { reason: 'PostStartHookError', message: 'it failed' };
    const status = containerStatusOf(pod, pod.spec?.containers[0] as Container, {
      state: aState([running('app')]),
      probes: WELL,
      runtimeName: 'pinnace',
      problems: new Map([['app', problem]]),
      ending: false,
      before: undefined,
      nowMs: NOW,
    });
    expect(status).toMatchObject({ ready: false, started: false, state: { waiting: problem } });
  });
});

describe('last words', () => {
  it('are 4096 bytes at most', () => {
    const said = statusOf(aPod(), [ended('app', 1, { message: 'x'.repeat(5000) })]);
    expect(messageOf(said)).toBe('x'.repeat(4096));
  });

  it('share 12 KiB among all containers of the pod, and are not cut within a character', () => {
    const pod = aPod({
      containers: Array.from({ length: 6 }, (_, i) => aContainer(i === 0 ? 'app' : `c${i}`)),
      initContainers: [aContainer('i')],
    });
    // 12288 / 7 is 1755 bytes: 585 characters of three bytes are exactly that.
    const said = statusOf(pod, [ended('app', 1, { message: `a${'€'.repeat(2000)}` })]);
    expect(messageOf(said)).toBe(`a${'€'.repeat(584)}`);
  });
});

describe('the stop signal', () => {
  it.each([
    ['', 'SIGTERM'],
    ['SIGUSR1', 'SIGUSR1'],
    ['quit', 'SIGQUIT'],
    ['SIGRTMIN+3', 'SIGRTMIN+3'],
    ['15', undefined],
  ])('that is %j at the runtime is told as %j', (kept, told) => {
    expect(statusOf(aPod(), [running('app', noted(STOP_SIGNAL, kept))]).stopSignal).toBe(told);
  });
});

describe('mounts', () => {
  const mount = (recursiveReadOnly?: string) => ({
    name: 'v',
    mountPath: '/v',
    readOnly: true,
    ...(recursiveReadOnly && { recursiveReadOnly }),
  });

  it('tell whether they are read-only with all below them', () => {
    const of = (asked: string | undefined, possible: string) => {
      const pod = aPod({ containers: [aContainer('app', { volumeMounts: [mount(asked)] })] });
      const status = statusOf(pod, [running('app', noted(RECURSIVE, possible))]);
      return status.volumeMounts?.[0]?.recursiveReadOnly;
    };
    expect(of(undefined, 'true')).toBe('Disabled');
    expect(of('Enabled', 'false')).toBe('Enabled');
    expect([of('IfPossible', 'true'), of('IfPossible', 'false')]).toEqual(['Enabled', 'Disabled']);
  });
});

describe('sizes', () => {
  it('are told of a container that has ended too', () => {
    const resources = { requests: { cpu: '1' }, limits: { cpu: '2' } };
    const pod = aPod({ containers: [aContainer('app', { resources })] });
    const { allocatedResources, resources: told } = statusOf(pod, [ended('app', 0)]);
    expect([allocatedResources, told]).toEqual([resources.requests, resources]);
  });
});

describe('a container that the runtime has lost', () => {
  const told = { name: 'app', image: 'app:1', imageID: 'x', ready: true, restartCount: 3 };

  it('stays as it was told where its end was', () => {
    const before = { ...told, ready: false, state: { terminated: { exitCode: 0 } } };
    expect(statusOf(aPod(), [], [before])).toEqual(before);
  });

  it('has ended nobody knows how, where it was running', () => {
    const before = { ...told, containerID: 'pinnace://x', state: { running: {} } };
    expect(statusOf(aPod(), [], [before])).toMatchObject({
      restartCount: 3,
      containerID: 'pinnace://x',
      ready: false,
      lastState: {
        terminated: {
          exitCode: 137,
          reason: 'ContainerStatusUnknown',
          message:
            'The container could not be located when the pod was deleted.  The container used to be Running',
        },
      },
    });
  });

  it('is never ready, where it is ephemeral', () => {
    const pod = aPod({ ephemeralContainers: [aContainer('look')] });
    const facts = {
      state: aState([running('look')]),
      probes: WELL,
      runtimeName: 'pinnace',
      problems: new Map<string, never>(),
      ending: false,
      before: undefined,
      nowMs: NOW,
    };
    expect(ephemeralStatusOf(pod, aContainer('look'), facts).ready).toBe(false);
  });
});
