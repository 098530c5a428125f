// Tests of what a node refuses.
import { describe, expect, it } from 'vitest';
import type { Pod, PodSpec } from '../../api/generated/types.ts';
import { aContainer, anAdmission, aPod } from './fixtures/pod-scenes.ts';
import { type AdmissionFacts, refusalOf } from './node-admission.ts';

const asking = (cpu: string, parts: Partial<PodSpec> = {}) =>
  aPod({ containers: [aContainer('app', { resources: { requests: { cpu } } })], ...parts });

const node = {
  allocatable: { cpuMillis: 2000, memoryBytes: 1000, storageBytes: 1000 },
  cpuMillis: 2000,
  memoryBytes: 2000,
  storageBytes: 2000,
  maxPods: 3,
  podPidsLimit: undefined,
};

const refused = (spec: Partial<PodSpec>, others = [asking('1500m')]) =>
  refusedBy(aPod(spec), { others });

const refusedBy = (pod: Pod, facts: Partial<AdmissionFacts>) =>
  refusalOf(pod, { ...anAdmission(node), nodeLabels: { zone: 'a', cores: '4' }, ...facts });

const affinity = (key: string, operator: string, values: string[] = []): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
      },
    },
  },
});

describe('a node', () => {
  it('takes what fits', () => {
    expect(refused(asking('500m').spec ?? {})).toBeUndefined();
    expect(refused({ nodeSelector: { zone: 'a' } })).toBeUndefined();
  });

  it('refuses what asks for more than is left, with the figures', () => {
    expect(refused(asking('501m').spec ?? {})).toEqual({
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 501, used: 1500, capacity: 2000",
    });
    expect(refused({}, [aPod(), aPod(), aPod()])?.reason).toBe('OutOfpods');
  });

  it('refuses what is meant for other nodes', () => {
    expect(refused({ nodeSelector: { zone: 'b' } })?.reason).toBe('NodeAffinity');
  });

  it.each([
    { key: 'zone', operator: 'In', values: ['a', 'b'], fits: true },
    { key: 'zone', operator: 'NotIn', values: ['a'], fits: false },
    { key: 'none', operator: 'NotIn', values: ['a'], fits: true },
    { key: 'zone', operator: 'Exists', values: [], fits: true },
    { key: 'none', operator: 'Exists', values: [], fits: false },
    { key: 'none', operator: 'DoesNotExist', values: [], fits: true },
    { key: 'cores', operator: 'Gt', values: ['3'], fits: true },
    { key: 'cores', operator: 'Lt', values: ['4'], fits: false },
    { key: 'zone', operator: 'Odd', values: [], fits: false },
  ])('weighs $key $operator $values: $fits', ({ key, operator, values, fits }) => {
    expect(refused(affinity(key, operator, values)) === undefined).toBe(fits);
  });

  it('names room before place, as upstream', () => {
    expect(refused({ ...asking('501m').spec, nodeSelector: { zone: 'b' } })?.reason).toBe(
      'OutOfcpu',
    );
  });

  it.each([
    ['memory', '1Ki', 'OutOfmemory'],
    ['ephemeral-storage', '2Ki', 'OutOfephemeral-storage'],
    ['hugepages-2Mi', '2Mi', 'OutOfhugepages-2Mi'],
    ['example.com/gpu', '1', undefined],
  ])('has only so much %s', (resource, amount, reason) => {
    const resources = { requests: { [resource]: amount } };
    const spec = { containers: [aContainer('app', { resources })] };
    expect(refused(spec)?.reason).toBe(reason);
  });

  it.each([
    [{ hostPort: 80 }, 'NodePorts'],
    [{ hostPort: 80, hostIP: '10.0.0.1' }, 'NodePorts'],
    [{ hostPort: 80, protocol: 'UDP' }, undefined],
    [{ hostPort: 81 }, undefined],
    [{}, undefined],
  ])('gives a port of its own once: %o', (port, reason) => {
    const withPort = (more: object) =>
      aPod({ containers: [aContainer('app', { ports: [{ containerPort: 80, ...more }] })] });
    const verdict = refusedBy(withPort(port), { others: [withPort({ hostPort: 80 })] });
    expect(verdict?.reason).toBe(reason);
    if (verdict)
      expect(verdict.message).toBe(
        "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
      );
  });

  it('refuses pods of other systems', () => {
    expect(refused({ os: { name: 'windows' } })).toEqual({
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    });
    const pod = aPod();
    const labelled = { ...pod, metadata: { labels: { 'kubernetes.io/os': 'windows' } } };
    expect(refusedBy(labelled, {})?.reason).toBe('PodOSSelectorNodeLabelDoesNotMatch');
  });

  it('enforces no AppArmor where the host has none, and says so', () => {
    const spec = { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } };
    expect(refused(spec)).toEqual({
      reason: 'AppArmor',
      message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
    });
    expect(refusedBy(aPod(spec), { hasAppArmor: true })).toBeUndefined();
    expect(
      refused({ securityContext: { appArmorProfile: { type: 'Unconfined' } } }),
    ).toBeUndefined();
  });

  it('takes no more pods while it shuts down', () => {
    expect(refusedBy(aPod(), { isShuttingDown: true })).toEqual({
      reason: 'NodeShutdown',
      message: 'Pod was rejected as the node is shutting down.',
    });
  });

  it('drives off static pods by its NoExecute taints, and leaves others to the controller', () => {
    const nodeTaints = [{ key: 'gone', effect: 'NoExecute' }];
    expect(refusedBy(aPod(), { nodeTaints })).toBeUndefined();
    const annotations = { 'kubernetes.io/config.source': 'file' };
    const ofFile = { ...aPod(), metadata: { annotations } };
    expect(refusedBy(ofFile, { nodeTaints })?.reason).toBe('TaintToleration');
  });
});

