// RBAC: what rules allow, whom subjects mean, what bindings and roles must say, and what each of our parts may do.
import { describe, expect, it } from 'vitest';
import type { PolicyRule, RbacSubject, RoleBinding } from '../generated/types.ts';
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './bootstrap.ts';
import { helperClusterRoleBindings, helperClusterRoles } from './bootstrap-helpers.ts';
import { clusterRoleBindingDefinition } from './cluster-role-binding.ts';
import { clusterRoleDefinition } from './cluster-role.ts';
import type { AccessRequest } from './evaluate.ts';
import { rulesAllow, subjectIs, uncoveredRules } from './evaluate.ts';
import { roleBindingDefinition } from './role-binding.ts';
import { roleDefinition } from './role.ts';
import { validateRules } from './rule-validation.ts';

const on = (verb: string, resource: string, more: { group?: string; name?: string } = {}) => {
  const [plain = '', subresource] = resource.split('/');
  return { verb, group: '', resource: plain, subresource, ...more };
};
const rule = (
  verbs: string[],
  resources: string[],
  more: Partial<PolicyRule> = {},
): PolicyRule => ({
  verbs,
  apiGroups: [''],
  resources,
  ...more,
});
const paths = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

describe('rules', () => {
  it.each<[string, PolicyRule, AccessRequest, boolean]>([
    ['what they name', rule(['get'], ['pods']), on('get', 'pods'), true],
    ['no other verb', rule(['get'], ['pods']), on('list', 'pods'), false],
    ['no other resource', rule(['get'], ['pods']), on('get', 'nodes'), false],
    ['no other group', rule(['get'], ['pods']), on('get', 'pods', { group: 'x' }), false],
    ['no subresource by the resource', rule(['get'], ['pods']), on('get', 'pods/log'), false],
    ['a subresource by name', rule(['get'], ['pods/log']), on('get', 'pods/log'), true],
    ['no resource by its subresource', rule(['get'], ['pods/log']), on('get', 'pods'), false],
    ['that subresource of all', rule(['get'], ['*/log']), on('get', 'pods/log'), true],
    ['not all by that', rule(['get'], ['*/log']), on('get', 'pods'), false],
    [
      'all by stars',
      rule(['*'], ['*'], { apiGroups: ['*'] }),
      on('x', 'y/z', { group: 'q' }),
      true,
    ],
    [
      'named objects',
      rule(['get'], ['pods'], { resourceNames: ['a'] }),
      on('get', 'pods', { name: 'a' }),
      true,
    ],
    [
      'no others',
      rule(['get'], ['pods'], { resourceNames: ['a'] }),
      on('get', 'pods', { name: 'b' }),
      false,
    ],
    [
      'no lists by names',
      rule(['list'], ['pods'], { resourceNames: ['a'] }),
      on('list', 'pods'),
      false,
    ],
    ['a path', paths('/healthz'), { verb: 'get', path: '/healthz' }, true],
    ['no path below it', paths('/healthz'), { verb: 'get', path: '/healthz/etcd' }, false],
    ['paths below a star', paths('/apis/*'), { verb: 'get', path: '/apis/apps/v1' }, true],
    ['no path before it', paths('/apis/*'), { verb: 'get', path: '/apis' }, false],
    ['all paths by a star', paths('*'), { verb: 'get', path: '/x' }, true],
    [
      'no paths by resources',
      rule(['*'], ['*'], { apiGroups: ['*'] }),
      { verb: 'get', path: '/x' },
      false,
    ],
    ['nothing when empty', { verbs: [] }, on('get', 'pods'), false],
  ])('allow %s', (...[, given, request, allowed]) => {
    expect(rulesAllow([{ verbs: [] }, given], request)).toBe(allowed);
  });

  it('cover others part by part', () => {
    const owned = [rule(['get', 'list'], ['pods']), rule(['*'], ['*/scale']), paths('/a/*')];
    expect(uncoveredRules(owned, [rule(['list'], ['pods']), paths('/a/b')])).toEqual([]);
    expect(uncoveredRules(owned, [rule(['get', 'watch'], ['pods', 'nodes'])])).toEqual([
      rule(['get'], ['nodes']),
      rule(['watch'], ['pods']),
      rule(['watch'], ['nodes']),
    ]);
    expect(uncoveredRules(owned, [rule(['update'], ['x/scale'])])).toEqual([]);
    expect(uncoveredRules([rule(['get'], ['pods'], { resourceNames: ['a'] })], owned)).toHaveLength(
      4,
    );
    expect(uncoveredRules([rule(['*'], ['*'])], [rule(['get'], ['*'])])).toEqual([]);
  });
});

