// Names of the cluster, by the public specification of DNS-based service discovery.
import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import { lookUp, MAX_ALIASES, type NameView } from './records.ts';

const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { clusterIP: '10.96.0.5', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
};
const db: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'db', namespace: 'shop' },
  spec: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432, protocol: 'TCP' }] },
};
const dbSlice: EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'db-1', namespace: 'shop' },
  addressType: 'IPv4',
  ports: [{ name: 'sql', port: 5433 }],
  endpoints: [
    { addresses: ['10.244.0.7'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.244.0.8'], conditions: { ready: false } },
  ],
};
const named = (name: string, externalName: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { type: 'ExternalName', externalName },
});
const aliases: Readonly<Record<string, Service>> = {
  near: named('near', 'web.shop.svc.cluster.local'),
  nearer: named('nearer', 'near.shop.svc.cluster.local'),
  nowhere: named('nowhere', 'nosuch.shop.svc.cluster.local'),
  far: named('far', 'example.com'),
  ring: named('ring', 'ring.shop.svc.cluster.local'),
};
const view: NameView = {
  service: (namespace, name) => (namespace === 'shop' ? { web, db, ...aliases }[name] : undefined),
  slices: (_namespace, name) => (name === 'db' ? [dbSlice] : []),
  serviceByIp: (ip) => (ip === '10.96.0.5' ? web : undefined),
};
const ask = (name: string, type = 'A') => lookUp(view, 'cluster.local', { name, type });
const data = (name: string, type = 'A') => {
  const result = ask(name, type);
  if (result.kind !== 'found') return result.kind;
  return result.answers.map((answer) => ('data' in answer ? answer.data : undefined));
};

describe('lookUp', () => {
  it('answers a Service with its cluster address, in any case of letters', () => {
    expect(data('web.shop.svc.cluster.local')).toEqual(['10.96.0.5']);
    expect(data('WEB.Shop.svc.Cluster.local.')).toEqual(['10.96.0.5']);
  });
  it('answers a headless Service with its ready endpoints', () => {
    expect(data('db.shop.svc.cluster.local')).toEqual(['10.244.0.7']);
    expect(data('db-0.db.shop.svc.cluster.local')).toEqual(['10.244.0.7']);
  });
  it('has no AAAA record for a name that exists, which is not the same as no such name', () => {
    expect(data('web.shop.svc.cluster.local', 'AAAA')).toEqual([]);
    expect(data('nosuch.shop.svc.cluster.local', 'AAAA')).toBe('unknown');
  });
  it('answers named ports with SRV records', () => {
    expect(data('_http._tcp.web.shop.svc.cluster.local', 'SRV')).toEqual([
      { target: 'web.shop.svc.cluster.local', port: 80, priority: 0, weight: 100 },
    ]);
    expect(data('_sql._tcp.db.shop.svc.cluster.local', 'SRV')).toEqual([
      { target: 'db-0.db.shop.svc.cluster.local', port: 5433, priority: 0, weight: 100 },
    ]);
  });
  it('finds a Service by its address', () => {
    expect(data('5.0.96.10.in-addr.arpa', 'PTR')).toEqual(['web.shop.svc.cluster.local']);
  });
  it('reads the address of a pod out of its name', () => {
    expect(data('10-244-0-7.shop.pod.cluster.local')).toEqual(['10.244.0.7']);
  });
  it.each([
    ['near', ['web.shop.svc.cluster.local', '10.96.0.5']],
    ['nearer', ['near.shop.svc.cluster.local', 'web.shop.svc.cluster.local', '10.96.0.5']],
    ['nowhere', ['nosuch.shop.svc.cluster.local']],
    ['far', ['example.com']],
  ])('follows names that stand for others as far as the cluster goes: %s', (name, answers) => {
    expect(data(`${name}.shop.svc.cluster.local`)).toEqual(answers);
    expect(data(`${name}.shop.svc.cluster.local`, 'CNAME')).toEqual(answers.slice(0, 1));
  });
  it('ends where names go round in a ring', () => {
    expect(data('ring.shop.svc.cluster.local')).toHaveLength(MAX_ALIASES + 1);
  });
  it('leaves other names to other servers', () => {
    expect(ask('example.com').kind).toBe('outside');
  });
});
