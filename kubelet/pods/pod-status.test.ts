// Tests of the status that is told of a pod.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { formatTime } from '../../api/meta/time.ts';
import {
  aContainer,
  aPod,
  aSandbox,
  aState,
  ended,
  NOW,
  running,
  WELL,
} from './fixtures/pod-scenes.ts';
import { podStatusOf, type StatusFacts } from './pod-status.ts';

function statusOf(pod: Pod, facts: Partial<StatusFacts>) {
  return podStatusOf(pod, {
    state: aState([]),
    probes: WELL,
    runtimeName: 'pinnace',
    problems: new Map(),
    ending: false,
    nowMs: NOW,
    before: undefined,
    verdict: undefined,
    podIp: '10.0.0.2',
    hostIp: '1.2.3.4',
    ...facts,
  });
}

const conditions = (pod: Pod, facts: Partial<StatusFacts>) =>
  Object.fromEntries((statusOf(pod, facts).conditions ?? []).map((each) => [each.type, each]));

describe('phase', () => {
  const never = aPod({ restartPolicy: 'Never' });
  it.each<[string, Pod, Partial<StatusFacts>]>([
    ['Pending', aPod(), {}],
    ['Running', aPod(), { state: aState([running('app')]) }],
    ['Running', aPod(), { state: aState([ended('app', 1)]) }],
    ['Succeeded', never, { state: aState([ended('app', 0)]) }],
    ['Failed', never, { state: aState([ended('app', 2)]) }],
    ['Failed', aPod(), { state: aState([ended('app', 2)]), ending: true }],
    ['Running', aPod(), { state: aState([running('app')]), ending: true }],
    ['Failed', aPod(), { ending: true }],
    ['Failed', aPod(), { verdict: { reason: 'OutOfcpu', message: 'x' } }],
    [
      'Running',
      aPod(),
      { verdict: { reason: 'Evicted', message: 'x' }, state: aState([running('app')]) },
    ],
    [
      'Failed',
      aPod(),
      { verdict: { reason: 'Evicted', message: 'x' }, state: aState([ended('app', 0)]) },
    ],
    ['Failed', aPod(), { before: { phase: 'Failed' }, state: aState([running('app')]) }],
    ['Pending', aPod({ initContainers: [aContainer('i')] }), { state: aState([running('i')]) }],
    [
      'Pending',
      aPod({ containers: [aContainer('app'), aContainer('b')] }),
      { state: aState([running('app')]) },
    ],
  ])('is %s', (phase, pod, facts) => expect(statusOf(pod, facts).phase).toBe(phase));
});

describe('a verdict', () => {
  const verdict = { reason: 'Evicted', message: 'low on x', condition: 'TerminationByKubelet' };

  it('is told once nothing runs any more, with the condition that it brings', () => {
    const pod = aPod();
    pod.metadata.generation = 3;
    const before = statusOf(pod, { verdict, state: aState([running('app')]), ending: true });
    expect([before.reason, before.message]).toEqual([undefined, undefined]);
    expect(before.conditions?.some(({ type }) => type === 'DisruptionTarget')).toBe(false);
    const after = statusOf(pod, { verdict, state: aState([ended('app', 0)]), ending: true });
    expect(after).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'low on x' });
    expect(after.conditions).toContainEqual({
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message: 'low on x',
      observedGeneration: 3,
      lastTransitionTime: formatTime(NOW),
    });
  });

  it('brings no condition unless it says so', () => {
    const plain = { reason: 'OutOfcpu', message: 'x' };
    expect(conditions(aPod(), { verdict: plain })['DisruptionTarget']).toBeUndefined();
  });
});

describe('conditions', () => {
  it('name the containers that are not ready', () => {
    const probes = { ...WELL, ready: () => false };
    const all = conditions(aPod(), { state: aState([running('app')]), probes });
    expect(all['Ready']).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
    expect(all['ContainersReady']?.status).toBe('False');
    expect(all['Initialized']?.status).toBe('True');
  });

  it('name the init containers that are not through', () => {
    const pod = aPod({ initContainers: [aContainer('a'), aContainer('b')] });
    const all = conditions(pod, { state: aState([ended('a', 0), running('b')]) });
    expect(all['Initialized']).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [b]',
    });
  });

  it('wait for readiness gates', () => {
    const pod = aPod({ readinessGates: [{ conditionType: 'lb' }] });
    const state = aState([running('app')]);
    expect(conditions(pod, { state })['Ready']?.reason).toBe('ReadinessGatesNotReady');
    expect(conditions(pod, { state })['ContainersReady']?.status).toBe('True');
    const open = { ...pod, status: { conditions: [{ type: 'lb', status: 'True' }] } };
    expect(conditions(open, { state })['Ready']?.status).toBe('True');
  });

  it('keep their transition time while they hold', () => {
    const state = aState([running('app')]);
    const before = statusOf(aPod(), { state });
    const later = conditions(aPod(), { state, before, nowMs: NOW + 60_000 });
    expect(later['Ready']?.lastTransitionTime).toBe(formatTime(NOW));
    const probes = { ...WELL, ready: () => false };
    const fallen = conditions(aPod(), { state, before, probes, nowMs: NOW + 60_000 });
    expect(fallen['Ready']?.lastTransitionTime).toBe(formatTime(NOW + 60_000));
  });
});

