// Which writes rules, match policies and selectors are about, over a real store and the real scheme.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { Namespaces } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { Scheme } from '../../api/scheme.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { objectKey } from '../registry/keys.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import { ObjectStore } from '../watch/object-store.ts';
import {
  kindOfRequest,
  type MatchableRequest,
  type MatchCriteria,
  requestMatcher,
} from './matching.ts';

const scheme = new Scheme();
let store: ObjectStore;
beforeAll(async () => {
  const clock = new VirtualClock();
  const storage = createMemoryStorage({ clock, logger: silentLogger });
  store = await ObjectStore.open(storage, { clock, logger: silentLogger });
  for (const name of ['plain', 'prod']) {
    const metadata = { name, labels: name === 'prod' ? { tier: 'prod' } : {} };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata };
    await store.commit(objectKey(Namespaces, '', name), 'absent', encodeObject(object));
  }
});
afterAll(() => store.close());

function definitionOf(at: string): ResourceDefinition {
  const parts = at.split('/');
  const [group, version, plural] = parts.length === 3 ? parts : ['', ...parts];
  const found = scheme.byResource(group ?? '', version ?? '', plural ?? '');
  if (!found) throw new Error(`no ${at}`);
  return found;
}

function labelled(labels: Record<string, string>): LooseObject {
  return { apiVersion: 'v1', kind: 'X', metadata: { name: 'x', labels } };
}

/** A write of `group/version/plural`, an update of a thing called x in the namespace `plain` unless said otherwise. */
function write(at: string, more: Partial<MatchableRequest> = {}): MatchableRequest {
  const definition = definitionOf(at);
  const namespace = definition.ref.namespaced ? 'plain' : '';
  const states = { object: labelled({}), old: labelled({}) };
  return {
    operation: 'update',
    definition,
    subresource: undefined,
    namespace,
    name: 'x',
    ...states,
    ...more,
  };
}

const rule = (more: object = {}) => ({
  apiGroups: ['*'],
  apiVersions: ['*'],
  operations: ['*'],
  resources: ['*/*'],
  ...more,
});

/** `group/version` in which the write is shown, where it is matched. */
function shown(criteria: MatchCriteria, request: MatchableRequest): string | undefined {
  const found = requestMatcher(criteria, { scheme, store })(request);
  return found && apiVersionOf(found.ref);
}

const matches = (criteria: MatchCriteria, request: MatchableRequest): boolean =>
  shown(criteria, request) !== undefined;

