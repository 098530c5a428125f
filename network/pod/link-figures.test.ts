// Tests of reading links' counters.
import { describe, expect, it } from 'vitest';
import { defaultFirst, otherEnd, parseLinks } from './link-figures.ts';

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

describe('the link that stands for the host', () => {
  const links = [...parseLinks(TEXT.replace('lo:', 'br0:')).values()];
  const names = (routes: { v4: string; v6: string }) =>
    defaultFirst(links, routes).map(({ name }) => name);
  const head =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const v4 = (name: string, to: readonly [destination: string, mask: string], metric: number) =>
    `${name}\t${to[0]}\t010200C0\t0003\t0\t0\t${metric}\t${to[1]}\t0\t0\t0\n`;
  const everywhere = ['00000000', '00000000'] as const;
  const zero = '0'.repeat(32);
  const v6 = (name: string, metric: string) =>
    `${zero} 00 ${zero} 00 ${zero} ${metric} 00000001 00000000 00000001 ${name}\n`;

  it('is the one of the default route', () => {
    const other = v4('br0', ['0000600A', '0000FFFF'], 0);
    const routes = head + other + v4('pn-abc', everywhere, 100);
    expect(names({ v4: routes, v6: '' })).toEqual(['pn-abc', 'br0']);
  });

  it('is the one of the lowest metric where there are several', () => {
    const [br0, abc] = [300, 100].map((metric, i) =>
      v4(['br0', 'pn-abc'][i] ?? '', everywhere, metric),
    );
    expect(names({ v4: `${head}${br0}${abc}`, v6: v6('br0', '00000001') })[0]).toBe('pn-abc');
  });

  it('is that of IPv6 on hosts without IPv4, and no link that refuses', () => {
    const routes = v6('lo', 'ffffffff') + v6('pn-abc', '00000400');
    expect(names({ v4: head, v6: routes })[0]).toBe('pn-abc');
  });

  it('is the first there is where nothing goes out', () => {
    expect(names({ v4: head, v6: v6('lo', 'ffffffff') })).toEqual(['br0', 'pn-abc']);
  });
});
