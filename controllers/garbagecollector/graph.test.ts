// What the graph of owners has looked at, and the verdicts on what it finds.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Nodes } from '../../api/kinds.ts';
import type { KubeObject, ObjectMeta, OwnerReference } from '../../api/meta/object.ts';
import { OwnerGraph, refersTo } from './graph.ts';
import { verdictOn } from './plan.ts';

const owner = (uid: string, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
  blockOwnerDeletion,
});
const object = (
  uid: string,
  owners: OwnerReference[] = [],
  metadata: Partial<ObjectMeta> = {},
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: uid, namespace: 'n', uid, ownerReferences: owners, ...metadata },
});
const waiting = {
  deletionTimestamp: '2026-01-01T00:00:00Z',
  finalizers: ['foregroundDeletion'],
};
const observe = (graph: OwnerGraph, each: KubeObject) => graph.observe(ConfigMaps, each);

describe('the graph', () => {
  it('has an object looked at whose owner it does not know', () => {
    const graph = new OwnerGraph();
    expect(observe(graph, object('child', [owner('parent')]))).toEqual(['child']);
    expect(observe(graph, object('parent'))).toEqual([]);
    expect(observe(graph, object('other', [owner('parent')]))).toEqual([]);
  });

  it('queues nothing for ordinary changes', () => {
    const graph = new OwnerGraph();
    observe(graph, object('parent'));
    observe(graph, object('child', [owner('parent')]));
    const changed = object('child', [owner('parent')], { labels: { a: 'b' } });
    expect(observe(graph, changed)).toEqual([]);
    expect(observe(graph, object('parent', [], { labels: { a: 'b' } }))).toEqual([]);
  });

  it('has the dependents of what is gone looked at', () => {
    const graph = new OwnerGraph();
    observe(graph, object('parent'));
    observe(graph, object('a', [owner('parent')]));
    observe(graph, object('b', [owner('parent')]));
    expect(graph.remove(object('parent'))).toEqual(['a', 'b']);
  });

  it('has an owner that waits and all its dependents looked at, once', () => {
    const graph = new OwnerGraph();
    observe(graph, object('parent'));
    observe(graph, object('child', [owner('parent', true)]));
    const leaving = object('parent', [], waiting);
    expect(observe(graph, leaving)).toEqual(['parent', 'child']);
    expect(observe(graph, leaving)).toEqual(['parent']);
    expect(graph.remove(object('child', [owner('parent', true)]))).toEqual(['parent']);
  });

  it('has a waiting owner looked at when a dependent stops blocking it', () => {
    const graph = new OwnerGraph();
    observe(graph, object('parent', [], waiting));
    observe(graph, object('child', [owner('parent', true)]));
    expect(observe(graph, object('child', []))).toEqual(['parent']);
  });

  it('keeps nothing of what is neither there nor named', () => {
    const graph = new OwnerGraph();
    for (let i = 0; i < 100; i++) {
      observe(graph, object(`p${i}`));
      observe(graph, object(`c${i}`, [owner(`p${i}`)]));
    }
    for (let i = 0; i < 100; i++) {
      graph.remove(object(`p${i}`));
      graph.remove(object(`c${i}`, [owner(`p${i}`)]));
    }
    expect(graph.size).toBe(0);
  });
});

describe('a reference', () => {
  const parent = object('parent');
  const seen = { ref: ConfigMaps, object: parent };

  it('names an object by kind, name, uid and namespace', () => {
    const child = object('child');
    expect(refersTo(owner('parent'), child, seen)).toBe(true);
    expect(refersTo({ ...owner('parent'), kind: 'Secret' }, child, seen)).toBe(false);
    expect(refersTo({ ...owner('parent'), apiVersion: 'apps/v1' }, child, seen)).toBe(false);
    expect(refersTo({ ...owner('parent'), name: 'x' }, child, seen)).toBe(false);
    const elsewhere = object('child', [], { namespace: 'm' });
    expect(refersTo(owner('parent'), elsewhere, seen)).toBe(false);
  });

  it('to an object without a namespace may come from any', () => {
    const node = { ref: Nodes, object: { ...parent, kind: 'Node' } };
    expect(refersTo({ ...owner('parent'), kind: 'Node' }, object('child'), node)).toBe(true);
  });
});

describe('the verdict', () => {
  const on = (states: ('solid' | 'absent' | 'waiting')[], hasDependents = false, more = {}) =>
    verdictOn(
      object('x', [], more),
      states.map((state, i) => ({ owner: owner(`o${i}`), state })),
      hasDependents,
    );

  it('keeps what has no owners, or owners that stand', () => {
    expect(on([])).toEqual({ kind: 'keep' });
    expect(on(['solid', 'solid'])).toEqual({ kind: 'keep' });
  });

  it('takes references off to owners that go while another stands', () => {
    expect(on(['absent', 'solid', 'waiting'])).toEqual({
      kind: 'drop-references',
      uids: ['o0', 'o2'],
    });
  });

  it('deletes what no owner holds, in the way that its finalizers and its owners ask for', () => {
    expect(on(['absent'])).toEqual({ kind: 'delete', policy: 'Background' });
    expect(on(['waiting'], true)).toEqual({ kind: 'delete', policy: 'Foreground' });
    expect(on(['waiting'])).toEqual({ kind: 'delete', policy: 'Background' });
    const orphans = { finalizers: ['orphan'] };
    expect(on(['absent'], true, orphans)).toEqual({ kind: 'delete', policy: 'Orphan' });
    const foreground = { finalizers: ['foregroundDeletion'] };
    expect(on(['absent'], true, foreground)).toEqual({ kind: 'delete', policy: 'Foreground' });
  });
});