describe('rules', () => {
  it.each<[string, object, string, Partial<MatchableRequest>, boolean]>([
    ['everything', {}, 'v1/pods', {}, true],
    ['everything, a subresource too', {}, 'v1/pods', { subresource: 'status' }, true],
    ['a resource', { resources: ['pods'] }, 'v1/pods', {}, true],
    ['another resource', { resources: ['pods'] }, 'v1/services', {}, false],
    [
      'a resource, not its parts',
      { resources: ['pods'] },
      'v1/pods',
      { subresource: 'status' },
      false,
    ],
    ['any resource', { resources: ['*'] }, 'v1/services', {}, true],
    [
      'any resource, not its parts',
      { resources: ['*'] },
      'v1/pods',
      { subresource: 'exec' },
      false,
    ],
    [
      'a resource and its parts',
      { resources: ['pods/*'] },
      'v1/pods',
      { subresource: 'exec' },
      true,
    ],
    ['a resource among its parts', { resources: ['pods/*'] }, 'v1/pods', {}, true],
    ['one part', { resources: ['pods/exec'] }, 'v1/pods', { subresource: 'exec' }, true],
    ['one part, not the whole', { resources: ['pods/exec'] }, 'v1/pods', {}, false],
    [
      'a part of any resource',
      { resources: ['*/scale'] },
      'apps/v1/deployments',
      { subresource: 'scale' },
      true,
    ],
    [
      'a part of any resource, not another',
      { resources: ['*/scale'] },
      'apps/v1/deployments',
      { subresource: 'status' },
      false,
    ],
    ['the core group', { apiGroups: [''] }, 'v1/pods', {}, true],
    ['another group', { apiGroups: ['apps'] }, 'v1/pods', {}, false],
    ['another version', { apiVersions: ['v2'] }, 'v1/pods', {}, false],
    ['one of several', { apiGroups: ['batch', 'apps'] }, 'apps/v1/deployments', {}, true],
    ['the operation', { operations: ['CREATE', 'UPDATE'] }, 'v1/pods', {}, true],
    ['another operation', { operations: ['CREATE', 'DELETE'] }, 'v1/pods', {}, false],
    [
      'connects',
      { operations: ['CONNECT'] },
      'v1/pods',
      { operation: 'connect', subresource: 'exec' },
      true,
    ],
    ['what is in namespaces', { scope: 'Namespaced' }, 'v1/pods', {}, true],
    ['what is of the cluster', { scope: 'Cluster' }, 'v1/pods', {}, false],
    [
      'what is in namespaces, but no namespace',
      { scope: 'Namespaced' },
      'v1/namespaces',
      { namespace: 'plain' },
      false,
    ],
    [
      'what is of the cluster, a namespace too',
      { scope: 'Cluster' },
      'v1/namespaces',
      { namespace: 'plain' },
      true,
    ],
    ['any scope', { scope: '*' }, 'v1/nodes', {}, true],
    ['a name', { resourceNames: ['x', 'y'] }, 'v1/pods', {}, true],
    ['another name', { resourceNames: ['y'] }, 'v1/pods', {}, false],
    ['a name, of what has none yet', { resourceNames: ['x'] }, 'v1/pods', { name: '' }, false],
  ])('about %s', (...[, parts, at, more, expected]) => {
    expect(matches({ resourceRules: [rule(parts)] }, write(at, more))).toBe(expected);
  });

  it('are about all where there are none, and any one is enough', () => {
    expect(matches({}, write('v1/pods'))).toBe(true);
    const rules = [rule({ resources: ['services'] }), rule({ resources: ['pods'] })];
    expect(matches({ resourceRules: rules }, write('v1/pods'))).toBe(true);
  });

  it('leave out what is excluded, by name and by equivalent version too', () => {
    const excluding = (more: object) => ({
      matchPolicy: 'Equivalent',
      resourceRules: [rule()],
      excludeResourceRules: [rule(more)],
    });
    expect(matches(excluding({ resources: ['pods'] }), write('v1/pods'))).toBe(false);
    expect(matches(excluding({ resourceNames: ['y'] }), write('v1/pods'))).toBe(true);
    const old = { apiGroups: ['autoscaling'], apiVersions: ['v1'] };
    const autoscaler = write('autoscaling/v2/horizontalpodautoscalers');
    expect(matches(excluding(old), autoscaler)).toBe(false);
    expect(matches({ ...excluding(old), matchPolicy: 'Exact' }, autoscaler)).toBe(true);
  });

  it.each([
    'validatingwebhookconfigurations',
    'mutatingwebhookconfigurations',
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
    'mutatingadmissionpolicies',
    'mutatingadmissionpolicybindings',
  ])('are never about %s', (plural) => {
    const criteria = { resourceRules: [rule()] };
    expect(matches(criteria, write(`admissionregistration.k8s.io/v1/${plural}`))).toBe(false);
    expect(matches({}, write(`admissionregistration.k8s.io/v1/${plural}`))).toBe(false);
  });
});

describe('the match policy', () => {
  const named = (group: string, version: string, resource: string) =>
    rule({ apiGroups: [group], apiVersions: [version], resources: [resource] });

  it.each<[string, string, readonly [string, string, string], string]>([
    [
      'another version',
      'autoscaling/v2/horizontalpodautoscalers',
      ['autoscaling', 'v1', 'horizontalpodautoscalers'],
      'autoscaling/v1',
    ],
    [
      'the stored version',
      'autoscaling/v1/horizontalpodautoscalers',
      ['autoscaling', 'v2', 'horizontalpodautoscalers'],
      'autoscaling/v2',
    ],
    ['another group', 'v1/events', ['events.k8s.io', 'v1', 'events'], 'events.k8s.io/v1'],
    ['the core group', 'events.k8s.io/v1/events', ['', 'v1', 'events'], 'v1'],
  ])('finds %s of the same objects, unless it is to be exact', (...[, at, said, version]) => {
    const resourceRules = [named(...said)];
    expect(shown({ resourceRules, matchPolicy: 'Equivalent' }, write(at))).toBe(version);
    expect(shown({ resourceRules, matchPolicy: 'Exact' }, write(at))).toBeUndefined();
    expect(shown({ resourceRules }, write(at))).toBeUndefined();
  });

  it('shows an object in the version of the request where any rule names that', () => {
    const resourceRules = [
      named('autoscaling', 'v1', '*'),
      named('autoscaling', 'v2', 'horizontalpodautoscalers'),
    ];
    const criteria = { resourceRules, matchPolicy: 'Equivalent' };
    expect(shown(criteria, write('autoscaling/v2/horizontalpodautoscalers'))).toBe(
      'autoscaling/v2',
    );
  });

  it('knows versions of custom resources as they come and go, and keeps to operations and parts', () => {
    const version = (name: string) => {
      const { ref, ...rest } = definitionOf('v1/configmaps');
      const names = { group: 'example.com', version: name, kind: 'Ship', plural: 'ships' };
      return { ...rest, hasStatus: name === 'v1', ref: { ...ref, ...names } };
    };
    const [one, two] = [version('v1'), version('v2')];
    const criteria = {
      resourceRules: [
        rule({ apiVersions: ['v2'], resources: ['ships/*'], operations: ['UPDATE'] }),
      ],
      matchPolicy: 'Equivalent',
    };
    const request = { ...write('v1/configmaps'), definition: one };
    scheme.serveCustom('ships', [one, two]);
    expect(shown(criteria, request)).toBe('example.com/v2');
    expect(shown(criteria, { ...request, operation: 'create' })).toBeUndefined();
    expect(shown(criteria, { ...request, subresource: 'status' })).toBeUndefined();
    scheme.serveCustom('ships', [one]);
    expect(shown(criteria, request)).toBeUndefined();
    scheme.serveCustom('ships', []);
  });
});

