// Ranges of user ids of pods' own.
import { expect, it } from 'vitest';
import { usersOf } from './user-ranges.ts';

it('each address has a range of its own, above the host’s users and within what the kernel counts', () => {
  expect(usersOf('10.244.0.2')).toEqual({ hostId: 131_072, size: 65_536 });
  expect(usersOf('10.244.1.2').hostId - usersOf('10.244.0.254').hostId).toBe(4 * 65_536);
  expect(usersOf('10.244.0.0').hostId).toBe(65_536);
  const { hostId, size } = usersOf('10.244.255.254');
  expect(hostId + size).toBeLessThan(2 ** 32);
});
