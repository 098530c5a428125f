// Tests of what a pod's worker decides to do next.
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import {
  aContainer,
  anInput,
  aPod,
  aSandbox,
  aState,
  ended,
  NOW,
  running,
} from './fixtures/pod-scenes.ts';
import { type Act, type PlanInput, type PodState, planPod } from './plan.ts';

/** Acts in short: `start app#1`. */
function acts(pod: Pod, state: PodState, input: Partial<PlanInput> = {}): string[] {
  return planPod(pod, state, anInput(input)).acts.map(short);
}

function short(act: Act): string {
  switch (act.kind) {
    case 'start':
      return `start ${act.container.name}#${act.attempt}`;
    case 'createSandbox':
      return `createSandbox#${act.attempt}`;
    case 'kill':
      return `kill ${act.id}`;
    case 'removeSandbox':
    case 'forget':
      return `${act.kind} ${act.id}`;
  }
}

const init = (...names: string[]) => names.map((name) => aContainer(name));
const sidecar = (name: string) => aContainer(name, { restartPolicy: 'Always' });

describe('a pod without a sandbox', () => {
  it('gets one', () => expect(acts(aPod(), aState([], []))).toEqual(['createSandbox#0']));

  it('waits while making one is held back', () => {
    const plan = planPod(aPod(), aState([], []), anInput({ heldUntil: () => NOW + 500 }));
    expect(plan).toEqual({ acts: [], lookAgainAt: NOW + 500 });
  });

  it('gets a new one when the old is lost, after everything in it has ended', () => {
    const lost = [aSandbox({ state: 'notready' })];
    expect(acts(aPod(), aState([running('app')], lost))).toEqual(['kill app-0']);
    expect(acts(aPod(), aState([running('app')], lost), { stopping: () => true })).toEqual([]);
    expect(acts(aPod(), aState([ended('app', 137)], lost))).toEqual(['createSandbox#1']);
  });

  it('runs everything again in the new one, and removes the old one once it is of no use', () => {
    const both = [aSandbox({ state: 'notready' }), aSandbox({ id: 's1', attempt: 1 })];
    const pod = aPod({ initContainers: init('first') });
    const state = aState([ended('first', 0), ended('app', 137)], both);
    expect(acts(pod, state)).toEqual(['start first#1']);
    const fresh = aState([running('app', { sandboxId: 's1', attempt: 1 })], both);
    expect(acts(aPod(), fresh)).toEqual(['removeSandbox s0']);
  });
});

describe('init containers', () => {
  const pod = aPod({ initContainers: init('first', 'second') });

  it('run one after another', () => {
    expect(acts(pod, aState([]))).toEqual(['start first#0']);
    expect(acts(pod, aState([running('first')]))).toEqual([]);
    expect(acts(pod, aState([ended('first', 0)]))).toEqual(['start second#0']);
    expect(acts(pod, aState([ended('first', 0), ended('second', 0)]))).toEqual(['start app#0']);
  });

  it('are tried again when they fail, unless nothing is restarted', () => {
    expect(acts(pod, aState([ended('first', 1)]))).toEqual(['start first#1']);
    const never = aPod({ initContainers: init('first'), restartPolicy: 'Never' });
    expect(acts(never, aState([ended('first', 1)]))).toEqual([]);
  });

  it('do not run again beside containers that have begun', () => {
    expect(acts(pod, aState([running('app')]))).toEqual([]);
  });

  it('that run on hold the others back until they are started, and are started again', () => {
    const withSidecar = aPod({ initContainers: [sidecar('side')] });
    const probes = { started: () => false, ready: () => false, failed: () => undefined };
    expect(acts(withSidecar, aState([]))).toEqual(['start side#0']);
    expect(acts(withSidecar, aState([running('side')]), { probes })).toEqual([]);
    expect(acts(withSidecar, aState([running('side')]))).toEqual(['start app#0']);
    expect(acts(withSidecar, aState([ended('side', 1), running('app')]))).toEqual(['start side#1']);
  });
});

