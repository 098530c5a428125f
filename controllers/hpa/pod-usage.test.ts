// Readings, requests, and which pods can be judged by them.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import type { PodMetrics } from '../../api/kinds.ts';
import { formatTime } from '../../api/meta/time.ts';
import { groupPods, readingsOf, requestsOf } from './pod-usage.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const options = { cpuInitializationMs: 30_000, initialReadinessDelayMs: 10_000 };

interface Traits {
  startedAgoMs?: number;
  ready?: 'True' | 'False';
  changedAgoMs?: number;
  phase?: string;
  leaving?: boolean;
}

const aPod = (traits: Traits = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    namespace: 'n',
    ...(traits.leaving ? { deletionTimestamp: formatTime(NOW) } : {}),
  },
  spec: {
    containers: [
      { name: 'a', resources: { requests: { cpu: '100m' } } },
      { name: 'b', resources: { limits: { cpu: '50m' } } },
    ],
    initContainers: [
      { name: 'side', restartPolicy: 'Always', resources: { requests: { cpu: '10m' } } },
      { name: 'init', resources: { requests: { cpu: '5' } } },
    ],
  },
  status: {
    phase: traits.phase ?? 'Running',
    startTime: formatTime(NOW - (traits.startedAgoMs ?? 3_600_000)),
    conditions: [
      {
        type: 'Ready',
        status: traits.ready ?? 'True',
        lastTransitionTime: formatTime(NOW - (traits.changedAgoMs ?? 3_600_000)),
      },
    ],
  },
});
const sample: PodMetrics = {
  apiVersion: 'metrics.k8s.io/v1beta1',
  kind: 'PodMetrics',
  metadata: { name: 'p', namespace: 'n' },
  timestamp: formatTime(NOW),
  window: '1.5s',
  containers: [
    { name: 'a', usage: { cpu: '120000000n', memory: '1Mi' } },
    { name: 'b', usage: { cpu: '30m', memory: '2Mi' } },
  ],
};
const samples = new Map([['n/p', sample]]);
const cpu = { resource: 'cpu', container: undefined };

function groupOf(pod: Pod, resource = 'cpu', readings = readingsOf([pod], samples, cpu)) {
  const groups = groupPods([pod], { resource, readings, nowMs: NOW, options });
  return (['judged', 'unready', 'missing'] as const).find((name) => groups[name].length > 0);
}

describe('readings', () => {
  it('are of the whole pod, or of one container', () => {
    expect(readingsOf([aPod()], samples, cpu).get('n/p')).toEqual({
      milli: 150,
      timestampMs: NOW,
      windowMs: 1500,
    });
    const one = readingsOf([aPod()], samples, { resource: 'cpu', container: 'b' });
    expect(one.get('n/p')?.milli).toBe(30);
    const memory = readingsOf([aPod()], samples, { ...cpu, resource: 'memory' });
    expect(memory.get('n/p')?.milli).toBe(3 * 1024 * 1024 * 1000);
  });

  it('are left out where a container has none', () => {
    expect(readingsOf([aPod()], samples, { resource: 'gpu', container: undefined }).size).toBe(0);
    expect(readingsOf([aPod()], samples, { resource: 'cpu', container: 'x' }).size).toBe(0);
  });
});

describe('a pod', () => {
  it.each<[string, Traits, string | undefined]>([
    ['that has run for long and is ready counts', {}, 'judged'],
    ['that is being deleted is left out', { leaving: true }, undefined],
    ['that has failed is left out', { phase: 'Failed' }, undefined],
    ['that waits for a node is not ready', { phase: 'Pending' }, 'unready'],
    [
      'that is young and ready counts once its window began after it was ready',
      { startedAgoMs: 10_000, changedAgoMs: 5_000 },
      'judged',
    ],
    [
      'that is young and got ready within the window does not count yet',
      { startedAgoMs: 10_000, changedAgoMs: 1_000 },
      'unready',
    ],
    [
      'that is young and not ready does not count',
      { startedAgoMs: 10_000, ready: 'False', changedAgoMs: 1_000 },
      'unready',
    ],
    [
      'that is older and was never ready does not count',
      { startedAgoMs: 60_000, ready: 'False', changedAgoMs: 59_000 },
      'unready',
    ],
    [
      'that is older and lost its readiness under load counts',
      { startedAgoMs: 60_000, ready: 'False', changedAgoMs: 5_000 },
      'judged',
    ],
  ])('%s', (_what, traits, group) => {
    expect(groupOf(aPod(traits))).toBe(group);
  });

  it('that is starting counts for its memory all the same', () => {
    const pod = aPod({ startedAgoMs: 1000, ready: 'False', changedAgoMs: 1000 });
    expect(groupOf(pod, 'memory')).toBe('judged');
  });

  it('without a reading is missing', () => {
    expect(groupOf(aPod(), 'cpu', new Map())).toBe('missing');
  });
});

describe('requests', () => {
  it('are those of containers and sidecars; a limit stands in for a request', () => {
    expect(requestsOf([aPod()], cpu)).toEqual({ kind: 'known', byPod: new Map([['n/p', 160]]) });
    expect(requestsOf([aPod()], { resource: 'cpu', container: 'b' })).toEqual({
      kind: 'known',
      byPod: new Map([['n/p', 50]]),
    });
  });

  it('are unknown where a container states none', () => {
    expect(requestsOf([aPod()], { resource: 'memory', container: undefined })).toEqual({
      kind: 'unknown',
      why: 'missing request for memory in container a of Pod p',
    });
  });
});
