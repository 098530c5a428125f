// Rules of what confines a pod and its containers: profiles, settings of the kernel, users of its own, /proc. Wordings are those API clients know.
// Invariant: each rule is asked where the field stands, in the pod's security context and in each container's alike.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts';
import type { Container, PodSpec } from '../generated/types.ts';
import { oneOf, requiredOneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { localPath } from './volume-validation.ts';

type Profile = NonNullable<NonNullable<PodSpec['securityContext']>['seccompProfile']>;

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const PROFILES = ['seccompProfile', 'appArmorProfile'] as const;
const KINDS = { seccompProfile: 'seccomp type', appArmorProfile: 'AppArmor type' } as const;

/** Rules of a pod and all its containers. */
export function validateConfinement(spec: PodSpec, path: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;
  const containers = gather(lists, (list) =>
    gather(spec[list], (container, i) =>
      validateContainer(container, spec, `${path}.${list}[${i}]`),
    ),
  );
  return [
    ...validateProfiles(context, at),
    ...oneOf(
      context.supplementalGroupsPolicy,
      ['Merge', 'Strict'],
      `${at}.supplementalGroupsPolicy`,
    ),
    ...validateSysctls(context.sysctls ?? [], `${at}.sysctls`),
    ...(spec.hostUsers === false ? validateOwnUsers(spec, path) : []),
    ...containers,
  ];
}

function validateContainer(
  { securityContext = {}, volumeDevices = [] }: Container,
  { hostUsers }: PodSpec,
  path: string,
): FieldError[] {
  const at = `${path}.securityContext`;
  const { procMount, allowPrivilegeEscalation, capabilities } = securityContext;
  const errors = validateProfiles(securityContext, at);
  if (procMount === 'Unmasked' && hostUsers !== false)
    errors.push(
      invalidValue(`${at}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'),
    );
  if (allowPrivilegeEscalation === false && capabilities?.add?.includes('CAP_SYS_ADMIN'))
    errors.push(
      invalidValue(
        at,
        securityContext,
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      ),
    );
  if (hostUsers === false && volumeDevices.length > 0)
    errors.push(forbiddenField(`${path}.volumeDevices`, WHEN_OWN_USERS));
  return errors;
}

type Profiles = { readonly [Field in keyof typeof KINDS]?: Profile | undefined };

function validateProfiles(context: Profiles, path: string): FieldError[] {
  return gather(PROFILES, (field) => {
    const profile = context[field];
    return profile ? validateProfile(profile, `${path}.${field}`, KINDS[field]) : [];
  });
}

function validateProfile(
  { type, localhostProfile: file }: Profile,
  path: string,
  kind: string,
): FieldError[] {
  const at = `${path}.localhostProfile`;
  const errors = requiredOneOf(type, PROFILE_TYPES, `${path}.type`);
  if (type !== 'Localhost')
    return file === undefined
      ? errors
      : [...errors, invalidValue(at, file, `can only be set when ${kind} is Localhost`)];
  if (!file) return [...errors, required(at, `must be set when ${kind} is Localhost`)];
  return kind === KINDS.seccompProfile ? [...errors, ...localPath(file, at)] : errors;
}

const SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SYSCTL = `(${SEGMENT}[\\./])*${SEGMENT}`;
const SYSCTL_NAME = new RegExp(`^${SYSCTL}$`);
const MAX_SYSCTL = 253;

function validateSysctls(
  sysctls: readonly { readonly name?: string }[],
  path: string,
): FieldError[] {
  const names = sysctls.map(({ name }) => name ?? '');
  const twice = repeats(names);
  return gather(names, (name, i) => {
    const at = `${path}[${i}].name`;
    if (name === '') return [required(at)];
    if (name.length > MAX_SYSCTL || !SYSCTL_NAME.test(name))
      return [
        invalidValue(
          at,
          name,
          `must have at most ${MAX_SYSCTL} characters and match regex ${SYSCTL}`,
        ),
      ];
    return twice.has(i) ? [duplicate(at, name)] : [];
  });
}

const WHEN_OWN_USERS = 'when `hostUsers` is false';

/** Namespaces of the host do not go with users of the pod's own. */
function validateOwnUsers(spec: PodSpec, path: string): FieldError[] {
  return gather(['hostNetwork', 'hostPID', 'hostIPC'] as const, (field) =>
    spec[field] ? [forbiddenField(`${path}.${field}`, WHEN_OWN_USERS)] : [],
  );
}