describe('containers', () => {
  it('all start at once', () => {
    const pod = aPod({ containers: [aContainer('a'), aContainer('b')] });
    expect(acts(pod, aState([]))).toEqual(['start a#0', 'start b#0']);
    expect(acts(pod, aState([running('a')]))).toEqual(['start b#0']);
  });

  it.each([
    ['Always', 0, ['start app#1']],
    ['Always', 1, ['start app#1']],
    ['OnFailure', 1, ['start app#1']],
    ['OnFailure', 0, []],
    ['Never', 1, []],
  ])('with policy %s that ended with %i lead to %j', (restartPolicy, code, expected) => {
    expect(acts(aPod({ restartPolicy }), aState([ended('app', code)]))).toEqual(expected);
  });

  it('that crash again wait, and say until when', () => {
    const state = aState([ended('app', 1, { crashes: 1, startedAtMs: NOW - 1000 })]);
    expect(planPod(aPod(), state, anInput())).toEqual({ acts: [], lookAgainAt: NOW + 10_000 });
    expect(acts(aPod(), state, { nowMs: NOW + 10_000 })).toEqual(['start app#1']);
  });

  it('that crashed with another image start at once', () => {
    const pod = aPod({ containers: [aContainer('app', { image: 'app:2' })] });
    const state = aState([ended('app', 1, { crashes: 5, startedAtMs: NOW - 1000 })]);
    expect(acts(pod, state)).toEqual(['start app#1']);
  });

  it('made but never started are started as they are', () => {
    expect(acts(aPod(), aState([running('app', { state: 'created', attempt: 3 })]))).toEqual([
      'start app#3',
    ]);
  });

  it('that the runtime lost sight of are killed before another one starts', () => {
    const unknown = running('app', { state: 'unknown' });
    expect(acts(aPod(), aState([unknown]))).toEqual(['kill app-0']);
    expect(acts(aPod(), aState([unknown]), { stopping: () => true })).toEqual([]);
  });

  it('are killed once when a probe gives them up or their image changes', () => {
    const failed = () => ({ message: 'app is dead', graceMs: 3000 });
    const probes = { started: () => true, ready: () => true, failed };
    const plan = planPod(aPod(), aState([running('app')]), anInput({ probes }));
    const why = 'Container app is dead, will be restarted';
    expect(plan.acts).toEqual([
      { kind: 'kill', id: 'app-0', container: 'app', graceMs: 3000, why },
    ]);
    const pod = aPod({ containers: [aContainer('app', { image: 'app:2' })] });
    expect(acts(pod, aState([running('app')]))).toEqual(['kill app-0']);
    expect(acts(pod, aState([running('app')]), { stopping: () => true })).toEqual([]);
  });

  it('are killed with words that say whether they run again, and that init containers have their own', () => {
    const failed = () => ({ message: 'it failed liveness probe', graceMs: undefined });
    const probes = { started: () => true, ready: () => true, failed };
    const why = (pod: Pod, name: string) => {
      const [act] = planPod(pod, aState([running(name)]), anInput({ probes })).acts;
      return act?.kind === 'kill' ? act.why : act?.kind;
    };
    const never = aPod({ restartPolicy: 'Never' });
    expect(why(never, 'app')).toBe('Container it failed liveness probe');
    const sided = aPod({ initContainers: [sidecar('side')] });
    expect(why(sided, 'side')).toBe('Init container it failed liveness probe');
  });

  it('go on counting where the host has lost them', () => {
    const known = { name: 'app', image: 'app:1', imageID: '', ready: false, restartCount: 4 };
    const before = { containerStatuses: [{ ...known, containerID: 'pinnace://gone' }] };
    expect(acts(aPod(), aState([]), { before })).toEqual(['start app#5']);
    expect(acts(aPod(), aState([]), { before: { containerStatuses: [known] } })).toEqual([
      'start app#0',
    ]);
  });

  it('of the past are forgotten but for the last two', () => {
    const past = [0, 1, 2].map((attempt) => ended('app', 1, { attempt }));
    expect(acts(aPod(), aState([...past, running('app', { attempt: 3 })]))).toEqual([
      'forget app-1',
      'forget app-0',
    ]);
  });
});

describe('a pod that has finished', () => {
  it('stops what still runs and starts nothing', () => {
    const pod = aPod({ restartPolicy: 'Never', initContainers: [sidecar('side')] });
    expect(acts(pod, aState([running('side'), ended('app', 0)]))).toEqual(['kill side-0']);
    expect(acts(pod, aState([ended('side', 0), ended('app', 0)]))).toEqual([]);
  });
});

describe('an ephemeral container', () => {
  const pod = aPod({ initContainers: init('first'), ephemeralContainers: init('look') });

  it('starts beside whatever is under way, as soon as there is a sandbox', () => {
    expect(acts(pod, aState([], []))).toEqual(['createSandbox#0']);
    expect(acts(pod, aState([running('first')]))).toEqual(['start look#0']);
    expect(acts(pod, aState([ended('first', 0), running('app')]))).toEqual(['start look#0']);
  });

  it('is never started again, not even by an agent whose runtime has lost it', () => {
    const done = [ended('first', 0), running('app')];
    expect(acts(pod, aState([...done, running('look')]))).toEqual([]);
    expect(acts(pod, aState([...done, ended('look', 1)]))).toEqual([]);
    const told = { name: 'look', image: '', imageID: '', ready: false, restartCount: 0 };
    const before = (containerID: string) => ({
      ephemeralContainerStatuses: [{ ...told, containerID }],
    });
    expect(acts(pod, aState(done), { before: before('pinnace://x') })).toEqual([]);
    expect(acts(pod, aState(done), { before: before('') })).toEqual(['start look#0']);
  });

  it('that was made and not started is started as it is', () => {
    const state = aState([running('first'), running('look', { state: 'created' })]);
    expect(acts(pod, state)).toEqual(['start look#0']);
  });

  it('does not keep a pod that has finished', () => {
    const over = aPod({ restartPolicy: 'Never', ephemeralContainers: init('look') });
    expect(acts(over, aState([ended('app', 0), running('look')]))).toEqual(['kill look-0']);
  });
});
