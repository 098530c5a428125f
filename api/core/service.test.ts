// Services: defaults, rules, what a later write keeps, and the cells of `kubectl get svc`.
import { describe, expect, it } from 'vitest';
import type { Service, ServiceSpec } from '../generated/types.ts';
import { serviceDefinition } from './service.ts';

function aService(spec: ServiceSpec = {}, name = 'web'): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { ports: [{ port: 80 }], ...spec },
  };
}

function defaulted(service: Service): Service {
  const copy = structuredClone(service);
  serviceDefinition.defaults?.(copy);
  return copy;
}

function textsOf(service: Service, old?: Service): string[] {
  const now = defaulted(service);
  const before = old && defaulted(old);
  if (before) serviceDefinition.prepareForUpdate?.(now, before);
  const errors = serviceDefinition.validate?.(now, before) ?? [];
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

describe('defaults of a Service', () => {
  it('make it a cluster address', () => {
    expect(defaulted(aService()).spec).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ipFamilyPolicy: 'SingleStack',
      ipFamilies: ['IPv4'],
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    });
  });

  it('follow the type', () => {
    expect(defaulted(aService({ type: 'NodePort' })).spec?.externalTrafficPolicy).toBe('Cluster');
    expect(defaulted(aService({ type: 'LoadBalancer' })).spec).toMatchObject({
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: 'Cluster',
    });
    const named = defaulted(aService({ type: 'ExternalName', externalName: 'a.b', ports: [] }));
    expect(named.spec?.internalTrafficPolicy).toBeUndefined();
    expect(named.spec?.ipFamilies).toBeUndefined();
  });

  it('keep both forms of the address the same', () => {
    expect(defaulted(aService({ clusterIP: '10.0.0.1' })).spec?.clusterIPs).toEqual(['10.0.0.1']);
    expect(defaulted(aService({ clusterIPs: ['10.0.0.1'] })).spec?.clusterIP).toBe('10.0.0.1');
  });

  it('let affinity last three hours', () => {
    const { spec } = defaulted(aService({ sessionAffinity: 'ClientIP' }));
    expect(spec?.sessionAffinityConfig).toEqual({ clientIP: { timeoutSeconds: 10800 } });
  });
});

describe('rules of a Service', () => {
  it.each<[string, ServiceSpec]>([
    [
      'two named ports',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      },
    ],
    ['no ports when headless', { clusterIP: 'None', ports: [] }],
    ['a node port', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }],
    ['a name elsewhere', { type: 'ExternalName', externalName: 'a.b', ports: [] }],
    [
      'one port by two protocols',
      {
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    ],
  ])('pass %s', (_what, spec) => {
    expect(textsOf(aService(spec))).toEqual([]);
  });

  it.each<[string, ServiceSpec, string]>([
    ['no ports', { ports: [] }, 'spec.ports: Required value'],
    ['an odd type', { type: 'Odd' }, 'spec.type: Unsupported value: "Odd"'],
    ['no names', { ports: [{ port: 1 }, { port: 2 }] }, 'spec.ports[0].name: Required value'],
    [
      'a name twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
      'spec.ports[1].name: Duplicate value: "a"',
    ],
    [
      'a port twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 1 },
        ],
      },
      'spec.ports[1]: Duplicate value',
    ],
    [
      'a port of 0',
      { ports: [{ port: 0 }] },
      'spec.ports[0].port: Invalid value: 0: must be between',
    ],
    [
      'a bad target',
      { ports: [{ port: 1, targetPort: 'NO' }] },
      'spec.ports[0].targetPort: Invalid value: "NO"',
    ],
    [
      'a node port without NodePort',
      { ports: [{ port: 1, nodePort: 30000 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'a node port out of range',
      { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] },
      'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. ' +
        'The range of valid ports is 30000-32767',
    ],
    [
      'None with node ports',
      { type: 'NodePort', clusterIP: 'None' },
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
    ],
    [
      'an address that is none',
      { clusterIP: '10.0.0' },
      'spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address',
    ],
    ['no external name', { type: 'ExternalName' }, 'spec.externalName: Required value'],
    ['a bad selector', { selector: { a: '-' } }, 'spec.selector: Invalid value: "-"'],
    ['odd affinity', { sessionAffinity: 'Always' }, 'spec.sessionAffinity: Unsupported value'],
    ['an odd policy', { internalTrafficPolicy: 'No' }, 'spec.internalTrafficPolicy: Unsupported'],
  ])('refuse %s', (...[, spec, text]) => {
    expect(textsOf(aService(spec)).join('\n')).toContain(text);
  });

  it('want names that begin with a letter', () => {
    expect(serviceDefinition.validateName?.('1web')).toContain('DNS-1035 label');
    expect(serviceDefinition.validateName?.('web')).toBeUndefined();
  });
});

describe('changes of a Service', () => {
  const old = aService({
    type: 'NodePort',
    clusterIP: '10.0.0.1',
    ports: [{ port: 80, nodePort: 30001 }],
  });
  const after = (spec: ServiceSpec): ServiceSpec => {
    const service = defaulted(aService(spec));
    serviceDefinition.prepareForUpdate?.(service, defaulted(old));
    return service.spec ?? {};
  };

  it('keep address and node ports that the writer left out', () => {
    expect(after({ type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] })).toMatchObject({
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      ports: [{ port: 80, targetPort: 8080, nodePort: 30001 }],
    });
  });

  it('may not replace the address', () => {
    expect(textsOf(aService({ type: 'NodePort', clusterIP: '10.0.0.2' }), old)).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
    ]);
  });

  it('give node ports back with the type', () => {
    const spec = after({ type: 'ClusterIP', ports: [{ port: 80, nodePort: 30001 }] });
    expect(spec.ports?.[0]?.nodePort).toBeUndefined();
    expect(spec.clusterIP).toBe('10.0.0.1');
  });

  it('give the address back when it becomes a name elsewhere', () => {
    const spec: ServiceSpec = { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' };
    expect(after(spec).clusterIP).toBeUndefined();
    expect(textsOf(aService(spec), old)).toEqual([]);
  });
});

describe('cells of a Service', () => {
  const cells = (service: Service) =>
    serviceDefinition.columns
      .filter(({ name }) => name !== 'Age')
      .map((column) => column.value(service, 0));

  it('show ports, addresses and selector', () => {
    const spec: ServiceSpec = {
      type: 'NodePort',
      clusterIP: '10.0.0.1',
      ports: [
        { port: 80, nodePort: 30001 },
        { port: 53, protocol: 'UDP' },
      ],
      selector: { b: '2', a: '1' },
    };
    const shown = ['web', 'NodePort', '10.0.0.1', '<none>', '80:30001/TCP,53/UDP', 'a=1,b=2'];
    expect(cells(aService(spec))).toEqual(shown);
  });

  it('show what is missing', () => {
    expect(cells(aService({ type: 'LoadBalancer', clusterIP: '10.0.0.1' }))[3]).toBe('<pending>');
    const named = aService({ type: 'ExternalName', externalName: 'a.b', ports: [] });
    expect(cells(named)).toEqual(['web', 'ExternalName', '<none>', 'a.b', '<none>', '<none>']);
    expect(cells(aService({ type: 'ClusterIP', clusterIP: 'None' }))[2]).toBe('None');
  });
});
