// Tests of the rules of what confines pods.
import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../generated/types.ts';
import { validateConfinement } from './confinement-validation.ts';

const main = { name: 'main', image: 'i' };
const said = (spec: object) =>
  validateConfinement({ containers: [main], ...spec } as PodSpec, 'spec').map(
    ({ field, message }) => `${field}: ${message}`,
  );
const ofPod = (securityContext: object) => said({ securityContext });
const ofContainer = (securityContext: object, spec: object = {}) =>
  said({ containers: [{ ...main, securityContext }], ...spec });

describe('profiles', () => {
  it.each(['RuntimeDefault', 'Unconfined'])('of type %s need no more', (type) => {
    expect(ofPod({ seccompProfile: { type }, appArmorProfile: { type } })).toEqual([]);
  });

  it('of the host need a name, which for seccomp is a path below a folder', () => {
    const local = (localhostProfile?: string) => ({ type: 'Localhost', localhostProfile });
    expect(ofPod({ seccompProfile: local('team/a.json'), appArmorProfile: local('a') })).toEqual(
      [],
    );
    expect(ofPod({ seccompProfile: local() })).toEqual([
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ]);
    expect(ofContainer({ seccompProfile: local('../a') })[0]).toMatch(
      /^spec\.containers\[0\]\.securityContext\.seccompProfile\.localhostProfile: .*must not contain '\.\.'/,
    );
    expect(ofPod({ seccompProfile: local('/a') })[0]).toMatch(/must be a relative path/);
    const init = { ...main, securityContext: { appArmorProfile: local() } };
    expect(said({ initContainers: [init] })[0]).toMatch(/^spec\.initContainers\[0\]\..*AppArmor/);
  });

  it('of other types have no name, and there are no other types', () => {
    const named = { type: 'Unconfined', localhostProfile: 'a' };
    expect(ofPod({ seccompProfile: named })[0]).toMatch(/can only be set when seccomp type/);
    expect(ofPod({ appArmorProfile: { type: 'Strict' } })[0]).toMatch(/Unsupported value/);
    expect(ofPod({ seccompProfile: {} })[0]).toMatch(/type: Required value/);
  });
});

describe('settings of the kernel', () => {
  const names = (...list: string[]) =>
    ofPod({ sysctls: list.map((name) => ({ name, value: '1' })) });

  it('have names with dots or slashes, each once', () => {
    expect(names('net.ipv4.tcp_syncookies', 'kernel/shm_rmid_forced')).toEqual([]);
    expect(names('a.b', 'a.b')).toEqual([
      'spec.securityContext.sysctls[1].name: Duplicate value: "a.b"',
    ]);
    for (const bad of ['A.b', 'a..b', '-a', `a${'b'.repeat(253)}`])
      expect(names(bad)[0]).toMatch(/must have at most 253 characters/);
    expect(names('')[0]).toMatch(/Required value/);
  });
});

describe('users of a pod’s own', () => {
  it('go with no namespace of the host and no block device', () => {
    expect(said({ hostUsers: false, shareProcessNamespace: true })).toEqual([]);
    const host = { hostNetwork: true, hostPID: true, hostIPC: true };
    expect(said(host)).toEqual([]);
    expect(said({ ...host, hostUsers: false })).toEqual([
      'spec.hostNetwork: Forbidden: when `hostUsers` is false',
      'spec.hostPID: Forbidden: when `hostUsers` is false',
      'spec.hostIPC: Forbidden: when `hostUsers` is false',
    ]);
    const disk = { ...main, volumeDevices: [{ name: 'd', devicePath: '/dev/d' }] };
    expect(said({ hostUsers: false, containers: [disk] })[0]).toMatch(/volumeDevices: Forbidden/);
  });

  it('are what an unmasked /proc needs', () => {
    expect(ofContainer({ procMount: 'Unmasked' }, { hostUsers: false })).toEqual([]);
    expect(ofContainer({ procMount: 'Unmasked' })[0]).toMatch(/`hostUsers` must be false/);
    expect(ofContainer({ procMount: 'Default' })).toEqual([]);
  });
});

it('CAP_SYS_ADMIN is more than a container without privilege escalation may have', () => {
  const add = ['CAP_SYS_ADMIN'];
  expect(ofContainer({ capabilities: { add } })).toEqual([]);
  expect(ofContainer({ capabilities: { add }, allowPrivilegeEscalation: false })[0]).toMatch(
    /CAP_SYS_ADMIN/,
  );
  expect(ofPod({ supplementalGroupsPolicy: 'Some' })[0]).toMatch(/Unsupported value/);
});
