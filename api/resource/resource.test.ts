// Kinds of resource.k8s.io: defaults, rules with their fields and types, cells.
import { describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { deviceClassDefinition } from './device-class.ts';
import { resourceClaimDefinition } from './resource-claim.ts';
import { resourceClaimTemplateDefinition } from './resource-claim-template.ts';
import { resourceSliceDefinition } from './resource-slice.ts';

const gpu = { deviceClassName: 'gpu.example.com' };
const request = { name: 'r', exactly: gpu };
const opaque = { driver: 'd.io', parameters: { a: 1 } };
const tenKi = 'x'.repeat(10 * 1024 + 1);

describe('ResourceClaims', () => {
  const claim = (devices: object, status: object = {}) =>
    made(resourceClaimDefinition, { spec: { devices }, status });
  const wanting = (more: object) => ({ requests: [{ name: 'r', exactly: { ...gpu, ...more } }] });

  it('ask for one device unless they say otherwise', () => {
    const one = claim({
      requests: [{ name: 'r', exactly: { ...gpu, tolerations: [{ key: 'a' }] } }],
    });
    expect(one.spec.devices?.requests?.[0]?.exactly).toEqual({
      ...gpu,
      allocationMode: 'ExactCount',
      count: 1,
      tolerations: [{ key: 'a', operator: 'Equal' }],
    });
    expect(broken(resourceClaimDefinition, one)).toEqual([]);
    const all = claim(wanting({ allocationMode: 'All' }));
    expect(all.spec.devices?.requests?.[0]?.exactly).not.toHaveProperty('count');
  });

  it('may name alternatives', () => {
    const firstAvailable = [
      { name: 'big', ...gpu },
      { name: 'small', ...gpu },
    ];
    const devices = {
      requests: [{ name: 'r', firstAvailable }],
      constraints: [{ requests: ['r/big'], matchAttribute: 'd.io/numa' }],
      config: [{ requests: ['r'], opaque }],
    };
    expect(broken(resourceClaimDefinition, claim(devices))).toEqual([]);
  });

  const many = (count: number, of: object) => Array.from({ length: count }, () => of);
  it.each<[string, object, string[]]>([
    ['a request for nothing', { requests: [{ name: 'r' }] }, ['requests[0] Required']],
    [
      'a request for two things',
      { requests: [{ ...request, firstAvailable: [{ name: 'a', ...gpu }] }] },
      ['requests[0] Invalid'],
    ],
    [
      'names that are none, and twice',
      { requests: [{ ...request, name: 'A' }, request, request] },
      ['requests[0].name Invalid', 'requests[2].name Duplicate'],
    ],
    [
      'no class',
      wanting({ deviceClassName: '' }),
      ['requests[0].exactly.deviceClassName Required'],
    ],
    ['fewer than one', wanting({ count: -1 }), ['requests[0].exactly.count Invalid']],
    [
      'all of them, and three',
      wanting({ allocationMode: 'All', count: 3 }),
      ['requests[0].exactly.count Invalid'],
    ],
    [
      'an odd mode',
      wanting({ allocationMode: 'Some' }),
      ['requests[0].exactly.allocationMode NotSupported'],
    ],
    [
      'selectors without a text, and too long',
      wanting({ selectors: [{}, { cel: {} }, { cel: { expression: tenKi } }] }),
      [
        'requests[0].exactly.selectors[0].cel Required',
        'requests[0].exactly.selectors[1].cel.expression Required',
        'requests[0].exactly.selectors[2].cel.expression TooLong',
      ],
    ],
    [
      'odd tolerations',
      wanting({
        tolerations: [
          { operator: 'Exists', value: 'a' },
          { operator: 'Equal' },
          { operator: 'Like', effect: 'Cry' },
        ],
      }),
      [
        'requests[0].exactly.tolerations[0].value Invalid',
        'requests[0].exactly.tolerations[1].key Required',
        'requests[0].exactly.tolerations[2].operator NotSupported',
        'requests[0].exactly.tolerations[2].effect NotSupported',
      ],
    ],
    [
      'too many tolerations',
      wanting({ tolerations: many(17, { operator: 'Exists' }) }),
      ['requests[0].exactly.tolerations TooMany'],
    ],
    [
      'constraints on nothing, and on what is not asked',
      { requests: [request], constraints: [{}, { requests: ['x'], matchAttribute: 'numa' }] },
      [
        'constraints[0].matchAttribute Required',
        'constraints[1].matchAttribute Invalid',
        'constraints[1].requests[0] Invalid',
      ],
    ],
    [
      'configuration for nobody, and of no form',
      { config: [{}, { opaque: { driver: '', parameters: [] } }, { opaque: { driver: 'd.io' } }] },
      [
        'config[0].opaque Required',
        'config[1].opaque.driver Required',
        'config[1].opaque.parameters Invalid',
        'config[2].opaque.parameters Required',
      ],
    ],
    [
      'configuration that is too long',
      { config: [{ opaque: { driver: 'd.io', parameters: { a: tenKi } } }] },
      ['config[0].opaque.parameters TooLong'],
    ],
    [
      'too many constraints',
      { constraints: many(33, { matchAttribute: 'd.io/numa' }) },
      ['constraints TooMany'],
    ],
  ])('refuse %s', (...[, devices, fields]) => {
    const errors = broken(resourceClaimDefinition, claim(devices));
    expect(errors).toEqual(fields.map((field) => `spec.devices.${field}`));
  });

  it('never change what they ask for', () => {
    const [old, next] = [claim({ requests: [request] }), claim(wanting({ count: 2 }))];
    expect(broken(resourceClaimDefinition, next, old)).toEqual(['spec Invalid']);
  });

  const pod = { resource: 'pods', name: 'p', uid: '1' };
  it.each<[string, object, object, string[]]>([
    ['take an allocation', { allocation: {}, reservedFor: [pod] }, {}, []],
    ['refuse users of nothing', { reservedFor: [pod] }, {}, ['status.reservedFor']],
    [
      'refuse users of no name, and twice',
      { allocation: {}, reservedFor: [pod, { uid: '1' }] },
      {},
      ['status.reservedFor[1].resource', 'status.reservedFor[1].name', 'status.reservedFor[1].uid'],
    ],
    [
      'refuse another allocation',
      { allocation: { devices: { results: [{ device: 'b' }] } } },
      { allocation: { devices: { results: [{ device: 'a' }] } } },
      ['status.allocation'],
    ],
    [
      'refuse too many users',
      {
        allocation: {},
        reservedFor: Array.from({ length: 257 }, (_, i) => ({ ...pod, uid: `${i}` })),
      },
      {},
      ['status.reservedFor'],
    ],
  ])('in their status %s', (...[, now, before, fields]) => {
    const errors = resourceClaimDefinition.validateStatus?.(claim({}, now), claim({}, before));
    expect(errors?.map(({ field }) => field)).toEqual(fields);
  });

  it.each<[string, object, string | undefined]>([
    ['pending', {}, undefined],
    ['allocated', { allocation: {} }, undefined],
    ['allocated,reserved', { allocation: {}, reservedFor: [pod] }, undefined],
    ['deleted,allocated', { allocation: {} }, '2026-01-02T03:04:05Z'],
    ['deleted', {}, '2026-01-02T03:04:05Z'],
  ])('show %s', (text, status, deletionTimestamp) => {
    const metadata = { name: 'x', ...(deletionTimestamp && { deletionTimestamp }) };
    const one = made(resourceClaimDefinition, { metadata, spec: {}, status });
    expect(cells(resourceClaimDefinition, one)['State']).toBe(text);
  });
});

describe('ResourceClaimTemplates', () => {
  const template = (spec: object) => made(resourceClaimTemplateDefinition, { spec });

  it('hold claims to the rules of claims, and never change', () => {
    const one = template({ spec: { devices: { requests: [request] } } });
    expect(one.spec.spec.devices?.requests?.[0]?.exactly?.count).toBe(1);
    expect(broken(resourceClaimTemplateDefinition, one)).toEqual([]);
    const bad = template({
      metadata: { labels: { a: '!' } },
      spec: { devices: { requests: [{ name: 'r' }] } },
    });
    expect(broken(resourceClaimTemplateDefinition, bad, one)).toEqual([
      'spec.metadata.labels Invalid',
      'spec.spec.devices.requests[0] Required',
      'spec Invalid',
    ]);
  });
});

describe('DeviceClasses', () => {
  it.each<[string, object, string[]]>([
    [
      'take selectors, configuration and a resource',
      {
        selectors: [{ cel: { expression: 'true' } }],
        config: [{ opaque }],
        extendedResourceName: 'example.com/gpu',
      },
      [],
    ],
    [
      'refuse odd ones',
      { selectors: [{}], config: [{}], extendedResourceName: 'cpu' },
      [
        'spec.selectors[0].cel Required',
        'spec.config[0].opaque Required',
        'spec.extendedResourceName Invalid',
      ],
    ],
  ])('%s', (...[, spec, fields]) => {
    expect(broken(deviceClassDefinition, made(deviceClassDefinition, { spec }))).toEqual(fields);
  });
});

describe('ResourceSlices', () => {
  const usual = {
    driver: 'd.io',
    nodeName: 'n1',
    pool: { name: 'n1', generation: 1, resourceSliceCount: 1 },
    devices: [
      {
        name: 'gpu-0',
        attributes: { model: { string: 'a' } },
        capacity: { memory: { value: '8Gi' } },
      },
    ],
  };
  const slice = (more: object = {}) =>
    made(resourceSliceDefinition, { spec: { ...usual, ...more } });
  const device = (more: object) => ({ devices: [{ name: 'gpu-0', ...more }] });

  it.each<[string, object, string[]]>([
    ['take a device', {}, []],
    ['refuse no driver', { driver: '' }, ['spec.driver Required']],
    [
      'refuse no pool',
      { pool: { generation: -1 } },
      [
        'spec.pool.name Required',
        'spec.pool.resourceSliceCount Invalid',
        'spec.pool.generation Invalid',
      ],
    ],
    ['refuse no place', { nodeName: undefined }, ['spec Required']],
    ['refuse two places', { allNodes: true }, ['spec Invalid']],
    [
      'refuse devices of one name',
      { devices: [{ name: 'a' }, { name: 'a' }] },
      ['spec.devices[1].name Duplicate'],
    ],
    [
      'refuse too many devices',
      { devices: Array.from({ length: 129 }, (_, i) => ({ name: `d${i}` })) },
      ['spec.devices TooMany'],
    ],
    [
      'refuse odd attributes',
      device({ attributes: { 'a-b': { int: 1 }, none: {}, two: { int: 1, bool: true } } }),
      [
        'spec.devices[0].attributes Invalid',
        'spec.devices[0].attributes[none] Required',
        'spec.devices[0].attributes[two] Invalid',
      ],
    ],
    [
      'refuse a long text',
      device({ attributes: { 'x.io/a': { string: 'x'.repeat(65) } } }),
      ['spec.devices[0].attributes[x.io/a].string TooLong'],
    ],
    [
      'refuse an amount below zero',
      device({ capacity: { memory: { value: '-1' } } }),
      ['spec.devices[0].capacity[memory].value Invalid'],
    ],
    [
      'refuse too many facts',
      device({
        attributes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`a${i}`, { int: i }])),
      }),
      ['spec.devices[0] Invalid'],
    ],
  ])('%s', (...[, more, fields]) => {
    expect(broken(resourceSliceDefinition, slice(more))).toEqual(fields);
  });

  it('stay whose they are', () => {
    const next = slice({ driver: 'e.io', nodeName: 'n2', pool: { ...usual.pool, name: 'p' } });
    expect(broken(resourceSliceDefinition, next, slice())).toEqual([
      'spec.nodeName Invalid',
      'spec.driver Invalid',
      'spec.pool.name Invalid',
    ]);
  });

  it('show node, driver and pool, and are chosen by them', () => {
    expect(cells(resourceSliceDefinition, slice())).toMatchObject({
      Node: 'n1',
      Driver: 'd.io',
      Pool: 'n1',
    });
    expect(resourceSliceDefinition.selectableFields['spec.driver']?.(slice())).toBe('d.io');
  });
});
