// RBAC over a real store: what a user may do follows every change of roles and bindings at once, though it is remembered.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClusterRoleBindings, ClusterRoles, RoleBindings, Roles } from '../../api/kinds.ts';
import type { KindRef } from '../../api/kind-ref.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { objectKey } from '../registry/keys.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import { encodeObject } from '../storage/revision-gap.ts';
import { ObjectStore } from '../watch/object-store.ts';
import { RbacAuthorizer } from './rbac.ts';

const EVE: UserInfo = { username: 'eve', groups: ['system:authenticated'] };
const GET_PODS = { verb: 'get', group: '', resource: 'pods', name: 'p' };

describe('RbacAuthorizer', () => {
  let store: ObjectStore;
  let rbac: RbacAuthorizer;
  beforeEach(async () => {
    const clock = new VirtualClock();
    const storage = createMemoryStorage({ clock, logger: silentLogger });
    store = await ObjectStore.open(storage, { clock, logger: silentLogger });
    rbac = new RbacAuthorizer(store);
  });
  afterEach(() => store.close());

  const put = (ref: KindRef<never>, namespace: string, parts: object) => {
    const object = { ...parts, metadata: { name: 'x', namespace } } as unknown as LooseObject;
    return store.commit(objectKey(ref, namespace, 'x'), 'any', encodeObject(object));
  };
  const remove = (ref: KindRef<never>, namespace: string) =>
    store.commit(objectKey(ref, namespace, 'x'), 'any', 'delete');
  const rules = (verb: string) => ({
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }],
  });
  const binding = (kind: string) => ({
    roleRef: { kind, name: 'x', apiGroup: 'rbac.authorization.k8s.io' },
    subjects: [{ kind: 'User', name: 'eve', apiGroup: 'rbac.authorization.k8s.io' }],
  });

  it.each([
    {
      role: ClusterRoles,
      bound: ClusterRoleBindings,
      kind: 'ClusterRole',
      roleIn: '',
      boundIn: '',
    },
    { role: Roles, bound: RoleBindings, kind: 'Role', roleIn: 'a', boundIn: 'a' },
    { role: ClusterRoles, bound: RoleBindings, kind: 'ClusterRole', roleIn: '', boundIn: 'a' },
  ])(
    'asks anew when a $kind or a binding of it comes, changes or goes',
    async ({ role, bound, kind, roleIn, boundIn }) => {
      const may = () => rbac.allows(EVE, GET_PODS, 'a');
      expect(may()).toBe(false);
      await put(bound as KindRef<never>, boundIn, binding(kind));
      expect(may()).toBe(false);
      await put(role as KindRef<never>, roleIn, rules('get'));
      expect(may()).toBe(true);
      await put(role as KindRef<never>, roleIn, rules('list'));
      expect(may()).toBe(false);
      await put(role as KindRef<never>, roleIn, rules('*'));
      expect(may()).toBe(true);
      await remove(bound as KindRef<never>, boundIn);
      expect(may()).toBe(false);
      await put(bound as KindRef<never>, boundIn, binding(kind));
      expect(may()).toBe(true);
      await remove(role as KindRef<never>, roleIn);
      expect(may()).toBe(false);
    },
  );

  it('keeps what holds in one namespace apart from others, however many are asked about', async () => {
    await put(Roles as KindRef<never>, 'a', rules('get'));
    await put(RoleBindings as KindRef<never>, 'a', binding('Role'));
    for (let i = 0; i < 2_500; i++) expect(rbac.allows(EVE, GET_PODS, `n${i}`)).toBe(false);
    expect(rbac.allows(EVE, GET_PODS, 'a')).toBe(true);
    expect(rbac.allows(EVE, GET_PODS, '')).toBe(false);
  });

  it('tells by which binding it allows, in clients’ words', async () => {
    const robot: UserInfo = { username: 'system:serviceaccount:b:robot', groups: ['people'] };
    const decide = (user: UserInfo) => rbac.decide(user, GET_PODS, 'a');
    expect(decide(EVE)).toEqual({ allowed: false });
    await put(ClusterRoles as KindRef<never>, '', rules('get'));
    await put(RoleBindings as KindRef<never>, 'a', {
      ...binding('ClusterRole'),
      subjects: [
        { kind: 'User', name: 'eve' },
        { kind: 'ServiceAccount', name: 'robot', namespace: 'b' },
      ],
    });
    const by = 'RBAC: allowed by RoleBinding "x/a" of ClusterRole "x" to';
    expect(decide(EVE)).toEqual({ allowed: true, reason: `${by} User "eve"` });
    expect(decide(robot)).toEqual({ allowed: true, reason: `${by} ServiceAccount "robot/b"` });
    const people = [{ kind: 'Group', name: 'people' }];
    await put(ClusterRoleBindings as KindRef<never>, '', {
      ...binding('ClusterRole'),
      subjects: people,
    });
    expect(decide(robot).reason).toBe(
      'RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "x" to Group "people"',
    );
    expect(decide({ username: 'root', groups: ['system:masters'] })).toEqual({ allowed: true });
  });

  it('tells of roles that are bound and not there, once each', async () => {
    const reason = () => rbac.decide(EVE, GET_PODS, 'a').reason;
    await put(ClusterRoleBindings as KindRef<never>, '', binding('ClusterRole'));
    const one = 'clusterrole.rbac.authorization.k8s.io "x" not found';
    expect(reason()).toBe(`RBAC: ${one}`);
    await put(RoleBindings as KindRef<never>, 'a', binding('ClusterRole'));
    expect(reason()).toBe(`RBAC: ${one}`);
    await put(RoleBindings as KindRef<never>, 'a', binding('Role'));
    expect(reason()).toBe(`RBAC: [${one}, role.rbac.authorization.k8s.io "x" not found]`);
  });
});
