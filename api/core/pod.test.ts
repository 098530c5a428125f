// Pods that are there: what may still change, and what their status may say.
import { describe, expect, it } from 'vitest';
import { aPod, textsOf } from '../../test/support/written-pod.ts';
import type { Container, Pod, PodSpec } from '../generated/types.ts';
import { podDefinition } from './pod.ts';

describe('changes of a pod', () => {
  const old = aPod(
    { env: [{ name: 'A', value: '1' }] },
    { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] },
  );
  const changed = (change: (spec: PodSpec) => void): Pod => {
    const pod = structuredClone(old);
    if (pod.spec) change(pod.spec);
    return pod;
  };
  const first = (spec: PodSpec): Container => spec.containers[0] as Container;

  it.each<[string, (spec: PodSpec) => void]>([
    ['nothing', () => {}],
    ['an image', (spec) => (first(spec).image = 'web:2')],
    ['a first deadline', (spec) => (spec.activeDeadlineSeconds = 10)],
    ['more tolerations', (spec) => spec.tolerations?.push({ operator: 'Exists' })],
    [
      "a toleration's seconds",
      (spec) => Object.assign(spec.tolerations?.[0] ?? {}, { tolerationSeconds: 9 }),
    ],
    ['an empty list for none', (spec) => (spec.imagePullSecrets = [])],
  ])('may be %s', (_what, change) => {
    expect(textsOf(changed(change), old)).toEqual([]);
  });

  it.each<[string, (spec: PodSpec) => void, string]>([
    [
      'a variable',
      (spec) => (first(spec).env = []),
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`',
    ],
    ['its node', (spec) => (spec.nodeName = 'n'), 'spec.nodeName'],
    [
      'its containers',
      (spec) => spec.containers.push({ name: 'b', image: 'x' }),
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    ['an image to none', (spec) => (first(spec).image = ''), 'spec.containers[0].image: Required'],
    [
      'a toleration taken away',
      (spec) => (spec.tolerations = []),
      'spec.tolerations: Forbidden: existing toleration can not be modified',
    ],
    [
      'a gate put up',
      (spec) => (spec.schedulingGates = [{ name: 'a/b' }]),
      'spec.schedulingGates: Forbidden: only deletion is allowed',
    ],
  ])('may not be %s', (...[, change, text]) => {
    expect(textsOf(changed(change), old).join('\n')).toContain(text);
  });

  it('may bring a deadline nearer, not further, nor lift it', () => {
    const before = aPod({}, { activeDeadlineSeconds: 10 });
    expect(textsOf(aPod({}, { activeDeadlineSeconds: 5 }), before)).toEqual([]);
    expect(textsOf(aPod({}, { activeDeadlineSeconds: 11 }), before)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
    ]);
    expect(textsOf(aPod(), before)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ]);
  });

  it('may lift gates and narrow the nodes meanwhile', () => {
    const before = aPod({}, { schedulingGates: [{ name: 'a/b' }], nodeSelector: { a: '1' } });
    expect(textsOf(aPod({}, { nodeSelector: { a: '1', b: '2' } }), before)).toEqual([]);
    expect(textsOf(aPod({}, { nodeSelector: { a: '2' } }), before)).toHaveLength(1);
  });
});

describe('status of a pod', () => {
  it('has valid addresses and keeps its class', () => {
    const old = { ...aPod(), status: { qosClass: 'Burstable' } };
    const pod = { ...aPod(), status: { qosClass: 'Guaranteed', podIPs: [{ ip: 'x' }] } };
    expect(podDefinition.validateStatus?.(pod, old).map(({ field }) => field)).toEqual([
      'status.podIPs[0]',
      'status.qosClass',
    ]);
  });
});
