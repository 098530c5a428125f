// Tests of restart policies of single containers, of their rules, and of pods whose containers all begin anew.
import { describe, expect, it } from 'vitest';
import type { Container, Pod } from '../../api/generated/types.ts';
import {
  aContainer,
  anInput,
  aPod,
  aState,
  ended,
  NOW,
  running,
  WELL,
} from './fixtures/pod-scenes.ts';
import { isFinished, type PlanInput, planPod, type PodState } from './plan.ts';
import { podStatusOf } from './pod-status.ts';
import { afterEnd, afterInitEnd, ownEnds, ROUND } from './restart-rules.ts';

const rule = (operator: string, values: number[], action = 'Restart') => ({
  action,
  exitCodes: { operator, values },
});
const app = (parts: Partial<Container>): Container => aContainer('app', parts);
const never = (...containers: Container[]) => aPod({ restartPolicy: 'Never', containers });

function acts(pod: Pod, state: PodState, input: Partial<PlanInput> = {}): string[] {
  return planPod(pod, state, anInput(input)).acts.map((act) =>
    act.kind === 'start'
      ? `start ${act.container.name}#${act.attempt} in ${act.round}`
      : `${act.kind} ${'id' in act ? act.id : ''}`,
  );
}

function statusOf(pod: Pod, state: PodState, before?: ReturnType<typeof podStatusOf>) {
  return podStatusOf(pod, {
    state,
    probes: WELL,
    runtimeName: 'pinnace',
    problems: new Map(),
    ending: isFinished(pod.spec as NonNullable<Pod['spec']>, state),
    nowMs: NOW,
    before,
    verdict: undefined,
    podIp: '10.0.0.2',
    hostIp: '1.2.3.4',
  });
}

describe('what comes after an end', () => {
  it.each<[string, Partial<Container>, string, number, string]>([
    ['the pod says when the container does not', {}, 'OnFailure', 1, 'restart'],
    ['a container’s own policy comes first', { restartPolicy: 'Never' }, 'Always', 1, 'stay'],
    ['also where it restarts more', { restartPolicy: 'Always' }, 'Never', 0, 'restart'],
    ['a failure counts for OnFailure', { restartPolicy: 'OnFailure' }, 'Never', 3, 'restart'],
    ['a success does not', { restartPolicy: 'OnFailure' }, 'Always', 0, 'stay'],
    [
      'a rule comes before its policy',
      { restartPolicy: 'Never', restartPolicyRules: [rule('In', [42])] },
      'Never',
      42,
      'restart',
    ],
    [
      'a code that no rule names is left to the policy',
      { restartPolicy: 'Never', restartPolicyRules: [rule('In', [42])] },
      'Always',
      1,
      'stay',
    ],
    [
      'NotIn takes all others',
      { restartPolicy: 'Never', restartPolicyRules: [rule('NotIn', [42])] },
      'Never',
      1,
      'restart',
    ],
    [
      'the first rule that fits decides',
      {
        restartPolicy: 'Never',
        restartPolicyRules: [rule('In', [7], 'RestartAllContainers'), rule('NotIn', [0])],
      },
      'Never',
      7,
      'restartAll',
    ],
  ])('%s', (...[, container, restartPolicy, code, expected]) => {
    const pod = aPod({ restartPolicy, containers: [app(container)] });
    expect(afterEnd(pod.spec as never, app(container), code)).toBe(expected);
  });

  it('an init container that ended well is not run again, whatever its policy', () => {
    const spec = aPod({ restartPolicy: 'Always' }).spec as never;
    const init = aContainer('init', { restartPolicy: 'OnFailure' });
    expect([afterInitEnd(spec, init, 0), afterInitEnd(spec, init, 1)]).toEqual(['stay', 'restart']);
    const once = aContainer('init', { restartPolicy: 'Never' });
    expect([afterInitEnd(spec, once, 0), afterInitEnd(spec, once, 1)]).toEqual(['stay', 'stay']);
  });
});

