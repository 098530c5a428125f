// Kinds of networking.k8s.io: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import type { Ingress } from '../generated/types.ts';
import { ingressDefinition } from './ingress.ts';
import { ingressClassDefinition } from './ingress-class.ts';
import { ipAddressDefinition } from './ip-address.ts';
import { networkPolicyDefinition } from './network-policy.ts';
import { serviceCidrDefinition } from './service-cidr.ts';

const backend = { service: { name: 'web', port: { number: 80 } } };
const path = { path: '/', pathType: 'Prefix', backend };
const withPath = (more: object) => ({ rules: [{ http: { paths: [{ ...path, ...more }] } }] });
const ingress = (spec: object, metadata: object = {}) =>
  made(ingressDefinition, { metadata: { name: 'i', ...metadata }, spec });
const ingressClass = (spec: object) => made(ingressClassDefinition, { spec });
const policy = (spec: object = {}) => made(networkPolicyDefinition, { spec });
const address = (parentRef?: object, name = '10.0.0.1') =>
  made(ipAddressDefinition, { metadata: { name }, spec: { parentRef } });
const blocks = (...cidrs: string[]) => made(serviceCidrDefinition, { spec: { cidrs } });

describe('Ingresses', () => {
  it.each<[string, object]>([
    ['a default backend', { defaultBackend: backend }],
    ['a path', withPath({})],
    ['a wildcard host', { rules: [{ host: '*.example.com' }] }],
    ['a path of any form', withPath({ path: '', pathType: 'ImplementationSpecific' })],
    [
      'a backend of another kind',
      { defaultBackend: { resource: { apiGroup: 'x.io', kind: 'Bucket', name: 'b' } } },
    ],
    ['TLS', { ...withPath({}), tls: [{ hosts: ['*.a.io'], secretName: 'tls' }] }],
  ])('take %s', (_, spec) => {
    expect(broken(ingressDefinition, ingress(spec))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['nothing at all', {}, ['spec Invalid']],
    ['an address as host', { rules: [{ host: '10.0.0.1' }] }, ['spec.rules[0].host Invalid']],
    ['a star within a host', { rules: [{ host: 'a.*.io' }] }, ['spec.rules[0].host Invalid']],
    ['no paths', { rules: [{ http: { paths: [] } }] }, ['spec.rules[0].http.paths Required']],
    [
      'no type of path',
      withPath({ pathType: undefined }),
      ['spec.rules[0].http.paths[0].pathType Required'],
    ],
    [
      'an odd type of path',
      withPath({ pathType: 'Regex' }),
      ['spec.rules[0].http.paths[0].pathType NotSupported'],
    ],
    [
      'a path without its slash',
      withPath({ path: 'a' }),
      ['spec.rules[0].http.paths[0].path Invalid'],
    ],
    [
      'a path that leads up',
      withPath({ path: '/a/../b' }),
      ['spec.rules[0].http.paths[0].path Invalid'],
    ],
    [
      'a path that ends upwards',
      withPath({ path: '/a/..' }),
      ['spec.rules[0].http.paths[0].path Invalid'],
    ],
    ['no backend', withPath({ backend: {} }), ['spec.rules[0].http.paths[0].backend Invalid']],
    [
      'a service without a port',
      { defaultBackend: { service: { name: 'web' } } },
      ['spec.defaultBackend Required'],
    ],
    [
      'a port named and numbered',
      { defaultBackend: { service: { name: 'web', port: { name: 'http', number: 80 } } } },
      ['spec.defaultBackend Invalid'],
    ],
    [
      'a service of no name',
      { defaultBackend: { service: { name: '', port: { number: 70_000 } } } },
      [
        'spec.defaultBackend.service.name Required',
        'spec.defaultBackend.service.port.number Invalid',
      ],
    ],
    [
      'two backends in one',
      { defaultBackend: { ...backend, resource: { kind: 'a', name: 'b' } } },
      ['spec.defaultBackend Invalid'],
    ],
    [
      'a resource of no kind',
      { defaultBackend: { resource: { kind: '', name: 'a/b' } } },
      ['spec.defaultBackend.resource.kind Required', 'spec.defaultBackend.resource.name Invalid'],
    ],
    [
      'odd TLS',
      { ...withPath({}), tls: [{ hosts: ['A'], secretName: 'B' }] },
      ['spec.tls[0].hosts[0] Invalid', 'spec.tls[0].secretName Invalid'],
    ],
    ['an odd class', { ...withPath({}), ingressClassName: 'A' }, ['spec.ingressClassName Invalid']],
  ])('refuse %s', (...[, spec, fields]) => {
    expect(broken(ingressDefinition, ingress(spec))).toEqual(fields);
  });

  it('name their class once, when they are new', () => {
    const annotations = { 'kubernetes.io/ingress.class': 'old' };
    const twice = ingress({ ...withPath({}), ingressClassName: 'new' }, { annotations });
    expect(broken(ingressDefinition, twice)).toEqual([
      'annotations.kubernetes.io/ingress.class Invalid',
    ]);
    expect(broken(ingressDefinition, twice, twice)).toEqual([]);
  });

  it('have a status of addresses and names', () => {
    const entries = [{ ip: 'x' }, { hostname: '10.0.0.1' }, { ip: '10.0.0.1', hostname: 'a.io' }];
    const one: Ingress = { ...ingress({}), status: { loadBalancer: { ingress: entries } } };
    const errors = ingressDefinition.validateStatus?.(one, one).map(({ field }) => field);
    expect(errors).toEqual([
      'status.loadBalancer.ingress[0].ip',
      'status.loadBalancer.ingress[1].hostname',
    ]);
  });

  it('show class, hosts, addresses and ports', () => {
    expect(cells(ingressDefinition, ingress(withPath({})))).toMatchObject({
      Class: '<none>',
      Hosts: '*',
      Address: '',
      Ports: '80',
    });
    const rules = ['a.io', 'b.io', 'c.io', 'd.io', 'e.io'].map((host) => ({ host }));
    const full: Ingress = {
      ...ingress({ rules, tls: [{}], ingressClassName: 'nginx' }),
      status: { loadBalancer: { ingress: [{ ip: '10.0.0.2' }, { hostname: 'lb.io' }] } },
    };
    expect(cells(ingressDefinition, full)).toMatchObject({
      Class: 'nginx',
      Hosts: 'a.io,b.io,c.io + 2 more...',
      Address: '10.0.0.2,lb.io',
      Ports: '80, 443',
    });
    const three = ingress({ rules: rules.slice(0, 3) });
    expect(cells(ingressDefinition, three)['Hosts']).toBe('a.io,b.io,c.io');
  });
});

describe('IngressClasses', () => {
  const parameters = { kind: 'Config', name: 'x' };

  it('have parameters of the cluster unless they say otherwise', () => {
    const one = ingressClass({ controller: 'a.io/b', parameters });
    expect(one.spec?.parameters?.scope).toBe('Cluster');
    expect(broken(ingressClassDefinition, one)).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['no controller', {}, ['spec.controller Required']],
    ['a controller without a domain', { controller: 'b' }, ['spec.controller Invalid']],
    ['a long controller', { controller: `a.io/${'b'.repeat(250)}` }, ['spec.controller TooLong']],
    [
      'a namespace of what has none',
      { controller: 'a.io/b', parameters: { ...parameters, namespace: 'x' } },
      ['spec.parameters.namespace Forbidden'],
    ],
    [
      'no namespace where one is needed',
      { controller: 'a.io/b', parameters: { ...parameters, scope: 'Namespace' } },
      ['spec.parameters.namespace Required'],
    ],
    [
      'another scope',
      { controller: 'a.io/b', parameters: { ...parameters, scope: 'World' } },
      ['spec.parameters.scope NotSupported'],
    ],
  ])('refuse %s', (...[, spec, fields]) => {
    expect(broken(ingressClassDefinition, ingressClass(spec))).toEqual(fields);
  });

  it('keep their controller', () => {
    const [old, next] = [
      ingressClass({ controller: 'a.io/b' }),
      ingressClass({ controller: 'a.io/c' }),
    ];
    expect(broken(ingressClassDefinition, next, old)).toEqual(['spec.controller Invalid']);
  });

  it('show where their parameters are', () => {
    expect(cells(ingressClassDefinition, ingressClass({}))['Parameters']).toBe('<none>');
    const one = ingressClass({ parameters: { ...parameters, apiGroup: 'a.io' } });
    expect(cells(ingressClassDefinition, one)['Parameters']).toBe('Config.a.io/x');
  });
});

describe('NetworkPolicies', () => {
  it('are about what they have rules for, and about TCP', () => {
    expect(policy().spec).toEqual({ podSelector: {}, policyTypes: ['Ingress'] });
    const out = policy({ egress: [{ ports: [{ port: 53 }] }] }).spec;
    expect(out?.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(out?.egress?.[0]?.ports).toEqual([{ port: 53, protocol: 'TCP' }]);
    expect(policy({ policyTypes: ['Egress'] }).spec?.policyTypes).toEqual(['Egress']);
  });

  const from = (peer: object) => ({ ingress: [{ from: [peer] }] });
  const to = (port: object) => ({ egress: [{ ports: [port] }] });
  it.each<[string, object, string[]]>([
    ['no peer', from({}), ['spec.ingress[0].from[0] Required']],
    [
      'a block beside a selector',
      from({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
      ['spec.ingress[0].from[0] Forbidden'],
    ],
    [
      'no block',
      from({ ipBlock: { cidr: '' } }),
      ['spec.ingress[0].from[0].ipBlock.cidr Required'],
    ],
    [
      'a block that is none',
      from({ ipBlock: { cidr: '10.0.0.0' } }),
      ['spec.ingress[0].from[0].ipBlock.cidr Invalid'],
    ],
    [
      'exceptions from elsewhere, from all of it, and of the other family',
      from({
        ipBlock: {
          cidr: '10.0.0.0/8',
          except: ['11.0.0.0/16', '10.0.0.0/8', '::/64', '10.1.0.0/16'],
        },
      }),
      [0, 1, 2].map((i) => `spec.ingress[0].from[0].ipBlock.except[${i}] Invalid`),
    ],
    [
      'an odd selector',
      from({ namespaceSelector: { matchLabels: { a: '!' } } }),
      ['spec.ingress[0].from[0].namespaceSelector.matchLabels Invalid'],
    ],
    [
      'an odd protocol',
      to({ protocol: 'ICMP' }),
      ['spec.egress[0].ports[0].protocol NotSupported'],
    ],
    ['a port of 0', to({ port: 0 }), ['spec.egress[0].ports[0].port Invalid']],
    ['a port of no name', to({ port: 'A_B' }), ['spec.egress[0].ports[0].port Invalid']],
    ['an end alone', to({ endPort: 5 }), ['spec.egress[0].ports[0].endPort Invalid']],
    ['an end before', to({ port: 9, endPort: 5 }), ['spec.egress[0].ports[0].endPort Invalid']],
    [
      'an end of a name',
      to({ port: 'a', endPort: 5 }),
      ['spec.egress[0].ports[0].endPort Invalid'],
    ],
    ['an odd type', { policyTypes: ['Both'] }, ['spec.policyTypes[0] NotSupported']],
    [
      'three types',
      { policyTypes: ['Ingress', 'Egress', 'Ingress'] },
      ['spec.policyTypes Invalid'],
    ],
  ])('refuse %s', (...[, spec, fields]) => {
    expect(broken(networkPolicyDefinition, policy(spec))).toEqual(fields);
  });

  it('show their selector', () => {
    expect(cells(networkPolicyDefinition, policy())['Pod-Selector']).toBe('<none>');
    const one = policy({ podSelector: { matchLabels: { app: 'web' } } });
    expect(cells(networkPolicyDefinition, one)['Pod-Selector']).toBe('app=web');
  });
});

describe('IPAddresses', () => {
  const parent = { resource: 'services', namespace: 'default', name: 'kubernetes' };

  it('are named by the address in its one form', () => {
    const nameRule = (name: string) => ipAddressDefinition.validateName?.(name);
    expect(nameRule('10.0.0.1')).toBeUndefined();
    expect(nameRule('2001:db8::1')).toBeUndefined();
    expect(nameRule('2001:DB8:0::1')).toBe('must be in canonical form ("2001:db8::1")');
    expect(nameRule('10.0.0.01')).toMatch(/must be a valid IP address/);
  });

  it('have a parent, and keep it', () => {
    expect(broken(ipAddressDefinition, address())).toEqual(['spec.parentRef Required']);
    expect(broken(ipAddressDefinition, address({ group: 'A' }))).toEqual([
      'spec.parentRef.group Invalid',
      'spec.parentRef.resource Required',
      'spec.parentRef.name Required',
    ]);
    const other = address({ ...parent, name: 'other' });
    expect(broken(ipAddressDefinition, other, address(parent))).toEqual(['spec.parentRef Invalid']);
  });

  it('show their parent', () => {
    expect(cells(ipAddressDefinition, address(parent))).toEqual({
      Name: '10.0.0.1',
      ParentRef: 'services/default/kubernetes',
    });
    const other = address({ group: 'x.io', resource: 'routes', name: 'r' });
    expect(cells(ipAddressDefinition, other)['ParentRef']).toBe('routes.x.io/r');
  });
});

describe('ServiceCIDRs', () => {
  it.each<[string, string[], string[]]>([
    ['take one of each family', ['10.0.0.0/16', 'fd00::/112'], []],
    ['refuse none', [], ['spec.cidrs Required']],
    ['refuse three', ['10.0.0.0/16', 'fd00::/112', '10.1.0.0/16'], ['spec.cidrs Invalid']],
    ['refuse two of one family', ['10.0.0.0/16', '10.1.0.0/16'], ['spec.cidrs Invalid']],
    ['refuse what is none', ['10.0.0.0'], ['spec.cidrs[0] Invalid']],
  ])('%s', (...[, cidrs, fields]) => {
    expect(broken(serviceCidrDefinition, blocks(...cidrs))).toEqual(fields);
  });

  it.each<[string, string[], string[]]>([
    ['may get the other family', ['10.0.0.0/16', 'fd00::/112'], []],
    ['keep what they have', ['10.1.0.0/16'], ['spec.cidrs[0] Invalid']],
    ['do not lose it', [], ['spec.cidrs Invalid']],
  ])('%s', (...[, cidrs, fields]) => {
    const old = blocks('10.0.0.0/16');
    expect(broken(serviceCidrDefinition, blocks(...cidrs), old)).toEqual(fields);
  });

  it('show their blocks', () => {
    expect(cells(serviceCidrDefinition, blocks('10.0.0.0/16', 'fd00::/112'))['CIDRs']).toBe(
      '10.0.0.0/16,fd00::/112',
    );
  });
});
