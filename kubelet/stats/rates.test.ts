// Tests of making rates from counters.
import { describe, expect, it } from 'vitest';
import type { ContainerStats } from '../runtime/runtime.ts';
import { type Counters, sampleOf } from './rates.ts';

const container = (id: string, ms: number, cpuNs: bigint): ContainerStats => ({
  containerId: id,
  podUid: 'p',
  name: 'app',
  timestampMs: ms,
  cpuUsageNs: cpuNs,
  memoryWorkingSetBytes: 7,
  memoryUsageBytes: 9,
  pids: 1,
});
const at = (timestampMs: number, containers: ContainerStats[], nodeCpuNs = 0n): Counters => ({
  timestampMs,
  nodeCpuNs,
  nodeMemoryBytes: 11,
  containers,
});
const named = () => ({ namespace: 'shop', name: 'web' });

describe('sampleOf', () => {
  it('tells use per second of node and containers', () => {
    const before = at(1000, [container('c', 1000, 0n)], 0n);
    const now = at(3000, [container('c', 3000, 1_000_000_000n)], 4_000_000_000n);
    expect(sampleOf(before, now, named)).toEqual({
      timestampMs: 3000,
      windowMs: 2000,
      node: { cpuNanoCores: 2e9, memoryBytes: 11 },
      pods: [
        {
          namespace: 'shop',
          name: 'web',
          uid: 'p',
          containers: [{ name: 'app', cpuNanoCores: 5e8, memoryBytes: 7 }],
        },
      ],
    });
  });

  it('leaves out what is new, what went back and what nobody knows', () => {
    const now = at(2000, [container('c', 2000, 5n)]);
    expect(sampleOf(at(1000, []), now, named)?.pods).toEqual([]);
    expect(sampleOf(at(1000, [container('c', 1000, 9n)]), now, named)?.pods).toEqual([]);
    const known = at(1000, [container('c', 1000, 0n)]);
    expect(sampleOf(known, now, () => undefined)?.pods).toEqual([]);
  });

  it('is nothing for no time', () => {
    expect(sampleOf(at(1000, []), at(1000, []), named)).toBeUndefined();
  });
});
