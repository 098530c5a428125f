// Tests of the comparison by parts, and of its words.
import { describe, expect, it } from 'vitest';
import { differences, MAX_DIFFERENCES } from './differences.ts';

const pod = {
  metadata: { name: 'web', labels: { app: 'web', 'app.example/part': 'front' } },
  spec: { replicas: 2, containers: [{ name: 'main', image: 'image:1' }, { name: 'side' }] },
  status: { conditions: [{ type: 'Ready', status: 'False' }] },
};

describe('differences', () => {
  it('are none where all that is wanted is there, whatever else is', () => {
    for (const wanted of [
      {},
      { spec: { replicas: 2 } },
      { spec: { containers: [{ name: 'side' }, { image: 'image:1' }] } },
      { metadata: { labels: { 'app.example/part': 'front' }, finalizers: undefined } },
      { metadata: { finalizers: [], annotations: { gone: undefined } } },
      { spec: { replicas: expect.any(Number) } },
    ])
      expect(differences(wanted, pod)).toEqual([]);
  });

  it('name the field, what is wanted, and what is there', () => {
    const wanted = {
      metadata: { labels: { 'app.example/part': 'back', toString: 'own' }, uid: 'u' },
      spec: { replicas: 3, containers: [{ name: 'main', image: 'image:2' }] },
      status: { conditions: [] },
    };
    expect(differences(wanted, pod)).toEqual([
      'metadata.labels["app.example/part"]: wanted "back", but it is "front"',
      'metadata.labels.toString: wanted "own", but it is nothing',
      'metadata.uid: wanted "u", but it is nothing',
      'spec.replicas: wanted 3, but it is 2',
      'spec.containers: wanted an item {"name":"main","image":"image:2"}, but it is [{"name":"main","image":"image:1"},{"name":"side"}]',
      'status.conditions: wanted an empty list, but it is [{"type":"Ready","status":"False"}]',
    ]);
    expect(differences({ spec: expect.any(String) }, { spec: 1 })).toEqual([
      'spec: wanted Any<String>, but it is 1',
    ]);
    expect(differences({ status: { phase: 'Running' } }, {})).toEqual([
      'status: wanted {"phase":"Running"}, but it is nothing',
    ]);
  });

  it('stay short, however much differs', () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`k${i}`, 'x'.repeat(999)]),
    );
    const found = differences(many, {});
    expect(found).toHaveLength(MAX_DIFFERENCES + 1);
    expect(found.at(-1)).toBe('and 80 more');
    expect(Math.max(...found.map(({ length }) => length))).toBeLessThan(400);
  });
});
