// What RoleBindings and ClusterRoleBindings share: defaults, rules, columns.
// Invariant: what a binding refers to never changes; make another binding instead.
import type { Column } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { invalidValue, notSupported, required } from '../field-error.ts';
import type { RbacSubject, RoleRef } from '../generated/types.ts';
import { ageColumn, nameColumn, text, wide } from '../meta/columns.ts';
import { deepEqual } from '../meta/deep-equal.ts';
import { dnsLabel, dnsSubdomain, pathSegmentName } from '../meta/names.ts';
import type { KubeObject } from '../meta/object.ts';

/** The group of roles, and of users and groups as subjects. */
export const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** The fields that both kinds have. */
export interface BindingShape extends KubeObject {
  roleRef: RoleRef;
  subjects?: RbacSubject[] | undefined;
}

/** Fills in API groups. */
export function defaultBinding({ roleRef, subjects }: BindingShape): void {
  if (roleRef) roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP;
  }
}

/** Rules of a binding; `roleKinds` are those it may refer to. */
export function validateBinding(
  binding: BindingShape,
  old: BindingShape | undefined,
  roleKinds: readonly string[],
): FieldError[] {
  return [
    ...validateRef(binding.roleRef ?? {}, roleKinds),
    ...(old === undefined || deepEqual(binding.roleRef, old.roleRef)
      ? []
      : [invalidValue('roleRef', binding.roleRef, 'cannot change roleRef')]),
    ...(binding.subjects ?? []).flatMap((subject, i) => validateSubject(subject, `subjects[${i}]`)),
  ];
}

function validateRef(ref: Partial<RoleRef>, roleKinds: readonly string[]): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = ref;
  const errors: FieldError[] = [];
  if (apiGroup !== RBAC_GROUP) {
    errors.push(notSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  }
  if (!roleKinds.includes(kind)) errors.push(notSupported('roleRef.kind', kind, roleKinds));
  if (name === '') return [...errors, required('roleRef.name')];
  const why = pathSegmentName(name);
  return why === undefined ? errors : [...errors, invalidValue('roleRef.name', name, why)];
}

function validateSubject(subject: RbacSubject, path: string): FieldError[] {
  const { kind, name, apiGroup = '', namespace = '' } = subject;
  const errors: FieldError[] = name ? [] : [required(`${path}.name`)];
  if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== RBAC_GROUP) {
      errors.push(notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP]));
    }
    return errors;
  }
  if (kind !== 'ServiceAccount') {
    const known = ['ServiceAccount', 'User', 'Group'];
    return [...errors, notSupported(`${path}.kind`, kind ?? '', known)];
  }
  const badName = name ? dnsSubdomain(name) : undefined;
  if (badName !== undefined) errors.push(invalidValue(`${path}.name`, name, badName));
  if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
  const badPlace = dnsLabel(namespace);
  if (namespace === '') errors.push(required(`${path}.namespace`));
  else if (badPlace !== undefined) {
    errors.push(invalidValue(`${path}.namespace`, namespace, badPlace));
  }
  return errors;
}

/** Columns of bindings. */
export const bindingColumns: readonly Column<BindingShape>[] = [
  nameColumn,
  text('Role', 'What it grants.', ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`),
  ageColumn,
  wide('Users', 'Users it grants that to.', (binding) => namesOf(binding, 'User')),
  wide('Groups', 'Groups it grants that to.', (binding) => namesOf(binding, 'Group')),
  wide('ServiceAccounts', 'Service accounts it grants that to.', (binding) =>
    namesOf(binding, 'ServiceAccount'),
  ),
];

function namesOf({ subjects = [] }: BindingShape, kind: string): string {
  return (subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(({ namespace, name }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
    .join(', ');
}
