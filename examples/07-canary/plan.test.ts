// What the operator of canaries decides, case by case, without a cluster.
import { formatTime } from 'pinnace/client';
import { describe, expect, it } from 'vitest';
import { Canaries, type Canary } from './kind.ts';
import { isSampleDue, plan, podsFor, type Situation } from './plan.ts';
import { newsOf } from './report.ts';
import { type Track, versionOf } from './tracks.ts';

const SECOND = 1000;
const T0 = Date.UTC(2026, 0, 1);

function aCanary(image: string, but: Partial<Canary['spec']> = {}): Canary {
  return Canaries.object({
    metadata: { name: 'web', namespace: 'default', generation: 1 },
    spec: {
      container: { image },
      steps: [{ weight: 25, holdSeconds: 20 }, { weight: 50 }],
      analysis: { max: 5 },
      ...but,
    },
  });
}
const versionFor = (image: string) => versionOf(aCanary(image));
const track = (image: string, replicas: number, but: Partial<Track> = {}): Track => ({
  revision: versionFor(image).revision,
  replicas,
  ready: replicas,
  settled: true,
  ...but,
});

/** One canary over time: each look is at what the one before wrote. */
class Story {
  canary = aCanary('app:1');
  nowMs = T0;
  stable: Track | undefined;
  trial: Track | undefined;

  look(but: Partial<Situation> = {}) {
    const { canary, nowMs, stable, trial } = this;
    const decided = plan({ canary, stable, trial, nowMs, ...but });
    this.canary = { ...canary, status: decided.status };
    return decided;
  }

  ask(image: string, but: Partial<Canary['spec']> = {}): void {
    const { status } = this.canary;
    this.canary = { ...aCanary(image, but), ...(status && { status }) };
  }

  /** A trial of app:2 whose pods of the first step are ready now. */
  static onTrial(but: Partial<Canary['spec']> = {}): Story {
    const story = new Story();
    story.look();
    story.stable = track('app:1', 4);
    story.ask('app:2', but);
    story.look();
    story.trial = track('app:2', 1);
    story.look();
    return story;
  }
}

