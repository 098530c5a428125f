// Tests of whose life is whose, and of nodes' addresses.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { resolveNode } from './options.ts';
import { lifeFrom, namesImage } from './pod-life.ts';

const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' } };
const of = (image: string) => ({ image, name: 'main', pod, attempt: 0 });

describe('lives', () => {
  const lives = {
    web: { pullMs: 1 },
    'web:2': { pullMs: 2 },
    'registry:5000/web': { pullMs: 3 },
  };

  it.each([
    ['web', 1],
    ['web:1', 1],
    ['web:2', 2],
    ['registry:5000/web', 3],
    ['registry:5000/web:9', 3],
    ['other', undefined],
  ])('of %s are found by the whole name, then without its tag', (image, pullMs) => {
    expect(lifeFrom(lives, of(image)).pullMs).toBe(pullMs);
    expect(namesImage(lives, image)).toBe(pullMs !== undefined);
  });

  it('of a function are what it says, or nothing special', () => {
    expect(lifeFrom(() => undefined, of('web'))).toEqual({});
    expect(lifeFrom(({ name }) => ({ message: name }), of('web'))).toEqual({ message: 'main' });
    expect(lifeFrom(undefined, of('web'))).toEqual({});
  });
});

describe('nodes', () => {
  it('have addresses and ranges of their own, however many there are', () => {
    const nodes = Array.from({ length: 5_000 }, (_, i) => resolveNode({}, i + 1));
    for (const field of ['name', 'ip', 'podCidr'] as const)
      expect(new Set(nodes.map((node) => node[field])).size).toBe(nodes.length);
    const valid = /^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$/;
    for (const { ip } of nodes) {
      expect(ip).toMatch(valid);
      expect(ip.split('.').every((byte) => Number(byte) < 256)).toBe(true);
    }
  });

  it('take as many pods as they have addresses for, and say so of more', () => {
    expect(resolveNode({ capacity: { pods: 250 } }, 1).configuration.maxPods).toBe(250);
    expect(() => resolveNode({ capacity: { pods: 251 } }, 1)).toThrow(/250 pods at most/);
  });
});