describe('subjects', () => {
  const user = { username: 'system:serviceaccount:shop:web', groups: ['a', 'b'] };
  it.each<[RbacSubject, boolean]>([
    [{ kind: 'User', name: user.username }, true],
    [{ kind: 'User', name: 'a' }, false],
    [{ kind: 'Group', name: 'b' }, true],
    [{ kind: 'Group', name: user.username }, false],
    [{ kind: 'ServiceAccount', name: 'web', namespace: 'shop' }, true],
    [{ kind: 'ServiceAccount', name: 'web', namespace: 'x' }, false],
    [{ kind: 'ServiceAccount', name: 'web' }, true],
    [{ kind: 'Robot', name: user.username }, false],
  ])('%j: %s', (subject, meant) => {
    expect(subjectIs(subject, user, 'shop')).toBe(meant);
  });

  it('without any namespace mean no service account', () => {
    expect(subjectIs({ kind: 'ServiceAccount', name: 'web' }, user, undefined)).toBe(false);
  });
});

describe('roles and bindings', () => {
  it('refuse rules that say too little or too much', () => {
    const texts = validateRules([{ verbs: [] }, paths('/x'), rule(['get'], ['pods'])], true);
    expect(texts.map(({ field }) => field)).toEqual([
      'rules[0].verbs',
      'rules[0].apiGroups',
      'rules[0].resources',
      'rules[1].nonResourceURLs',
    ]);
    expect(validateRules([paths('/x')], false)).toEqual([]);
    expect(validateRules([{ ...paths('/x'), resources: ['pods'] }], false)).toHaveLength(1);
  });

  it('may have names with colons but no slashes', () => {
    for (const definition of [roleDefinition, clusterRoleDefinition, roleBindingDefinition]) {
      expect(definition.validateName?.('system:x')).toBeUndefined();
      expect(definition.validateName?.('a/b')).toBe("may not contain '/'");
    }
  });

  const aBinding = (more: Partial<RoleBinding> = {}): RoleBinding => {
    const binding: RoleBinding = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'b', namespace: 'shop' },
      roleRef: { kind: 'ClusterRole', name: 'view' },
      subjects: [
        { kind: 'User', name: 'me' },
        { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
      ],
      ...more,
    };
    roleBindingDefinition.defaults?.(binding);
    return binding;
  };
  const fields = (binding: RoleBinding, old?: RoleBinding) =>
    roleBindingDefinition.validate?.(binding, old).map(({ field }) => field);

  it('get their groups filled in', () => {
    expect(aBinding()).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount' }],
    });
    expect(fields(aBinding())).toEqual([]);
  });

  it('never change what they refer to', () => {
    const other = aBinding({ roleRef: { kind: 'ClusterRole', name: 'edit' } });
    expect(fields(other, aBinding())).toEqual(['roleRef']);
    expect(fields(aBinding({ subjects: [] }), aBinding())).toEqual([]);
  });

  it('refuse subjects that are nobody', () => {
    const subjects = [
      { kind: 'User', name: '' },
      { kind: 'Robot', name: 'x' },
      { kind: 'ServiceAccount', name: 'X_' },
    ];
    expect(fields(aBinding({ subjects }))).toEqual([
      'subjects[0].name',
      'subjects[1].kind',
      'subjects[2].name',
      'subjects[2].namespace',
    ]);
    const roleRef = { kind: 'Robot', name: '' };
    expect(fields(aBinding({ roleRef }))).toEqual(['roleRef.kind', 'roleRef.name']);
  });

  it('show whom they mean', () => {
    const cells = roleBindingDefinition.columns.map((column) => column.value(aBinding(), 0));
    expect(cells).toEqual(['b', 'ClusterRole/view', '<unknown>', 'me', '', 'shop/web']);
  });
});