describe('plan', () => {
  it('gives the first version all pods, as there is nothing to compare it with', () => {
    const decided = new Story().look();
    expect(decided.status).toMatchObject({ phase: 'Steady', weight: 0 });
    expect(decided.stable).toEqual({ version: versionFor('app:1'), replicas: 4 });
    expect(decided.trial.replicas).toBe(0);
  });

  it('begins a new version at the first step, and takes good pods away only for new ones that are ready', () => {
    const story = Story.onTrial();
    expect(story.canary.status).toMatchObject({ phase: 'Progressing', weight: 25 });
    expect(story.look().stable.replicas).toBe(3);
    expect(story.look({ trial: track('app:2', 1, { ready: 0 }) }).stable.replicas).toBe(4);
    // Ready pods of another version in the same Deployment do not count.
    expect(story.look({ trial: track('app:1', 1) }).stable.replicas).toBe(4);
  });

  it('asks for figures once the pods are ready, each interval, and goes on after the hold and a good one', () => {
    const story = Story.onTrial();
    expect(isSampleDue(story)).toBe(false);
    expect(story.look().wakeAtMs).toBe(T0 + 10 * SECOND);
    story.nowMs = T0 + 10 * SECOND;
    expect(isSampleDue(story)).toBe(true);
    expect(story.look({ figure: 1 }).status.trial).toMatchObject({ step: 0, good: 1, bad: 0 });
    story.nowMs = T0 + 20 * SECOND;
    const { status } = story.look({ figure: 5 });
    expect(status).toMatchObject({ weight: 50, trial: { step: 1, good: 0 } });
  });

  it('does not go on without a figure, nor at a bad one, nor while it is paused', () => {
    const after = (figure: number | undefined, but: Partial<Canary['spec']> = {}) => {
      const story = Story.onTrial(but);
      story.nowMs = T0 + 30 * SECOND;
      return story.look({ figure }).status.trial;
    };
    expect(after(undefined)).toMatchObject({ step: 0, good: 0, bad: 0 });
    expect(after(6)).toMatchObject({ step: 0, bad: 1 });
    expect(after(1, { paused: true })).toMatchObject({ step: 0, good: 1 });
    expect(after(1)).toMatchObject({ step: 1 });
  });

  it('takes a version back after so many bad figures, at once, and never tries it again by itself', () => {
    const story = Story.onTrial();
    for (const at of [10, 20]) {
      story.nowMs = T0 + at * SECOND;
      story.look({ figure: 6 });
    }
    const { revision } = versionFor('app:2');
    const decided = story.look();
    expect(decided.status).toMatchObject({ phase: 'RolledBack', failedRevision: revision });
    expect([decided.trial.replicas, decided.stable.replicas]).toEqual([0, 4]);
    story.trial = track('app:2', 0);
    expect(story.look().status.phase).toBe('RolledBack');
    // Going back to the good one in between changes nothing of that, and gives the bad one no pods.
    story.ask('app:1');
    const back = story.look({ trial: track('app:2', 1), stable: track('app:1', 3) });
    expect([back.status.phase, back.trial.replicas]).toEqual(['Steady', 0]);
    story.ask('app:2');
    expect(story.look().status.phase).toBe('RolledBack');
    story.ask('app:2', { attempt: 2 });
    expect(story.look().status.phase).toBe('Progressing');
  });

  it('takes a version back whose pods do not become ready in time', () => {
    const story = Story.onTrial();
    story.canary.status!.trial!.readySince = undefined;
    story.trial = track('app:2', 1, { ready: 0 });
    expect(story.look().wakeAtMs).toBe(T0 + 300 * SECOND);
    story.nowMs = T0 + 300 * SECOND;
    expect(story.look().status.phase).toBe('RolledBack');
  });

  it('waits no longer for that where the clock is set back meanwhile', () => {
    const story = Story.onTrial();
    story.nowMs = T0 - 3600 * SECOND;
    expect(story.look().wakeAtMs).toBe(story.nowMs + 10 * SECOND);
  });

  it('makes a version that passed the stable one, and keeps its trial pods until the stable ones are there', () => {
    const story = Story.onTrial({ steps: [{ weight: 50, holdSeconds: 5 }] });
    story.trial = track('app:2', 2);
    story.look();
    story.nowMs = T0 + 10 * SECOND;
    const passed = story.look({ figure: 0 });
    expect(passed.status).toMatchObject({
      phase: 'Steady',
      stable: versionFor('app:2'),
      weight: 0,
    });
    expect(passed.stable).toEqual({ version: versionFor('app:2'), replicas: 4 });
    expect(passed.trial.replicas).toBe(2);
    expect(story.look({ stable: track('app:2', 4, { settled: false }) }).trial.replicas).toBe(2);
    expect(story.look({ stable: track('app:2', 4) }).trial.replicas).toBe(0);
  });

  it('begins no version before the last one is tidied up', () => {
    const story = Story.onTrial();
    story.ask('app:3');
    const waiting = story.look();
    expect(waiting.status).toMatchObject({ phase: 'Steady', stable: versionFor('app:1') });
    expect(waiting.status.conditions?.[0]).toMatchObject({ reason: 'Waiting' });
    expect(story.look({ trial: track('app:2', 0) }).status.phase).toBe('Progressing');
  });

  it.each([
    [1, 4, 1],
    [25, 4, 1],
    [50, 4, 2],
    [99, 4, 3],
    [50, 1, 1],
    [10, 100, 10],
  ])('gives %i percent of %i pods: %i', (weight, replicas, pods) => {
    expect(podsFor(weight, replicas)).toBe(pods);
  });

  it('tells what changed', () => {
    const story = Story.onTrial();
    const before = story.canary.status!;
    const trial = { step: 0, since: formatTime(T0), readySince: formatTime(T0), good: 0, bad: 1 };
    story.canary = { ...story.canary, status: { ...before, trial } };
    story.nowMs = T0 + 10 * SECOND;
    expect(newsOf(before, story.look({ figure: 9 }).status)).toMatchObject({
      reason: 'RolledBack',
      message: 'app:2 failed',
    });
    expect(newsOf(before, before)).toBeUndefined();
  });
});

describe('the kind', () => {
  it('takes steps whose weights grow, and no others', () => {
    const steps = (...weights: number[]) =>
      Canaries.validate(
        aCanary('app:1', { steps: weights.map((weight) => ({ weight, holdSeconds: 1 })) }),
      ).map(({ message }) => message);
    expect(steps(10, 20, 20)).toEqual([]);
    expect(steps(20, 10).join()).toContain('weights grow from step to step');
    expect(steps()).not.toEqual([]);
  });
});
