// Endpoints of pods, and the slices and Endpoints objects that hold them.
import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Pod, Service } from '../../api/generated/types.ts';
import { endpointsOf } from './endpoints.ts';
import type { SlicePlan } from './plan.ts';
import { planSlices } from './plan.ts';
import { endpointOf, portsOf, sameEndpoint } from './pod-endpoint.ts';

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'n', uid: 's' },
  spec: {
    selector: { app: 'web' },
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
    ...spec,
  },
});

interface Traits {
  ready?: boolean;
  leaving?: boolean;
  phase?: string;
  ip?: string;
  port?: number;
  spec?: Partial<Pod['spec']>;
}

const pod = (i: number, traits: Traits = {}): Pod => {
  const { ready = true, leaving = false, phase = 'Running', port = 8080 } = traits;
  const ip = traits.ip ?? `10.0.${i >> 8}.${i & 255}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `p${i}`,
      namespace: 'n',
      uid: `u${i}`,
      ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'node',
      containers: [{ name: 'c', ports: [{ name: 'web', containerPort: port }] }],
      ...traits.spec,
    },
    status: {
      phase,
      ...(ip ? { podIP: ip, podIPs: [{ ip }] } : {}),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
};
const pods = (count: number, from = 0) => Array.from({ length: count }, (_, i) => pod(from + i));
const nodeOf = (name: string) => (name === 'gone' ? undefined : { zone: 'zone-a' });
const plan = (of: Service, of_: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  planSlices({ service: of, pods: of_, slices, nodeOf });

/** The slices after the plan, new ones named as a server would. */
function applied(before: readonly EndpointSlice[], { create, update, remove }: SlicePlan) {
  const next = new Map(before.map((slice) => [slice.metadata.name, slice]));
  for (const slice of remove) next.delete(slice.metadata.name);
  for (const slice of update) next.set(slice.metadata.name, slice);
  for (const [i, slice] of create.entries()) {
    const name = `web-${next.size}-${i}`;
    next.set(name, { ...slice, metadata: { ...slice.metadata, name } });
  }
  return [...next.values()];
}
const sizes = (slices: readonly EndpointSlice[]) =>
  slices.map(({ endpoints = [] }) => endpoints.length).toSorted((a, b) => b - a);
const nothing = { create: [], update: [], remove: [] };

describe('an endpoint', () => {
  const conditions = (traits: Traits, spec: Partial<Service['spec']> = {}) =>
    endpointOf(pod(1, traits), service(spec), { address: '10.0.0.1', zone: undefined }).conditions;

  it('is ready, serving and terminating as its pod is', () => {
    const [yes, no] = [true, false];
    expect(conditions({})).toEqual({ ready: yes, serving: yes, terminating: no });
    expect(conditions({ ready: no })).toEqual({ ready: no, serving: no, terminating: no });
    expect(conditions({ leaving: yes })).toEqual({ ready: no, serving: yes, terminating: yes });
    expect(conditions({ ready: no }, { publishNotReadyAddresses: yes })).toEqual({
      ready: yes,
      serving: no,
      terminating: no,
    });
  });

  it('has the hostname that its pod asked for under this service', () => {
    const spec = { hostname: 'db-0', subdomain: 'web', containers: [] };
    const at = { address: '10.0.0.1', zone: undefined };
    expect(endpointOf(pod(1, { spec }), service(), at).hostname).toBe('db-0');
    const other = { ...spec, subdomain: 'other' };
    expect(endpointOf(pod(1, { spec: other }), service(), at).hostname).toBeUndefined();
  });

  it('has the ports of its pod, by number and by name', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81, targetPort: 'web' },
      { name: 'c', port: 82, targetPort: 'missing' },
      { name: 'd', port: 83, targetPort: 'web', protocol: 'UDP' },
    ];
    expect(portsOf(service({ ports }), pod(1))).toEqual([
      { name: 'a', protocol: 'TCP', port: 80 },
      { name: 'b', protocol: 'TCP', port: 8080 },
    ]);
  });
});

describe('slices', () => {
  it('leave out pods whose node is gone, unless the service wants addresses that are not ready too', () => {
    const gone = pod(1, { spec: { nodeName: 'gone' } });
    const unassigned = pod(2, { spec: { nodeName: '' } });
    const all = [gone, unassigned, pod(3)];
    expect(sizes(plan(service(), all).create)).toEqual([2]);
    expect(sizes(plan(service({ publishNotReadyAddresses: true }), all).create)).toEqual([3]);
  });

  it('are one with nothing in it while there is no pod', () => {
    const { create } = plan(service(), []);
    expect(create).toMatchObject([{ endpoints: [], ports: [], addressType: 'IPv4' }]);
    expect(plan(service(), [], applied([], plan(service(), [])))).toEqual(nothing);
  });

  it('leave out pods that have ended or have no address', () => {
    const { create } = plan(service(), [pod(1, { phase: 'Succeeded' }), pod(2, { ip: '' })]);
    expect(create[0]?.endpoints).toEqual([]);
  });

  it('hold a hundred endpoints each, and are left alone when nothing changes', () => {
    const slices = applied([], plan(service(), pods(250)));
    expect(sizes(slices)).toEqual([100, 100, 50]);
    expect(plan(service(), pods(250).toReversed(), slices)).toEqual(nothing);
  });

  it('change one by one', () => {
    const slices = applied([], plan(service(), pods(250)));
    const next = [...pods(250).slice(0, 249), pod(249, { ready: false })];
    const { create, update, remove } = plan(service(), next, slices);
    expect([create.length, update.length, remove.length]).toEqual([0, 1, 0]);
  });

  it('are filled up before new ones are made, and go when they are empty', () => {
    const slices = applied([], plan(service(), pods(150)));
    const more = plan(service(), pods(200), slices);
    expect([more.create.length, more.update.length]).toEqual([0, 1]);
    const fewer = plan(service(), pods(100), applied(slices, more));
    expect([fewer.update.length, fewer.remove.length]).toEqual([0, 1]);
    const none = applied(slices, plan(service(), [], slices));
    expect(sizes(none)).toEqual([0]);
  });

  it('are apart for pods whose named port differs', () => {
    const named = service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
    const { create } = plan(named, [pod(1), pod(2, { port: 9090 }), pod(3)]);
    expect(create.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length])).toEqual([
      [8080, 2],
      [9090, 1],
    ]);
  });

  it('are by address family', () => {
    const dual = service({ ipFamilies: ['IPv4', 'IPv6'] });
    const both = pod(1);
    both.status = { ...both.status, podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] };
    const { create } = plan(dual, [both]);
    expect(
      create.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses]),
    ).toEqual([
      ['IPv4', ['10.0.0.1']],
      ['IPv6', ['fd00::1']],
    ]);
    const slices = applied([], { create, update: [], remove: [] });
    expect(plan(service(), [both], slices).remove).toMatchObject([{ addressType: 'IPv6' }]);
  });

  it('of a headless service say so', () => {
    const { create } = plan(service({ clusterIP: 'None' }), pods(1));
    expect(create[0]?.metadata.labels).toHaveProperty('service.kubernetes.io/headless');
  });

  it('survive any sequence of pods with each pod in one slice', () => {
    let slices: EndpointSlice[] = [];
    for (const [from, count] of [
      [0, 120],
      [60, 240],
      [250, 30],
      [0, 0],
      [7, 101],
    ] as const) {
      slices = applied(slices, plan(service(), pods(count, from), slices));
      const uids = slices.flatMap(({ endpoints = [] }) =>
        endpoints.map(({ targetRef }) => targetRef?.uid),
      );
      expect(new Set(uids).size).toBe(uids.length);
      expect(new Set(uids)).toEqual(new Set(pods(count, from).map(({ metadata }) => metadata.uid)));
      expect(Math.max(...sizes(slices))).toBeLessThanOrEqual(100);
    }
  });
});

describe('the Endpoints object', () => {
  it('parts ready addresses from those that are not, and leaves out what terminates', () => {
    const all = [pod(2), pod(1), pod(3, { ready: false }), pod(4, { leaving: true })];
    const { subsets } = endpointsOf(service(), all, undefined);
    expect(subsets).toMatchObject([
      {
        addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }],
        notReadyAddresses: [{ ip: '10.0.0.3' }],
        ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      },
    ]);
  });

  it('is cut at a thousand addresses, ready ones first, and says so', () => {
    const all = [
      ...pods(600).map((each) => ({ ...each, status: { ...each.status, conditions: [] } })),
      ...pods(600, 600),
    ];
    const { subsets, metadata } = endpointsOf(service(), all, undefined);
    expect(subsets?.[0]?.addresses).toHaveLength(600);
    expect(subsets?.[0]?.notReadyAddresses).toHaveLength(400);
    expect(metadata.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' });
    const fewer = endpointsOf(service(), pods(2), { ...endpointsOf(service(), all, undefined) });
    expect(fewer.metadata.annotations).toBeUndefined();
  });
});

describe('a change of a pod', () => {
  it('counts only where endpoints show it', () => {
    const status = { ...pod(1).status, message: 'x' };
    expect(sameEndpoint(pod(1), { ...pod(1), status })).toBe(true);
    expect(sameEndpoint(pod(1), pod(1, { ready: false }))).toBe(false);
    expect(sameEndpoint(pod(1), pod(1, { leaving: true }))).toBe(false);
    expect(sameEndpoint(pod(1), pod(1, { ip: '10.9.9.9' }))).toBe(false);
  });
});
