// What registries ask for in WWW-Authenticate, as those that are there write it.
import { expect, it } from 'vitest';
import { parseChallenges } from './challenge.ts';
import { cpuMs } from '../../../test/support/cpu.ts';

const plain = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

it.each([
  ['Basic realm="Registry"', [['basic', { realm: 'Registry' }]]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  ],
  [
    'Negotiate, Basic realm="a \\"b\\""',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a "b"' }],
    ],
  ],
  [
    'BEARER realm = https, error=insufficient_scope',
    [['bearer', { realm: 'https', error: 'insufficient_scope' }]],
  ],
  ['', []],
  ['"', []],
  ['Basic realm="cut', [['basic', {}]]],
])('%s', (header, challenges) => {
  expect(plain(header)).toEqual(challenges);
});

it('is read in linear time, however long', () => {
  const header = `${'a '.repeat(1e6)}"${'\\'.repeat(1e6)}`;
  expect(cpuMs(() => parseChallenges(header))).toBeLessThan(5_000);
});
