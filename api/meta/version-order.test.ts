// The order in which versions of an API are preferred.
import { expect, it } from 'vitest';
import { compareVersions } from './version-order.ts';

it('prefers stable versions, then beta, then alpha, newer ones first, and other names last', () => {
  const wanted = [
    'v10',
    'v2',
    'v1',
    'v11beta2',
    'v10beta3',
    'v3beta1',
    'v12alpha1',
    'v11alpha2',
    'foo1',
    'foo10',
  ];
  const mixed = wanted.toSorted();
  expect(mixed).not.toEqual(wanted);
  expect(mixed.toSorted(compareVersions)).toEqual(wanted);
});