describe('selectors', () => {
  const prod = { matchLabels: { tier: 'prod' } };
  const states = (object: LooseObject | undefined, old: LooseObject | undefined) => ({
    object,
    old,
  });

  it('look at the object before and after the write', () => {
    const criteria = { objectSelector: prod };
    const is = labelled({ tier: 'prod' });
    const isNot = labelled({ tier: 'test' });
    expect(matches(criteria, write('v1/pods', states(is, isNot)))).toBe(true);
    expect(matches(criteria, write('v1/pods', states(isNot, is)))).toBe(true);
    expect(matches(criteria, write('v1/pods', states(isNot, isNot)))).toBe(false);
    const deleting = { operation: 'delete' as const };
    expect(matches(criteria, write('v1/pods', { ...deleting, ...states(undefined, is) }))).toBe(
      true,
    );
    expect(matches(criteria, write('v1/pods', { ...deleting, ...states(undefined, isNot) }))).toBe(
      false,
    );
  });

  it('never select what has no labels to look at', () => {
    const nothing = { ...states(undefined, undefined), operation: 'connect' as const };
    expect(matches({ objectSelector: prod }, write('v1/pods', nothing))).toBe(false);
    const absent = { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] };
    expect(matches({ objectSelector: absent }, write('v1/pods', nothing))).toBe(false);
    expect(matches({ objectSelector: {} }, write('v1/pods', nothing))).toBe(true);
  });

  it('look at the labels of the namespace, and let what is in none pass', () => {
    const criteria = { namespaceSelector: prod };
    expect(matches(criteria, write('v1/pods', { namespace: 'prod' }))).toBe(true);
    expect(matches(criteria, write('v1/pods'))).toBe(false);
    expect(matches(criteria, write('v1/nodes'))).toBe(true);
    expect(matches({ namespaceSelector: {} }, write('v1/pods', { namespace: 'gone' }))).toBe(true);
  });

  it('look at what a namespace itself is to have; where it goes or a part of it is written, at what it has', () => {
    const criteria = { namespaceSelector: prod };
    const to = (labels: Record<string, string>, more: Partial<MatchableRequest> = {}) =>
      write('v1/namespaces', { object: labelled(labels), name: 'plain', ...more });
    expect(matches(criteria, to({ tier: 'prod' }))).toBe(true);
    expect(matches(criteria, to({}, { name: 'prod' }))).toBe(false);
    expect(matches(criteria, to({ tier: 'prod' }, { operation: 'create', name: 'new' }))).toBe(
      true,
    );
    expect(matches(criteria, to({ tier: 'prod' }, { operation: 'delete' }))).toBe(false);
    expect(matches(criteria, to({}, { operation: 'delete', name: 'prod' }))).toBe(true);
    expect(matches(criteria, to({}, { subresource: 'status', name: 'prod' }))).toBe(true);
  });

  it('refuse a write where the namespace is not there, if the rules are about it', () => {
    const request = write('v1/pods', { namespace: 'gone' });
    expect(() => matches({ namespaceSelector: prod }, request)).toThrow(
      'namespaces "gone" not found',
    );
    const resourceRules = [rule({ resources: ['services'] })];
    expect(matches({ namespaceSelector: prod, resourceRules }, request)).toBe(false);
  });
});

describe('the kind of a request', () => {
  it.each([
    ['v1/pods', undefined, 'v1/Pod'],
    ['v1/pods', 'status', 'v1/Pod'],
    ['v1/pods', 'eviction', 'policy/v1/Eviction'],
    ['apps/v1/deployments', 'scale', 'autoscaling/v1/Scale'],
  ])('of %s, part %s, is %s', (at, part, expected) => {
    const { kind = '', ...version } = kindOfRequest(definitionOf(at), part) ?? {
      group: '',
      version: '',
    };
    expect(`${apiVersionOf(version)}/${kind}`).toBe(expected);
  });

  it('is none where there is no such part', () => {
    expect(kindOfRequest(definitionOf('v1/configmaps'), 'status')).toBeUndefined();
  });
});