describe('bootstrap roles', () => {
  const rulesOf = (name: string) =>
    bootstrapClusterRoles.find(({ metadata }) => metadata.name === name)?.rules ?? [];

  it('are valid, and so are their bindings', () => {
    for (const role of bootstrapClusterRoles) {
      expect(clusterRoleDefinition.validate?.(role, undefined)).toEqual([]);
    }
    const names = new Set(bootstrapClusterRoles.map(({ metadata }) => metadata.name));
    for (const binding of bootstrapClusterRoleBindings) {
      expect(clusterRoleBindingDefinition.validate?.(binding, undefined)).toEqual([]);
      expect(names).toContain(binding.roleRef.name);
    }
  });

  it.each<[string, string, string, string, boolean]>([
    ['cluster-admin', 'anything', 'any/thing', 'any', true],
    ['system:node', 'create', 'nodes/samples', 'metrics.k8s.io', true],
    ['system:node', 'patch', 'pods/status', '', true],
    ['system:node', 'watch', 'endpointslices', 'discovery.k8s.io', true],
    ['system:node', 'update', 'leases', 'coordination.k8s.io', true],
    ['system:node', 'update', 'deployments', 'apps', false],
    ['system:node', 'update', 'secrets', '', false],
    ['system:kube-scheduler', 'create', 'pods/binding', '', true],
    ['system:kube-scheduler', 'get', 'secrets', '', false],
    ['system:kube-scheduler', 'create', 'tokenreviews', 'authentication.k8s.io', true],
    ['system:kube-controller-manager', 'create', 'pods', '', true],
    ['system:kube-controller-manager', 'update', 'deployments/scale', 'apps', true],
    ['system:kube-controller-manager', 'delete', 'widgets', 'example.com', true],
    [
      'system:kube-controller-manager',
      'create',
      'clusterrolebindings',
      'rbac.authorization.k8s.io',
      false,
    ],
    ['system:node-proxier', 'watch', 'endpointslices', 'discovery.k8s.io', true],
    ['system:persistent-volume-provisioner', 'create', 'persistentvolumes', '', true],
    [
      'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
      'create',
      'certificatesigningrequests/nodeclient',
      'certificates.k8s.io',
      true,
    ],
    ['view', 'list', 'pods', '', true],
    ['view', 'get', 'secrets', '', false],
    ['view', 'delete', 'pods', '', false],
    ['edit', 'update', 'deployments', 'apps', true],
    ['edit', 'get', 'secrets', '', true],
    ['edit', 'create', 'pods/proxy', '', true],
    ['edit', 'get', 'services/proxy', '', true],
    ['edit', 'get', 'nodes/proxy', '', false],
    ['edit', 'patch', 'pods/ephemeralcontainers', '', false],
    ['view', 'get', 'services/proxy', '', false],
    ['edit', 'create', 'roles', 'rbac.authorization.k8s.io', false],
    ['view', 'watch', 'jobs', 'batch', true],
    ['view', 'get', 'statefulsets/status', 'apps', true],
    ['view', 'list', 'resourcequotas', '', true],
    ['view', 'create', 'cronjobs', 'batch', false],
    ['edit', 'create', 'jobs', 'batch', true],
    ['edit', 'update', 'statefulsets/scale', 'apps', true],
    ['edit', 'delete', 'persistentvolumeclaims', '', true],
    ['edit', 'create', 'poddisruptionbudgets', 'policy', true],
    ['edit', 'update', 'jobs/status', 'batch', false],
    ['admin', 'create', 'resourcequotas', '', false],
    ['admin', 'create', 'limitranges', '', false],
    ['admin', 'create', 'persistentvolumes', '', false],
    ['system:kube-scheduler', 'watch', 'persistentvolumes', '', true],
    ['admin', 'create', 'roles', 'rbac.authorization.k8s.io', true],
    ['system:basic-user', 'create', 'selfsubjectreviews', 'authentication.k8s.io', true],
  ])('%s may %s %s in %j: %s', (...[role, verb, resource, group, allowed]) => {
    const request = on(verb, resource, { group, name: 'x' });
    expect(rulesAllow(rulesOf(role), request)).toBe(allowed);
  });

  it('let anybody ask for health and version, and known users for discovery', () => {
    const get = (role: string, path: string) => rulesAllow(rulesOf(role), { verb: 'get', path });
    expect(get('system:public-info-viewer', '/readyz')).toBe(true);
    expect(get('system:public-info-viewer', '/apis')).toBe(false);
    expect(get('system:public-info-viewer', '/metrics')).toBe(false);
    for (const path of ['/metrics', '/readyz/etcd', '/livez'])
      expect(get('system:monitoring', path)).toBe(true);
    expect(get('system:monitoring', '/version')).toBe(false);
    expect(get('system:discovery', '/openapi/v3')).toBe(true);
  });
});

