// EndpointSlices: defaults, rules, cells.
import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../generated/types.ts';
import { endpointSliceDefinition as definition } from './endpoint-slice.ts';

function aSlice(more: Partial<EndpointSlice> = {}): EndpointSlice {
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default' },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'n1' }],
    ports: [{ port: 80 }],
    ...more,
  };
  definition.defaults?.(slice);
  return slice;
}

const fields = (slice: EndpointSlice, old?: EndpointSlice) =>
  definition.validate?.(slice, old).map(({ field }) => field);

describe('EndpointSlices', () => {
  it('have ports with names, if empty ones, and protocols', () => {
    expect(aSlice().ports).toEqual([{ name: '', port: 80, protocol: 'TCP' }]);
    expect(fields(aSlice())).toEqual([]);
  });

  it.each<[string, Partial<EndpointSlice>, string]>([
    ['an odd address type', { addressType: 'MAC' }, 'addressType'],
    ['no addresses', { endpoints: [{ addresses: [] }] }, 'endpoints[0].addresses'],
    ['an address that is none', { endpoints: [{ addresses: ['x'] }] }, 'endpoints[0].addresses[0]'],
    ['the other family', { endpoints: [{ addresses: ['::1'] }] }, 'endpoints[0].addresses[0]'],
    [
      'a bad node',
      { endpoints: [{ addresses: ['10.0.0.1'], nodeName: 'A' }] },
      'endpoints[0].nodeName',
    ],
    ['a port name twice', { ports: [{ port: 1 }, { port: 2 }] }, 'ports[1].name'],
    ['a port of 0', { ports: [{ port: 0 }] }, 'ports[0].port'],
    [
      'too many endpoints',
      { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] })) },
      'endpoints',
    ],
  ])('refuse %s', (...[, more, field]) => {
    expect(fields(aSlice(more))).toContain(field);
  });

  it('keep their address type', () => {
    const next = aSlice({ addressType: 'IPv6', endpoints: [] });
    expect(fields(next, aSlice())).toEqual(['addressType']);
  });

  it('show ports and addresses', () => {
    const cells = (slice: EndpointSlice) => definition.columns.map((c) => c.value(slice, 0));
    expect(cells(aSlice())).toEqual(['web-1', 'IPv4', '80', '10.0.0.1', '<unknown>']);
    expect(cells(aSlice({ endpoints: [], ports: [] })).slice(2, 4)).toEqual(['<unset>', '<unset>']);
  });
});
