// From the security contexts of a pod and its container to what the runtime is told. Pure.
// Invariant: what a container says itself counts more than what its pod says; nothing that is not said confines less than upstream does.
import { join, normalize } from 'node:path';
import type { Container, PodSpec } from '../../api/generated/types.ts';
import type { ContainerSecurity, SeccompChoice } from '../runtime/runtime.ts';
import { ConfigError } from '../volumes/volume-error.ts';

/** What it rests on besides the pod. */
export interface SecurityFacts {
  /** Folder of the host that localhostProfile names files in. */
  readonly seccompProfiles: string;
  readonly configuration: { readonly seccompDefault: boolean };
}

type Security = NonNullable<Container['securityContext']>;
type PodSecurity = NonNullable<PodSpec['securityContext']>;
type Profile = NonNullable<Security['seccompProfile']>;

/** What the runtime is told. Throws ConfigError for a profile outside of the node's folder. */
export function securityOf(
  container: Container,
  spec: PodSpec,
  facts: SecurityFacts,
): ContainerSecurity {
  const own = {
    ...defined(spec.securityContext ?? {}),
    ...defined(container.securityContext ?? {}),
  };
  const { privileged = false, capabilities = {}, procMount } = own;
  return {
    ...identityOf(own, spec.securityContext ?? {}),
    privileged,
    readOnlyRootfs: own.readOnlyRootFilesystem ?? false,
    addCapabilities: capabilities.add ?? [],
    dropCapabilities: capabilities.drop ?? [],
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    ...(procMount === 'Unmasked' && { procMount }),
    ...(privileged ? { seccomp: 'Unconfined' } : profilesOf(own, facts)),
  };
}

type Identity = Pick<
  ContainerSecurity,
  'runAsUser' | 'runAsGroup' | 'supplementalGroups' | 'supplementalGroupsPolicy'
>;

function identityOf(
  { runAsUser, runAsGroup }: Security,
  { supplementalGroups = [], fsGroup, supplementalGroupsPolicy: policy }: PodSecurity,
): Identity {
  return {
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: [...supplementalGroups, ...(fsGroup === undefined ? [] : [fsGroup])],
    ...(policy === 'Strict' && { supplementalGroupsPolicy: policy }),
  };
}

function profilesOf(
  { seccompProfile, appArmorProfile }: Security,
  facts: SecurityFacts,
): Pick<ContainerSecurity, 'seccomp' | 'appArmor'> {
  return {
    seccomp: seccompOf(seccompProfile, facts),
    ...(appArmorProfile && { appArmor: profileOf(appArmorProfile, (name) => name) }),
  };
}

function seccompOf(profile: Profile | undefined, facts: SecurityFacts): SeccompChoice {
  if (!profile) return facts.configuration.seccompDefault ? 'RuntimeDefault' : 'Unconfined';
  return profileOf(profile, (name) => {
    if (normalize(name).startsWith('..') || name.startsWith('/'))
      throw new ConfigError(
        'CreateContainerConfigError',
        `seccomp profile "${name}" does not lie in the node's folder of profiles, ${facts.seccompProfiles}`,
      );
    return join(facts.seccompProfiles, name);
  });
}

function profileOf(profile: Profile, local: (name: string) => string): SeccompChoice {
  if (profile.type === 'Localhost')
    return { localhostProfile: local(profile.localhostProfile ?? '') };
  return profile.type === 'RuntimeDefault' ? 'RuntimeDefault' : 'Unconfined';
}

function defined(context: Security | PodSecurity): Security {
  return Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined));
}
