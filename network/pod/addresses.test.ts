// Addresses of pods: unique, in range, not handed out again at once.
import { describe, expect, it } from 'vitest';
import { AddressPool, NoAddressError } from './addresses.ts';

describe('AddressPool', () => {
  it('never gives out the network, the node or the broadcast address', () => {
    const pool = new AddressPool('10.244.0.0/29');
    const given = Array.from({ length: 5 }, () => pool.take());
    expect(given).toEqual(['10.244.0.2', '10.244.0.3', '10.244.0.4', '10.244.0.5', '10.244.0.6']);
    expect(() => pool.take()).toThrow(NoAddressError);
  });

  it('does not give a returned address to the very next pod', () => {
    const pool = new AddressPool('10.244.0.0/24');
    const first = pool.take();
    pool.release(first);
    expect(pool.take()).not.toBe(first);
  });

  it('skips addresses found in use after a restart', () => {
    const pool = new AddressPool('10.244.0.0/29');
    pool.reserve('10.244.0.3');
    expect(Array.from({ length: 4 }, () => pool.take())).not.toContain('10.244.0.3');
  });
});
