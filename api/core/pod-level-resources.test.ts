// Resources of a pod as a whole: what is meant, and what is refused.
import { expect, it } from 'vitest';
import type { PodSpec } from '../generated/types.ts';
import { defaultPodLevelRequests, validatePodLevelResources } from './pod-level-resources.ts';

type Amounts = Record<string, string>;
const specOf = (whole: object, ...containers: { requests?: Amounts; limits?: Amounts }[]) =>
  ({
    resources: whole,
    containers: containers.map((resources, i) => ({ name: `c${i}`, resources })),
  }) as PodSpec;

it('asks for what its containers ask for, or for its limit', () => {
  const limits = { cpu: '2', memory: '1Gi' };
  const spec = specOf({ limits }, { requests: { cpu: '300m' } }, { requests: { cpu: '200m' } });
  defaultPodLevelRequests(spec);
  expect(spec.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' });
  const stated = specOf({ limits, requests: { cpu: '1', memory: '5Mi' } }, {});
  defaultPodLevelRequests(stated);
  expect(stated.resources?.requests).toEqual({ cpu: '1', memory: '5Mi' });
});

it.each<[string, PodSpec, RegExp | undefined]>([
  [
    'nothing that fits',
    specOf({ requests: { cpu: '1' }, limits: { cpu: '2' } }, { requests: { cpu: '1' } }),
    undefined,
  ],
  [
    'a limit below its request',
    specOf({ requests: { cpu: '2' }, limits: { cpu: '1' } }, {}),
    /must be less than or equal to cpu limit of 1/,
  ],
  ['other resources', specOf({ limits: { 'ephemeral-storage': '1Gi' } }, {}), /Unsupported value/],
  [
    'less than its containers ask for',
    specOf({ requests: { memory: '1Mi' } }, { requests: { memory: '2Mi' } }),
    /must be greater than or equal to aggregate container requests/,
  ],
  [
    'a container that may have more',
    specOf({ limits: { memory: '1Mi' } }, { limits: { memory: '2Mi' } }),
    /must be less than or equal to pod limits of 1Mi/,
  ],
])('refuses %s', (_, spec, message) => {
  const errors = validatePodLevelResources(spec, 'spec');
  if (message === undefined) expect(errors).toEqual([]);
  else expect(errors.map((error) => error.message).join()).toMatch(message);
});