describe('roles for programs that come with others', () => {
  const rulesOf = (name: string) =>
    bootstrapClusterRoles.find(({ metadata }) => metadata.name === name)?.rules ?? [];
  /** A verb, a resource with its group, and a name. */
  type Right = readonly [verb: string, resource: string, group?: string, name?: string];
  const allows = (rules: readonly PolicyRule[], [verb, resource, group = '', name = 'x']: Right) =>
    rulesAllow(rules, on(verb, resource, { group, name }));

  const CERTIFICATES = 'certificates.k8s.io';
  const approving = (signer: string): Right => [
    'approve',
    'signers',
    CERTIFICATES,
    `kubernetes.io/${signer}`,
  ];
  const asking = (which: string): Right => [
    'create',
    `certificatesigningrequests/${which}`,
    CERTIFICATES,
  ];
  const HELPERS: readonly (readonly [name: string, may: Right, mayNot: Right])[] = [
    ...['kube-apiserver-client', 'kube-apiserver-client-kubelet', 'legacy-unknown'].map(
      (signer) =>
        [
          `system:${CERTIFICATES}:${signer}-approver`,
          approving(signer),
          approving('kubelet-serving'),
        ] as const,
    ),
    [
      `system:${CERTIFICATES}:kubelet-serving-approver`,
      approving('kubelet-serving'),
      ['sign', 'signers', CERTIFICATES, 'kubernetes.io/kubelet-serving'],
    ],
    [
      `system:${CERTIFICATES}:certificatesigningrequests:nodeclient`,
      asking('nodeclient'),
      asking('selfnodeclient'),
    ],
    [
      `system:${CERTIFICATES}:certificatesigningrequests:selfnodeclient`,
      asking('selfnodeclient'),
      asking('nodeclient'),
    ],
    [
      'system:node-bootstrapper',
      ['create', 'certificatesigningrequests', CERTIFICATES],
      asking('nodeclient'),
    ],
    ['system:node-problem-detector', ['patch', 'nodes/status'], ['patch', 'nodes']],
    ['system:node-proxier', ['watch', 'endpointslices', 'discovery.k8s.io'], ['get', 'services']],
    ['system:kube-aggregator', ['get', 'services'], ['update', 'services']],
    ['system:kube-dns', ['list', 'endpoints'], ['get', 'endpoints']],
    [
      'system:persistent-volume-provisioner',
      ['delete', 'persistentvolumes'],
      ['delete', 'persistentvolumeclaims'],
    ],
    ['system:volume-scheduler', ['update', 'persistentvolumes'], ['create', 'persistentvolumes']],
  ];

  it.each(HELPERS)('%s: may %j, and may not %j', (name, may, mayNot) => {
    expect([allows(rulesOf(name), may), allows(rulesOf(name), mayNot)]).toEqual([true, false]);
  });

  it('are all asked above', () => {
    const all = helperClusterRoles.map(({ metadata }) => metadata.name ?? '');
    expect(HELPERS.map(([name]) => name).toSorted()).toEqual(all.toSorted());
  });

  it.each<[string, Right, Right]>([
    [
      'system:kube-proxy',
      ['watch', 'servicecidrs', 'networking.k8s.io'],
      ['update', 'services/status'],
    ],
    ['system:kube-scheduler', ['update', 'persistentvolumes'], ['delete', 'persistentvolumes']],
  ])('are bound to %s: may %j, and may not %j', (username, may, mayNot) => {
    const user = { username, groups: [] };
    expect(bootstrapClusterRoleBindings).toEqual(
      expect.arrayContaining([...helperClusterRoleBindings]),
    );
    const rules = helperClusterRoleBindings
      .filter(({ subjects = [] }) => subjects.some((each) => subjectIs(each, user, undefined)))
      .flatMap(({ roleRef }) => rulesOf(roleRef.name));
    expect([allows(rules, may), allows(rules, mayNot)]).toEqual([true, false]);
  });
});
