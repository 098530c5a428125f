// Namespaces, nodes, events and endpoints: what is filled in, refused and shown.
import { describe, expect, it } from 'vitest';
import type { Endpoints, Event, Namespace, Node } from '../generated/types.ts';
import { endpointsDefinition } from './endpoints.ts';
import { eventDefinition } from './event.ts';
import { namespaceDefinition } from './namespace.ts';
import { nodeDefinition } from './node.ts';

const NOW = Date.UTC(2026, 0, 1, 0, 1, 0);

describe('namespaces', () => {
  const aNamespace = (): Namespace => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', labels: { a: 'b' } },
  });

  it('carry their name as a label, and are held by the controller', () => {
    const namespace = aNamespace();
    namespaceDefinition.defaults?.(namespace);
    namespaceDefinition.prepareForCreate?.(namespace);
    expect(namespace).toMatchObject({
      metadata: { labels: { a: 'b', 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('keep their finalizers on ordinary writes', () => {
    const old = { ...aNamespace(), spec: { finalizers: ['kubernetes'] } };
    const namespace = { ...aNamespace(), spec: { finalizers: [] } };
    namespaceDefinition.prepareForUpdate?.(namespace, old);
    expect(namespace.spec).toEqual(old.spec);
  });

  it('have names without dots', () => {
    expect(namespaceDefinition.validateName?.('a.b')).toContain('RFC 1123 label');
  });
});

describe('nodes', () => {
  const aNode = (more: Partial<Node> = {}): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1' },
    ...more,
  });
  const cells = (node: Node) =>
    Object.fromEntries(nodeDefinition.columns.map((c) => [c.name, c.value(node, NOW)]));
  const ready = (status: string) => ({ conditions: [{ type: 'Ready', status }] });

  it('show readiness and roles', () => {
    expect(cells(aNode())).toMatchObject({ Status: 'Unknown', Roles: '<none>', Version: '' });
    expect(cells(aNode({ status: ready('True') })).Status).toBe('Ready');
    const spec = { unschedulable: true };
    expect(cells(aNode({ spec, status: ready('Unknown') })).Status).toBe(
      'NotReady,SchedulingDisabled',
    );
    const labels = { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/edge': '' };
    expect(cells(aNode({ metadata: { name: 'n', labels } })).Roles).toBe('edge,worker');
    const addresses = [{ type: 'InternalIP', address: '10.0.0.9' }];
    expect(cells(aNode({ status: { addresses } }))).toMatchObject({
      'Internal-IP': '10.0.0.9',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
    });
  });

  it('offer all they have unless told otherwise', () => {
    const node = aNode({ status: { capacity: { cpu: '2000m' } } });
    nodeDefinition.defaults?.(node);
    expect(node.status?.allocatable).toEqual({ cpu: '2' });
  });

  it('keep their address block once they have one', () => {
    const withBlock = (podCIDR?: string) => {
      const node = aNode({ spec: { podCIDR } });
      nodeDefinition.defaults?.(node);
      return node;
    };
    const check = (now?: string, before?: string) =>
      (nodeDefinition.validate?.(withBlock(now), withBlock(before)) ?? []).map((e) => e.field);
    expect(check('10.1.0.0/24', undefined)).toEqual([]);
    expect(check('10.1.0.0/24', '10.1.0.0/24')).toEqual([]);
    expect(check('10.2.0.0/24', '10.1.0.0/24')).toEqual(['spec.podCIDRs']);
    expect(check('10.2.0.0', undefined)).toEqual(['spec.podCIDRs[0]']);
  });

  it('have taints with effects, each once', () => {
    const taints = [
      { key: 'a', effect: 'NoSchedule' },
      { key: 'a', effect: 'NoSchedule' },
      { key: 'a', effect: 'Never' },
      { key: '-', effect: '' },
    ];
    const errors = nodeDefinition.validate?.(aNode({ spec: { taints } }), undefined) ?? [];
    expect(errors.map(({ field, type }) => `${field} ${type}`)).toEqual([
      'spec.taints[1] FieldValueDuplicate',
      'spec.taints[2].effect FieldValueNotSupported',
      'spec.taints[3].key FieldValueInvalid',
      'spec.taints[3].effect FieldValueRequired',
    ]);
  });
});

describe('events', () => {
  const anEvent = (more: Partial<Event> = {}): Event => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: 'shop' },
    involvedObject: { kind: 'Pod', name: 'web', namespace: 'shop' },
    ...more,
  });

  it('show what happened to what', () => {
    const event = anEvent({
      type: 'Warning',
      reason: 'BackOff',
      message: 'again\n',
      lastTimestamp: '2026-01-01T00:00:30Z',
      count: 3,
      source: { component: 'kubelet', host: 'n1' },
    });
    const cells = Object.fromEntries(
      eventDefinition.columns.map((c) => [c.name, c.value(event, NOW)]),
    );
    expect(cells).toMatchObject({
      'Last Seen': '30s',
      Type: 'Warning',
      Reason: 'BackOff',
      Object: 'pod/web',
      Source: 'kubelet, n1',
      Message: 'again',
      Count: '3',
      Name: 'e',
    });
  });

  it('can be selected by what they are about', () => {
    const fields = eventDefinition.selectableFields;
    expect(fields['involvedObject.name']?.(anEvent())).toBe('web');
    expect(fields.source?.(anEvent({ reportingComponent: 'x' }))).toBe('x');
    expect(fields['involvedObject.uid']?.(anEvent({ involvedObject: {} }))).toBe('');
  });

  it('lie where their object lies', () => {
    const check = (event: Event) => eventDefinition.validate?.(event, undefined) ?? [];
    expect(check(anEvent())).toEqual([]);
    expect(check(anEvent({ involvedObject: { namespace: 'other' } }))).toMatchObject([
      { field: 'involvedObject.namespace', message: expect.stringContaining('does not match') },
    ]);
    const ofNode = { involvedObject: { kind: 'Node', name: 'n1' } };
    expect(check(anEvent(ofNode))).toHaveLength(1);
    expect(check(anEvent({ ...ofNode, metadata: { name: 'e', namespace: 'default' } }))).toEqual(
      [],
    );
  });
});

describe('endpoints', () => {
  const some = (subsets: Endpoints['subsets']): Endpoints => ({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'web', namespace: 'default' },
    subsets,
  });

  it('show the first three', () => {
    const addresses = ['1', '2', '3', '4'].map((n) => ({ ip: `10.0.0.${n}` }));
    const cell = (object: Endpoints) => endpointsDefinition.columns[1]?.value(object, NOW);
    expect(cell(some([{ addresses, ports: [{ port: 80 }] }]))).toBe(
      '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...',
    );
    expect(cell(some([{ addresses: [{ ip: '::1' }], ports: [{ port: 80 }] }]))).toBe('[::1]:80');
    expect(cell(some(undefined))).toBe('<none>');
  });

  it('are refused without addresses or with bad ones', () => {
    const object = some([{}, { addresses: [{ ip: 'x' }], ports: [{ port: 0 }] }]);
    endpointsDefinition.defaults?.(object);
    expect(endpointsDefinition.validate?.(object, undefined).map(({ field }) => field)).toEqual([
      'subsets[0]',
      'subsets[1].addresses[0].ip',
      'subsets[1].ports[0].port',
    ]);
  });
});
