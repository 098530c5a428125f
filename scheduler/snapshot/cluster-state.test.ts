// The scheduler's view of the cluster: what counts where, and for how long.
import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../api/generated/types.ts';
import { ClusterState } from './cluster-state.ts';

const node = (name: string): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
const pod = (uid: string, nodeName?: string, phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: uid, uid },
  spec: {
    containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }],
    ...(nodeName ? { nodeName } : {}),
  },
  status: { phase },
});
/** Whole CPUs that are taken, by node. */
const taken = (state: ClusterState) =>
  Object.fromEntries(
    state.nodes.map((each) => [
      each.node.metadata.name,
      Number(each.requested('cpu') / 1_000_000_000n),
    ]),
  );

function aState() {
  const state = new ClusterState();
  state.putNode(node('a'));
  state.putNode(node('b'));
  return state;
}

describe('the state', () => {
  it('counts an assumed pod at once, and lets it go when the binding is refused', () => {
    const state = aState();
    state.assume(pod('p'), 'a');
    expect(taken(state)).toEqual({ a: 1, b: 0 });
    expect(state.isPlaced(pod('p'))).toBe(true);
    state.unassume(pod('p'));
    expect(taken(state)).toEqual({ a: 0, b: 0 });
    expect(state.isPlaced(pod('p'))).toBe(false);
  });

  it('keeps counting a pod that was seen bound, whatever becomes of a second try to bind it', () => {
    const state = aState();
    state.assume(pod('p'), 'a');
    state.putPod(pod('p', 'a'));
    state.unassume(pod('p'));
    expect(taken(state)).toEqual({ a: 1, b: 0 });
  });

  it('never counts a pod elsewhere than where it was seen bound', () => {
    const state = aState();
    state.putPod(pod('p', 'a'));
    expect(state.assume(pod('p'), 'b')).toBe(false);
    state.unassume(pod('p'));
    expect(taken(state)).toEqual({ a: 1, b: 0 });
  });

  it('counts a pod where it was seen, though it was assumed elsewhere', () => {
    const state = aState();
    state.assume(pod('p'), 'a');
    state.putPod(pod('p', 'b'));
    expect(taken(state)).toEqual({ a: 0, b: 1 });
  });

  it('counts a pod once, and no longer when it has ended or gone', () => {
    const state = aState();
    state.putPod(pod('p', 'a'));
    state.putPod(pod('p', 'a'));
    state.putPod(pod('q', 'a'));
    expect(taken(state)['a']).toBe(2);
    state.putPod(pod('p', 'a', 'Succeeded'));
    state.removePod(pod('q', 'a'));
    expect(taken(state)['a']).toBe(0);
  });

  it('knows the pods of a node that it sees later than them, or again', () => {
    const state = aState();
    state.putPod(pod('p', 'late'));
    state.putNode(node('late'));
    expect(taken(state)).toMatchObject({ late: 1 });
    state.removeNode('a');
    state.removeNode('late');
    expect(taken(state)).toEqual({ b: 0 });
    state.putNode(node('late'));
    expect(taken(state)).toMatchObject({ late: 1 });
  });
});
