// Tests of writing statuses: the newest wins, nothing twice, nothing lost while the API is away.
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Pod, PodStatus } from '../../api/generated/types.ts';
import { conflict, notFound, StatusError } from '../../api/status.ts';
import type { Client } from '../../client/rest/client.ts';
import { aPod } from './fixtures/pod-scenes.ts';
import { StatusWriter } from './status-writer.ts';

const pods = { group: '', plural: 'pods' };
let clock: VirtualClock;
let writer: StatusWriter;
let written: PodStatus[];
/** Answers of the API, one per write; success when there is none. */
let answers: (Error | Promise<void>)[];
/** The pod that the API has for ours. */
let target: (pod: Pod) => Pod | undefined;
/** What the API has by the pod's name when it is asked. */
let stored: Pod | Error;

beforeEach(() => {
  clock = new VirtualClock();
  written = [];
  answers = [];
  stored = aPod();
  target = (pod) => pod;
  const client = {
    resource: () => ({
      patch: async (_: object, { body }: { body: { status: PodStatus } }): Promise<Pod> => {
        const answer = answers.shift();
        if (answer instanceof Error) throw answer;
        await answer;
        written.push(body.status);
        return aPod();
      },
      get: async (): Promise<Pod> => {
        if (stored instanceof Error) throw stored;
        return stored;
      },
    }),
  } as unknown as Client;
  writer = new StatusWriter({
    client,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    onWritten: () => undefined,
    targetOf: (pod) => target(pod),
  });
});

const phases = () => written.map((status) => status.phase);

describe('the status writer', () => {
  it('writes a status once', async () => {
    writer.set(aPod(), { phase: 'Pending' });
    await writer.flush('uid-1');
    writer.set({ ...aPod(), status: { phase: 'Pending' } }, { phase: 'Pending' });
    await writer.flush('uid-1');
    expect(phases()).toEqual(['Pending']);
  });

  it('writes a status again that somebody else has changed', async () => {
    writer.set(aPod(), { phase: 'Running' });
    await writer.flush('uid-1');
    writer.set({ ...aPod(), status: { phase: 'Unknown' } }, { phase: 'Running' });
    await writer.flush('uid-1');
    expect(phases()).toEqual(['Running', 'Running']);
  });

  it('writes nothing twice that the API refuses', async () => {
    answers = [new StatusError('Invalid', 'no such phase')];
    writer.set(aPod(), { phase: '?' });
    await writer.flush('uid-1');
    writer.set(aPod(), { phase: '?' });
    await writer.flush('uid-1');
    writer.set(aPod(), { phase: 'Running' });
    await writer.flush('uid-1');
    expect(phases()).toEqual(['Running']);
  });

  it('writes nothing that the API has already', async () => {
    const known = { phase: 'Running', conditions: [{ type: 'other', status: 'True' }] };
    writer.set({ ...aPod(), status: known }, { phase: 'Running', conditions: [] });
    await writer.flush('uid-1');
    expect(phases()).toEqual([]);
  });

  it('passes over what is old by the time it can be written', async () => {
    const first = Promise.withResolvers<void>();
    answers = [first.promise];
    for (const phase of ['1', '2', '3']) {
      writer.set(aPod(), { phase });
      await clock.advance(0);
    }
    first.resolve();
    await writer.flush('uid-1');
    expect(phases()).toEqual(['1', '3']);
    expect(writer.of('uid-1')?.phase).toBe('3');
  });

  it('tries again until the newest is written', async () => {
    answers = [new Error('away'), new Error('away')];
    writer.set(aPod(), { phase: '1' });
    await clock.advance(0);
    writer.set(aPod(), { phase: '2' });
    await clock.advance(5000);
    expect(phases()).toEqual(['2']);
  });

  it('has it written within two seconds of the return of an API that was long away', async () => {
    answers = Array.from({ length: 10_000 }, () => new Error('away'));
    writer.set(aPod(), { phase: 'Running' });
    await clock.advance(3_600_000);
    expect(phases()).toEqual([]);
    answers = [];
    await clock.advance(2_000);
    expect(phases()).toEqual(['Running']);
  });

  it('gives up on a pod that is not there any more', async () => {
    answers = [notFound(pods, 'web')];
    writer.set(aPod(), { phase: '1' });
    await writer.flush('uid-1');
    writer.set(aPod(), { phase: '2' });
    await writer.flush('uid-1');
    expect(phases()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('writes again what lost its races against other writers', async () => {
    answers = [conflict(pods, 'web', 'others were quicker')];
    writer.set(aPod(), { phase: 'Running' });
    await clock.advance(2_000);
    expect(phases()).toEqual(['Running']);
  });

  it('writes again after a conflict of which the API cannot tell more', async () => {
    answers = [conflict(pods, 'web', 'others were quicker')];
    stored = new Error('away');
    writer.set(aPod(), { phase: 'Running' });
    await clock.advance(2_000);
    expect(phases()).toEqual(['Running']);
  });

  it.each<[string, Pod | Error]>([
    ['another', { ...aPod(), metadata: { ...aPod().metadata, uid: 'uid-2' } }],
    ['none', notFound(pods, 'web')],
  ])('gives up on a pod whose name %s has after a conflict', async (_, now) => {
    answers = [conflict(pods, 'web', 'the uid is another')];
    stored = now;
    writer.set(aPod(), { phase: '1' });
    await clock.advance(5_000);
    writer.set(aPod(), { phase: '2' });
    await clock.advance(5_000);
    expect(phases()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the agent', async () => {
    answers = [new Error('away')];
    writer.set(aPod(), { phase: '1' });
    await clock.advance(0);
    writer.close();
    await writer.flush('uid-1');
    expect(clock.pendingTimers).toBe(0);
  });

  describe('of a pod that the API has as another one', () => {
    const copy = (uid: string): Pod => ({ ...aPod(), metadata: { ...aPod().metadata, uid } });
    let now: Pod;
    beforeEach(() => {
      now = copy('first');
      target = () => now;
    });
    /** The copy is made anew while the first has a status on its way. */
    const madeAnewBy = (answer: Promise<void>): (() => Promise<void>) => {
      answers = [answer];
      writer.set(aPod(), { phase: 'Running' });
      return async () => {
        now = copy('second');
        writer.retarget('uid-1');
        stored = now;
      };
    };

    it('writes it once more where the first was written to a copy that has gone', async () => {
      const answer = Promise.withResolvers<void>();
      await madeAnewBy(answer.promise)();
      answer.resolve();
      await writer.flush('uid-1');
      expect(phases()).toEqual(['Running', 'Running']);
    });

    it('writes it to the new one where the first went as it was written', async () => {
      const answer = Promise.withResolvers<void>();
      await madeAnewBy(answer.promise)();
      answer.reject(notFound(pods, 'web'));
      await writer.flush('uid-1');
      expect(phases()).toEqual(['Running']);
    });
  });
});