describe('a pod whose containers have policies of their own', () => {
  it('is finished when nothing of it runs again', () => {
    const pod = aPod({ containers: [app({ restartPolicy: 'Never' })] });
    expect(statusOf(pod, aState([ended('app', 0)])).phase).toBe('Succeeded');
    expect(statusOf(pod, aState([ended('app', 3)])).phase).toBe('Failed');
    expect(acts(pod, aState([ended('app', 3)]))).toEqual([]);
  });

  it('runs on where a rule starts one again', () => {
    const pod = never(app({ restartPolicy: 'Never', restartPolicyRules: [rule('In', [42])] }));
    expect(acts(pod, aState([ended('app', 42)]))).toEqual(['start app#1 in 0']);
    expect(statusOf(pod, aState([ended('app', 42)])).phase).toBe('Running');
    expect(statusOf(pod, aState([ended('app', 41)])).phase).toBe('Failed');
  });

  it('fails with an init container that is not tried again, though others would be', () => {
    const initContainers = [aContainer('first', { restartPolicy: 'Never' })];
    const pod = aPod({ initContainers });
    const state = aState([ended('first', 1)]);
    expect([acts(pod, state), statusOf(pod, state).phase]).toEqual([[], 'Failed']);
    const tried = aPod({
      restartPolicy: 'Never',
      initContainers: [aContainer('first', { restartPolicy: 'OnFailure' })],
    });
    expect(acts(tried, state)).toEqual(['start first#1 in 0']);
  });
});

describe('RestartAllContainers', () => {
  const all = {
    restartPolicy: 'Never',
    restartPolicyRules: [rule('In', [88], 'RestartAllContainers')],
  };
  const pod = aPod({
    restartPolicy: 'Never',
    initContainers: [aContainer('init')],
    containers: [app(all), aContainer('other')],
  });
  const asked = [ended('init', 0), ended('app', 88)];

  it('first ends what still runs, without hooks and with two seconds', () => {
    const plan = planPod(pod, aState([...asked, running('other')]), anInput());
    expect(plan.acts).toEqual([
      {
        kind: 'kill',
        id: 'other-0',
        container: 'other',
        graceMs: 2000,
        why: 'Pod is restarting all containers in place',
        hookless: true,
      },
    ]);
  });

  it('then begins with the first init container, and goes on from there', () => {
    const over = aState([...asked, ended('other', 137)]);
    expect(acts(pod, over)).toEqual(['start init#1 in 1']);
    const annotations = { ...running('init').annotations, [ROUND]: '1' };
    const next = { attempt: 1, annotations };
    const first = [...asked, ended('other', 137), running('init', next)];
    expect(acts(pod, aState(first))).toEqual([]);
    const second = [...asked, ended('other', 137), ended('init', 0, next)];
    expect(acts(pod, aState(second))).toEqual(['start app#1 in 1', 'start other#1 in 1']);
  });

  it('makes nobody wait but whose end asked for it, and counts nothing against the others', () => {
    const crashed = { crashes: 3 };
    const over = [ended('init', 0), ended('app', 88, crashed), ended('other', 137, crashed)];
    const next = { attempt: 1, annotations: { ...running('init').annotations, [ROUND]: '1' } };
    const state = aState([...over, ended('init', 0, next)]);
    expect(acts(pod, state)).toEqual(['start other#1 in 1']);
    const [other] = ownEnds(aContainer('other'), [ended('other', 137)], 1);
    expect(other?.endUnseen).toBe(true);
  });

  it('runs containers again that had ended well', () => {
    const over = aState([...asked, ended('other', 0)]);
    expect(acts(pod, over)).toEqual(['start init#1 in 1']);
  });

  it('is told by a condition, and by a phase of Pending until all have begun anew', () => {
    const before = statusOf(pod, aState([ended('init', 0), running('app'), running('other')]));
    expect(before.conditions?.some(({ type }) => type === 'AllContainersRestarting')).toBe(false);
    const restarting = statusOf(pod, aState([...asked, running('other')]), before);
    expect(restarting.phase).toBe('Pending');
    expect(restarting.conditions).toContainEqual(
      expect.objectContaining({
        type: 'AllContainersRestarting',
        status: 'True',
        reason: 'ContainerExited',
        message: 'Container app exited with code 88, triggering pod restart',
      }),
    );
    const next = { attempt: 1, annotations: { ...running('init').annotations, [ROUND]: '1' } };
    const begun = aState([...asked, ended('other', 137), running('init', next)]);
    const after = statusOf(pod, begun, restarting);
    expect(after.phase).toBe('Pending');
    const told = Object.fromEntries((after.conditions ?? []).map((c) => [c.type, c.status]));
    expect(told).toMatchObject({ AllContainersRestarting: 'False', Initialized: 'True' });
    expect(after.containerStatuses?.[1]).toMatchObject({
      state: { waiting: { reason: 'PodInitializing' } },
      lastState: { terminated: { exitCode: 137 } },
    });
  });

  it('ends where the pod is failed by an init container that is not tried again', () => {
    const next = { attempt: 1, annotations: { ...running('init').annotations, [ROUND]: '1' } };
    const state = aState([...asked, ended('other', 137), ended('init', 1, next)]);
    expect([acts(pod, state), statusOf(pod, state).phase]).toEqual([[], 'Failed']);
  });
});