describe('a node under pressure', () => {
  const MEMORY = ['MemoryPressure'] as const;

  it('takes no pod that asks for nothing, when it is short of memory', () => {
    expect(refusedBy(aPod(), { pressures: MEMORY })).toEqual({
      reason: 'Evicted',
      message: 'The node had condition: [MemoryPressure]. ',
    });
    expect(refusedBy(asking('1m'), { pressures: MEMORY })).toBeUndefined();
    const key = 'node.kubernetes.io/memory-pressure';
    const tolerations = [{ key, operator: 'Exists', effect: 'NoSchedule' }];
    expect(refusedBy(aPod({ tolerations }), { pressures: MEMORY })).toBeUndefined();
  });

  it('takes none at all when it is short of anything else, but what the cluster lives by', () => {
    expect(refusedBy(asking('1m'), { pressures: ['DiskPressure'] })?.reason).toBe('Evicted');
    expect(refusedBy(asking('1m'), { pressures: ['MemoryPressure', 'PIDPressure'] })?.message).toBe(
      'The node had condition: [MemoryPressure PIDPressure]. ',
    );
    const critical = aPod({ priority: 2_000_000_000 });
    expect(refusedBy(critical, { pressures: ['DiskPressure'] })).toBeUndefined();
  });
});

describe('sysctls', () => {
  const asked = (name: string, more: Partial<PodSpec> = {}) =>
    aPod({ securityContext: { sysctls: [{ name, value: '1' }] }, ...more });

  it.each([
    ['net.ipv4.tcp_syncookies', [], true],
    ['net/ipv4/tcp_syncookies', [], true],
    ['net.core.somaxconn', [], false],
    ['net.core.somaxconn', ['net.core.*'], true],
    ['net.core.somaxconn', ['net.core.somaxconn'], true],
    ['net.ipv4.conf.eth0/1.arp', ['net.ipv4.conf.*'], true],
    ['vm.swappiness', ['vm.*'], false],
  ])('%s is refused unless it is safe, or allowed by %j: %s', (name, allowedSysctls, taken) => {
    const verdict = refusedBy(asked(name), { allowedSysctls });
    expect(verdict === undefined).toBe(taken);
    if (verdict)
      expect(verdict).toEqual({
        reason: 'SysctlForbidden',
        message: `forbidden sysctl: "${name}" not allowlisted`,
      });
  });

  it('are not set in namespaces of the host', () => {
    expect(refusedBy(asked('net.ipv4.tcp_syncookies', { hostNetwork: true }), {})?.message).toBe(
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
    );
    expect(refusedBy(asked('kernel.shm_rmid_forced', { hostIPC: true }), {})?.message).toBe(
      'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
    );
    expect(refusedBy(asked('kernel.shm_rmid_forced', { hostNetwork: true }), {})).toBeUndefined();
  });
});
