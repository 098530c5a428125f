// The Node as its agent tells it: rows, features and names as upstream shows them.
import { expect, it } from 'vitest';
import { createRecordingSystem } from '../../system/recording.ts';
import { resolveConfiguration } from '../configuration.ts';
import type { ImageInfo } from '../runtime/runtime.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { nodeFactsOf } from './node-capacity.ts';
import { type NodeObjectFacts, nodeStatus } from './node-object.ts';

const GIB = 2 ** 30;

const host: HostFacts = {
  cpus: 2,
  memoryBytes: 8 * GIB,
  storageBytes: 100 * GIB,
  hugePages: { 'hugepages-1Gi': 0, 'hugepages-2Mi': GIB },
  swapBytes: GIB,
  hasAppArmor: false,
  architecture: 'amd64',
  kernelVersion: '6.1',
  osImage: 'Debian',
  machineId: 'm',
  bootId: 'b',
  systemUuid: 's',
};

function statusWith(parts: Partial<NodeObjectFacts>) {
  const facts: NodeObjectFacts = {
    name: 'node-1',
    ip: '10.0.0.1',
    labels: {},
    taints: [],
    podCidr: '10.244.0.0/24',
    serverPort: 10_250,
    host,
    node: nodeFactsOf(host, resolveConfiguration()),
    runtimeVersion: 'pinnace://1.1.5',
    agentVersion: 'v1.36.0',
    images: [],
    features: undefined,
    problem: undefined,
    pressures: [],
    nowMs: 0,
    ...parts,
  };
  return nodeStatus(facts, undefined);
}

const anImage = (id: string, sizeBytes: number, parts: Partial<ImageInfo> = {}): ImageInfo => ({
  id,
  names: [`${id}:1`],
  repoDigests: [],
  sizeBytes,
  entrypoint: [],
  cmd: [],
  env: [],
  workingDir: '/',
  user: '',
  stopSignal: undefined,
  ...parts,
});

it('has a row for each size of huge pages, whose memory is for nobody else', () => {
  const { capacity, allocatable, nodeInfo } = statusWith({});
  expect(capacity).toMatchObject({ memory: '8Gi', 'hugepages-1Gi': '0', 'hugepages-2Mi': '1Gi' });
  expect(allocatable).toMatchObject({ memory: '7068Mi', 'hugepages-2Mi': '1Gi' });
  expect(nodeInfo?.swap).toEqual({ capacity: GIB });
});

it('tells what its runtime can do, and nothing where that cannot say', () => {
  const features = {
    userNamespaces: true,
    recursiveReadOnlyMounts: false,
    supplementalGroupsPolicy: true,
  };
  expect(statusWith({ features })).toMatchObject({
    runtimeHandlers: [
      { name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: true } },
    ],
    features: { supplementalGroupsPolicy: true },
  });
  expect(statusWith({})).not.toHaveProperty('runtimeHandlers');
});

it('lists its fifty largest images by their digests and names', () => {
  const many = Array.from({ length: 60 }, (_, i) => anImage(`i${i}`, i));
  const { images = [] } = statusWith({
    images: [...many, anImage('big', 1000, { repoDigests: ['reg/big@sha256:1'] })],
  });
  expect(images).toHaveLength(50);
  expect(images[0]).toEqual({ names: ['reg/big@sha256:1', 'big:1'], sizeBytes: 1000 });
});

it('is ready, under pressure, or not ready with the reason', () => {
  const of = (type: string, parts: Partial<NodeObjectFacts>) =>
    statusWith(parts).conditions?.find((condition) => condition.type === type);
  expect(of('Ready', {})).toMatchObject({ status: 'True', reason: 'KubeletReady' });
  expect(of('Ready', { problem: 'container runtime is down' })).toMatchObject({
    status: 'False',
    reason: 'KubeletNotReady',
    message: 'container runtime is down',
  });
  expect(of('PIDPressure', { pressures: ['PIDPressure'] })).toMatchObject({
    status: 'True',
    reason: 'KubeletHasInsufficientPID',
    message: 'kubelet has insufficient PID available',
  });
});

it('reads huge pages and swap from the host', () => {
  const system = createRecordingSystem();
  const directory = '/sys/kernel/mm/hugepages';
  system.write('/proc/meminfo', 'MemTotal:  1024 kB\nSwapTotal:  2048 kB\n');
  system.write(`${directory}/hugepages-2048kB/nr_hugepages`, '3\n');
  system.write(`${directory}/hugepages-1048576kB/nr_hugepages`, '0\n');
  expect(readHostFacts(system, 1)).toMatchObject({
    swapBytes: 2 * 2 ** 20,
    hugePages: { 'hugepages-1Gi': 0, 'hugepages-2Mi': 6 * 2 ** 20 },
  });
});
