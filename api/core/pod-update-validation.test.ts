// Changes of existing pods that concern what the pod is, rather than its specification.
import { expect, it } from 'vitest';
import type { Pod } from '../generated/types.ts';
import { podDefinition } from './pod.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const aPod = (annotations: Record<string, string>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', annotations },
  spec: { containers: [{ name: 'app', image: 'app:1' }] },
});

it.each([
  [{}, { [MIRROR]: 'x' }, 'may not add mirror pod annotation'],
  [{ [MIRROR]: 'x' }, {}, 'may not remove or update mirror pod annotation'],
  [{ [MIRROR]: 'x' }, { [MIRROR]: 'y' }, 'may not remove or update mirror pod annotation'],
  [{ [MIRROR]: 'x' }, { [MIRROR]: 'x', other: 'z' }, undefined],
])('a pod is the copy of a static one from the beginning or never (%o, %o)', (before, now, why) => {
  const errors = podDefinition.validate?.(aPod(now), aPod(before)) ?? [];
  const told = errors.map(({ field, message }) => `${field}: ${message}`);
  expect(told).toEqual(
    why === undefined
      ? []
      : [expect.stringMatching(`metadata.annotations\\[${MIRROR}\\]: .*${why}`)],
  );
});
