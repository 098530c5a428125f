// Tests of what no node gives: each field is named, with what to do.
import { expect, it } from 'vitest';
import type { Container, PodSpec } from '../../api/generated/types.ts';
import { aContainer, anAdmission, aPod } from '../pods/fixtures/pod-scenes.ts';
import { refusalOf } from '../pods/node-admission.ts';
import { unsupportedField } from './unsupported-fields.ts';

const node = {
  allocatable: { cpuMillis: 2000, memoryBytes: 1000, storageBytes: 1000 },
  cpuMillis: 2000,
  memoryBytes: 2000,
  storageBytes: 2000,
  maxPods: 3,
  podPidsLimit: undefined,
};
const withContainer = (parts: Partial<Container>) =>
  aPod({ containers: [aContainer('app', parts)] });

it.each<[string, Partial<PodSpec>]>([
  ['spec.runtimeClassName "gvisor"', { runtimeClassName: 'gvisor' }],
  ['spec.resourceClaims', { resourceClaims: [{ name: 'gpu' }] }],
  [
    'container "first": resources.claims',
    {
      initContainers: [aContainer('first', { resources: { claims: [{ name: 'gpu' }] } })],
    },
  ],
])('%s is refused, for it would be left out', (named, spec) => {
  expect(unsupportedField(aPod(spec))).toContain(named);
});

it.each<[string, Partial<Container>]>([
  ['resources.claims', { resources: { claims: [{ name: 'gpu' }] } }],
  [
    'env "A"',
    {
      env: [{ name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'env', key: 'A' } } }],
    },
  ],
])('%s of a container is refused', (named, parts) => {
  expect(unsupportedField(withContainer(parts))).toContain(`container "app": ${named}`);
});

it('is the reason by which the node refuses the pod', () => {
  const verdict = refusalOf(aPod({ runtimeClassName: 'gvisor' }), anAdmission(node));
  expect(verdict?.reason).toBe('PodFeatureUnsupported');
  expect(verdict?.message).toContain('runtimeClassName');
});

it('is nothing where a pod asks for nothing of the kind', () => {
  expect(unsupportedField(aPod())).toBeUndefined();
  expect(unsupportedField({ apiVersion: 'v1', kind: 'Pod', metadata: {} })).toBeUndefined();
});
