// Tests of what emptyDirs are like.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { emptyDirOf } from './empty-dir.ts';

const MIB = 2 ** 20;
const node = { memoryBytes: 1000 * MIB };

function aPod(...limits: readonly (string | undefined)[]): Pod {
  const containers = limits.map((memory, i) => ({
    name: `c${i}`,
    image: 'app:1',
    ...(memory && { resources: { limits: { memory } } }),
  }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers } };
}

describe('an emptyDir in memory', () => {
  it.each([
    { limits: [undefined], sizeLimit: undefined, mib: 1000, why: 'what the node has for pods' },
    { limits: ['64Mi', '36Mi'], sizeLimit: undefined, mib: 100, why: 'what its pod may take' },
    { limits: ['64Mi', undefined], sizeLimit: undefined, mib: 1000, why: 'of a limited pod only' },
    { limits: ['64Mi'], sizeLimit: '8Mi', mib: 8, why: 'what it says, where that is least' },
    { limits: ['64Mi'], sizeLimit: '80Mi', mib: 64, why: 'its pod, where that is less' },
    { limits: ['64Mi'], sizeLimit: '0', mib: 64, why: 'a limit of nothing is none' },
  ])('becomes no larger than $mib MiB: $why', ({ limits, sizeLimit, mib }) => {
    const source = { medium: 'Memory', ...(sizeLimit !== undefined && { sizeLimit }) };
    const spec = emptyDirOf(aPod(...limits), source, node);
    expect(spec).toEqual({ inMemory: true, sizeBytes: mib * MIB, group: undefined });
  });
});

describe('an emptyDir', () => {
  it('on the disk has its own limit only', () => {
    const pod = aPod('64Mi');
    expect(emptyDirOf(pod, {}, node)).toEqual({ inMemory: false, sizeBytes: 0, group: undefined });
    expect(emptyDirOf(pod, { sizeLimit: '1Gi' }, node).sizeBytes).toBe(1024 * MIB);
  });

  it('belongs to the group of its pod', () => {
    const pod = aPod('64Mi');
    const spec = { ...pod.spec, containers: [], securityContext: { fsGroup: 7 } };
    expect(emptyDirOf({ ...pod, spec }, {}, node).group).toBe(7);
  });

  it.each(['HugePages', 'HugePages-2Mi', 'Disk'])('of medium %s is refused by name', (medium) => {
    expect(() => emptyDirOf(aPod(), { medium }, node)).toThrow(`medium "${medium}"`);
  });
});
