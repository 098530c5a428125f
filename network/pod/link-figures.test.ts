// Tests of reading links' counters.
import { expect, it } from 'vitest';
import { otherEnd, parseLinks } from './link-figures.ts';

const TEXT = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0          0
pn-abc:123456     7    1    2    0     0          0         0   654321       8    3    4    0     0       0          0
`;

it('reads each link, and tells it as its other end sees it', () => {
  const links = parseLinks(TEXT);
  expect([...links.keys()]).toEqual(['lo', 'pn-abc']);
  const link = links.get('pn-abc');
  expect(link).toEqual({
    name: 'pn-abc',
    rxBytes: 123456,
    rxPackets: 7,
    rxErrors: 1,
    rxDropped: 2,
    txBytes: 654321,
    txPackets: 8,
    txErrors: 3,
    txDropped: 4,
  });
  expect(link && otherEnd(link, 'eth0')).toMatchObject({
    name: 'eth0',
    rxBytes: 654321,
    rxErrors: 3,
    txBytes: 123456,
    txDropped: 2,
  });
  expect(parseLinks('').size).toBe(0);
});
