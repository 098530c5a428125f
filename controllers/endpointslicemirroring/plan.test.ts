// Slices that show Endpoints of somebody else's making.
import { describe, expect, it } from 'vitest';
import type {
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from '../../api/generated/types.ts';
import { isMirrored, MAX_MIRRORED, planMirror } from './plan.ts';

const aService = (spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db', namespace: 'n' },
  spec,
});
const made = (subsets: EndpointSubset[], metadata: Endpoints['metadata'] = {}): Endpoints => ({
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: { name: 'db', namespace: 'n', uid: 'e', ...metadata },
  subsets,
});
const ips = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` }));
const ports = [{ name: 'sql', port: 5432, protocol: 'TCP' }];
const named = (slices: readonly EndpointSlice[]) =>
  slices.map((slice, i) => ({ ...slice, metadata: { ...slice.metadata, name: `db-${i}` } }));

describe('endpoints', () => {
  it('are shown where their service leaves them to others', () => {
    const endpoints = made([]);
    expect(isMirrored(endpoints, aService())).toBe(true);
    expect(isMirrored(endpoints, aService({ selector: {} }))).toBe(true);
    expect(isMirrored(endpoints, aService({ selector: { app: 'db' } }))).toBe(false);
    expect(isMirrored(endpoints, undefined)).toBe(false);
    expect(isMirrored(undefined, aService())).toBe(false);
    const skip = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
    expect(isMirrored(made([], { labels: skip }), aService())).toBe(false);
    const leader = { 'control-plane.alpha.kubernetes.io/leader': '{}' };
    expect(isMirrored(made([], { annotations: leader }), aService())).toBe(false);
  });

  it('of one set of ports make one slice, of which no more is shown than it may hold', () => {
    const { create } = planMirror(made([{ addresses: ips(MAX_MIRRORED + 5), ports }]), []);
    expect(create.map(({ endpoints }) => endpoints?.length)).toEqual([MAX_MIRRORED]);
    const two = [
      { addresses: ips(2), ports },
      { addresses: ips(1), ports: [{ name: 'web', port: 80, protocol: 'TCP' }] },
      { addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.9.9' }], ports },
    ];
    const sizes = planMirror(made(two), []).create.map(({ endpoints }) => endpoints?.length);
    expect(sizes).toEqual([3, 1]);
  });

  it('that did not change cost no write; those that did are written in place', () => {
    const annotations = {
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
      'example.com/why': 'x',
    };
    const endpoints = made([{ addresses: ips(2), ports }], { annotations });
    const slices = named(planMirror(endpoints, []).create);
    expect(slices[0]?.metadata.annotations).toEqual({ 'example.com/why': 'x' });
    expect(planMirror(endpoints, slices)).toEqual({ create: [], update: [], remove: [] });
    const next = planMirror(made([{ addresses: ips(1), ports }]), slices);
    expect(next).toMatchObject({
      create: [],
      update: [{ metadata: { name: 'db-0' } }],
      remove: [],
    });
    expect(next.update[0]?.metadata.annotations).toBeUndefined();
    expect(planMirror(made([]), slices)).toMatchObject({ create: [], update: [], remove: slices });
  });
});