describe('container statuses', () => {
  const first = (pod: Pod, facts: Partial<StatusFacts>) =>
    statusOf(pod, facts).containerStatuses?.[0];

  it('tell of a program that cannot be run as upstream does, while it waits for its next try', () => {
    const end = { reason: 'StartError', startedAtMs: undefined, message: 'x', crashes: 1 };
    const state = aState([ended('app', 128, { ...end, finishedAtMs: NOW })]);
    const startedAt = '1970-01-01T00:00:00Z';
    expect(first(aPod(), { state })).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 128, reason: 'StartError', message: 'x', startedAt } },
    });
  });

  it('tell what is mounted, what was given, and who it runs as', () => {
    const volumeMounts = [
      { name: 'data', mountPath: '/data' },
      { name: 'keys', mountPath: '/keys', readOnly: true },
    ];
    const resources = { requests: { cpu: '100m' }, limits: { memory: '1Gi' } };
    const pod = aPod({ containers: [aContainer('app', { volumeMounts, resources })] });
    const user = { uid: 1, gid: 2, supplementalGroups: [2, 3] };
    expect(first(pod, { state: aState([running('app', { user })]) })).toMatchObject({
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'keys', mountPath: '/keys', readOnly: true, recursiveReadOnly: 'Disabled' },
      ],
      resources,
      allocatedResources: { cpu: '100m' },
      user: { linux: user },
    });
    const bare = first(aPod(), { state: aState([running('app')]) });
    expect(bare).toMatchObject({ resources: {} });
    for (const field of ['volumeMounts', 'allocatedResources', 'user'])
      expect(bare).not.toHaveProperty(field);
  });

  it('wait for creation, or for the init containers', () => {
    expect(first(aPod(), {})?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    const pod = aPod({ initContainers: [aContainer('i')] });
    expect(first(pod, {})?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
  });

  it('tell the problem of a start and what was before it', () => {
    const problems = new Map([['app', { reason: 'ErrImagePull', message: 'none' }]]);
    const state = aState([ended('app', 3, { attempt: 2 })]);
    expect(first(aPod(), { state, problems })).toMatchObject({
      restartCount: 2,
      state: { waiting: { reason: 'ErrImagePull', message: 'none' } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
  });

  it('tell how long a crashing container waits', () => {
    const state = aState([ended('app', 1, { crashes: 4, startedAtMs: NOW - 1000 })]);
    expect(first(aPod(), { state })?.state?.waiting).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'back-off 1m20s restarting failed container=app pod=web_shop(uid-1)',
    });
    expect(first(aPod(), { state, nowMs: NOW + 80_000 })?.state?.terminated?.exitCode).toBe(1);
    expect(first(aPod(), { state, ending: true })?.state?.terminated?.exitCode).toBe(1);
  });

  it('keep count and end of a container that the host has lost', () => {
    const before = statusOf(aPod(), { state: aState([running('app', { attempt: 2 })]) });
    const lost = statusOf(aPod(), { before, state: aState([], [aSandbox()]) });
    expect(lost.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      containerID: 'pinnace://app-2',
      ready: false,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
    });
    const again = statusOf(aPod(), { before: lost, state: aState([]) });
    expect(again.containerStatuses).toEqual(lost.containerStatuses);
  });

  it('stay unsaid of a pod that the node refused, also once its verdict is forgotten', () => {
    const verdict = { reason: 'NodePorts', message: 'no free ports' };
    const nothing = { state: aState([], []) };
    const before = statusOf(aPod(), { ...nothing, verdict });
    expect(before).toMatchObject({ phase: 'Failed', reason: 'NodePorts' });
    const later = statusOf(aPod(), { ...nothing, before });
    for (const status of [before, later]) expect(status).not.toHaveProperty('containerStatuses');
    expect(later.phase).toBe('Failed');
  });

  it('keep the pod address of what has been here, and no other that somebody wrote', () => {
    const ipOf = (facts: Partial<StatusFacts>) =>
      statusOf(aPod(), { podIp: undefined, before: { podIP: '10.0.0.9' }, ...facts }).podIP;
    expect(ipOf({ state: aState([ended('app', 0)]) })).toBe('10.0.0.9');
    const state = aState([], []);
    expect(ipOf({ state, before: { podIP: '10.0.0.9', phase: 'Succeeded' } })).toBe('10.0.0.9');
    expect(ipOf({ state })).toBeUndefined();
  });
});

describe('an ephemeral container', () => {
  const pod = aPod({ ephemeralContainers: [aContainer('look')] });

  it('has a status of its own, is never ready, and makes nothing unready', () => {
    const up = statusOf(pod, { state: aState([running('app'), running('look')]) });
    expect(up.ephemeralContainerStatuses).toEqual([
      expect.objectContaining({ name: 'look', ready: false, containerID: 'pinnace://look-0' }),
    ]);
    expect(up.containerStatuses).toHaveLength(1);
    const over = { state: aState([running('app'), ended('look', 1, { crashes: 3 })]) };
    expect(statusOf(pod, over).ephemeralContainerStatuses?.[0]?.state).toEqual({
      terminated: expect.objectContaining({ exitCode: 1 }) as object,
    });
    expect(conditions(pod, over)['Ready']?.status).toBe('True');
  });

  it('waits with its reason', () => {
    const problems = new Map([['look', { reason: 'ErrImagePull', message: 'missing' }]]);
    const waiting = statusOf(pod, { state: aState([running('app')]), problems });
    expect(waiting.ephemeralContainerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'ErrImagePull', message: 'missing' },
    });
  });
});
