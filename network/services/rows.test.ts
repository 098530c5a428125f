// From Services and slices to fronts.
import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import { frontsOf } from './rows.ts';

const service = (spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec,
});
const slice = (endpoints: EndpointSlice['endpoints']): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'shop' },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});
const ports = [{ name: 'http', port: 80, nodePort: 30_080 }];

describe('frontsOf', () => {
  it('gives a front for the cluster address and one for the node port', () => {
    const fronts = frontsOf(service({ clusterIP: '10.96.0.5', ports }), [
      slice([{ addresses: ['10.244.0.5'], conditions: { ready: true } }]),
    ]);
    expect(fronts.map((front) => [front.ip, front.port])).toEqual([
      ['10.96.0.5', 80],
      [undefined, 30_080],
    ]);
    expect(fronts[0]?.backends).toEqual([{ ip: '10.244.0.5', port: 8080 }]);
  });

  it('leaves out endpoints that are not ready', () => {
    const [front] = frontsOf(service({ clusterIP: '10.96.0.5', ports }), [
      slice([
        { addresses: ['10.244.0.5'], conditions: { ready: false, serving: false } },
        { addresses: ['10.244.0.6'], conditions: { ready: true } },
      ]),
    ]);
    expect(front?.backends.map((backend) => backend.ip)).toEqual(['10.244.0.6']);
  });

  it('falls back to endpoints that end but still serve when none is ready', () => {
    const [front] = frontsOf(service({ clusterIP: '10.96.0.5', ports }), [
      slice([
        {
          addresses: ['10.244.0.5'],
          conditions: { ready: false, serving: true, terminating: true },
        },
      ]),
    ]);
    expect(front?.backends.map((backend) => backend.ip)).toEqual(['10.244.0.5']);
  });

  it('leaves out an address that this node knows to be dead', () => {
    const both = slice([
      { addresses: ['10.244.0.5'], conditions: { ready: true } },
      { addresses: ['10.244.0.6'], conditions: { ready: true } },
    ]);
    const [front] = frontsOf(
      service({ clusterIP: '10.96.0.5', ports }),
      [both],
      new Set(['10.244.0.5']),
    );
    expect(front?.backends.map((backend) => backend.ip)).toEqual(['10.244.0.6']);
  });

  it('gives nothing for headless and external Services', () => {
    expect(frontsOf(service({ clusterIP: 'None', ports: [{ port: 80 }] }), [])).toEqual([]);
    expect(frontsOf(service({ type: 'ExternalName', externalName: 'a.b' }), [])).toEqual([]);
  });
});
