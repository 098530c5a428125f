// Events as the real API server keeps them: told once, then counted.
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../base/logger.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { Events } from '../../api/kinds.ts';
import type { Event } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { StatusError } from '../../api/status.ts';
import {
  ClientEventRecorder,
  EVENTS_AT_ONCE,
  LAST_WORDS_MS,
  MAX_PENDING_EVENTS,
  REPEAT_WINDOW_MS,
  SEND_PACE,
} from '../../client/events/recorder.ts';
import { COMBINED, MAX_SIMILAR_EVENTS } from '../../client/events/similar-events.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import { anApiServer } from '../support/client-server.ts';
import { FaultyTransport } from '../support/faulty-transport.ts';
import { until } from '../support/until.ts';

const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-1', namespace: 'default', uid: 'u1', resourceVersion: '7' },
};
const note = { type: 'Warning', reason: 'BackOff', message: 'restarting' } as const;

async function withRecorder(
  test: (parts: {
    recorder: ClientEventRecorder;
    clock: VirtualClock;
    transport: FaultyTransport;
    events: ReturnType<typeof list>;
  }) => Promise<void>,
): Promise<void> {
  const server = await anApiServer();
  const transport = new FaultyTransport(() => server.transport);
  const clock = new VirtualClock();
  const recorder = new ClientEventRecorder({
    client: createClient(transport),
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    component: 'kubelet',
    host: 'node-1',
  });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  try {
    await test({ recorder, clock, transport, events: list(server.transport) });
  } finally {
    stop.abort(new Error('the test is over'));
    await running;
    await server.close();
  }
}

const list = (transport: FaultyTransport | Parameters<typeof createClient>[0]) => async () =>
  (await createClient(transport).resource(Events).list({ namespace: 'default' })).items;

describe('the event recorder', () => {
  it('tells what happened to which object, when, and by whom', async () => {
    await withRecorder(async ({ recorder, events }) => {
      recorder.event(pod, note);
      await until(() => recorder.counters.sent === 1);
      expect(await events()).toMatchObject([
        {
          involvedObject: {
            apiVersion: 'v1',
            kind: 'Pod',
            name: 'web-1',
            namespace: 'default',
            uid: 'u1',
          },
          type: 'Warning',
          reason: 'BackOff',
          message: 'restarting',
          source: { component: 'kubelet', host: 'node-1' },
          reportingComponent: 'kubelet',
          firstTimestamp: '2026-01-01T00:00:00Z',
          lastTimestamp: '2026-01-01T00:00:00Z',
          count: 1,
        },
      ]);
    });
  });

  it('tells of which part of the object, and keeps what happened to two of them apart', async () => {
    await withRecorder(async ({ recorder, events }) => {
      const parts = ['spec.containers{a}', 'spec.containers{b}'];
      for (const fieldPath of parts) recorder.event(pod, { ...note, fieldPath });
      await until(() => recorder.counters.sent === 2);
      const told = await events();
      const paths = told.map(({ involvedObject }) => involvedObject.fieldPath);
      expect(new Set(paths)).toEqual(new Set(parts));
      expect(told.map(({ count }) => count)).toEqual([1, 1]);
    });
  });

  it('counts repeats on the first event, whether it was sent yet or not', async () => {
    await withRecorder(async ({ recorder, clock, events }) => {
      recorder.event(pod, note);
      recorder.event(pod, note);
      await until(() => recorder.counters.sent === 1);
      await clock.advance(5_000);
      recorder.event(pod, note);
      recorder.event(pod, { ...note, message: 'another' });
      await until(() => recorder.counters.sent === 3);
      const found = await events();
      expect(found.map(({ message, count }) => [message, count])).toEqual(
        expect.arrayContaining([
          ['restarting', 3],
          ['another', 1],
        ]),
      );
      expect(found.find(({ count }) => count === 3)?.lastTimestamp).toBe('2026-01-01T00:00:05Z');
    });
  });

  it('combines many that differ in their messages alone: one event, counted, with the latest message', async () => {
    await withRecorder(async ({ recorder, clock, events }) => {
      for (let i = 0; i < MAX_SIMILAR_EVENTS + 3; i++)
        recorder.event(pod, { ...note, message: `try ${i}` });
      await until(() => recorder.counters.sent === MAX_SIMILAR_EVENTS + 1);
      await clock.advance(1000);
      recorder.event(pod, { ...note, message: `latest ${'x'.repeat(2000)}` });
      recorder.event(pod, { ...note, reason: 'Other', message: 'by itself' });
      await until(() => recorder.counters.sent === MAX_SIMILAR_EVENTS + 3);
      const found = await events();
      expect(found).toHaveLength(MAX_SIMILAR_EVENTS + 2);
      const combined = found.filter(({ message }) => message?.startsWith(COMBINED));
      expect(combined).toMatchObject([{ count: 4, lastTimestamp: '2026-01-01T00:00:01Z' }]);
      expect(combined[0]?.message).toMatch(/: latest x+$/);
      expect(combined[0]?.message).toHaveLength(1024);
    });
  });

  it('tells anew what happens again after a long time, or after its event was deleted', async () => {
    await withRecorder(async ({ recorder, clock, events, transport }) => {
      recorder.event(pod, note);
      await until(() => recorder.counters.sent === 1);
      await clock.advance(REPEAT_WINDOW_MS);
      recorder.event(pod, note);
      await until(() => recorder.counters.sent === 2);
      expect((await events()).length).toBe(2);
      await createClient(transport).resource(Events).deleteCollection({ namespace: 'default' });
      recorder.event(pod, note);
      await until(() => recorder.counters.sent === 3);
      expect((await events()).map(({ count }) => count)).toEqual([1]);
    });
  });

  it('tries again when the server is out of reach, and drops with a count what cannot be kept', async () => {
    await withRecorder(async ({ recorder, clock, transport, events }) => {
      transport.failNext(new ConnectionError('lost', 'away'));
      recorder.event(pod, note);
      await until(() => clock.pendingTimers > 0);
      for (let i = 0; i <= MAX_PENDING_EVENTS + 10; i++)
        recorder.event({ ...pod, metadata: { ...pod.metadata, uid: `u${i + 2}` } }, note);
      expect(recorder.counters.dropped).toBe(11);
      await clock.advance(10_000);
      await until(() => recorder.counters.sent === MAX_PENDING_EVENTS + 1);
      expect((await events()).length).toBe(MAX_PENDING_EVENTS + 1);
    });
  });

  it('keeps the order of what happened to one object though the first is refused once, and holds up no other', async () => {
    await withRecorder(async ({ recorder, clock, transport, events }) => {
      const told = ['Pulling', 'Pulled', 'Created', 'Started'];
      transport.failNext(new StatusError('ServiceUnavailable', 'the server is starting'));
      for (const reason of told) recorder.event(pod, { ...note, reason });
      const other = { ...pod, metadata: { ...pod.metadata, name: 'web-2', uid: 'u2' } };
      for (const reason of told) recorder.event(other, { ...note, reason });
      await until(() => recorder.counters.sent >= told.length && clock.pendingTimers > 0);
      const before = await events();
      expect(before.map(({ involvedObject }) => involvedObject.name)).toEqual(
        told.map(() => 'web-2'),
      );
      await clock.advance(10_000);
      await until(() => recorder.counters.sent === 2 * told.length);
      const version = (event: Event) => Number(event.metadata.resourceVersion);
      const all = (await events()).toSorted((a, b) => version(a) - version(b));
      for (const name of ['web-1', 'web-2']) {
        const about = all.filter(({ involvedObject }) => involvedObject.name === name);
        expect(about.map(({ reason }) => reason)).toEqual(told);
      }
    });
  });

  it('sends at once what is told now and then, and together what comes in a storm', async () => {
    await withRecorder(async ({ recorder, clock, transport }) => {
      const tell = (i: number) =>
        recorder.event({ ...pod, metadata: { ...pod.metadata, uid: `u${i}` } }, note);
      const paceMs = 1000 / SEND_PACE.perSecond;
      for (let i = 1; i <= SEND_PACE.burst; i++) {
        tell(i);
        await until(() => recorder.counters.sent === i);
      }
      const before = transport.requests.length;
      for (let i = 1; i <= EVENTS_AT_ONCE; i++) {
        tell(SEND_PACE.burst + i);
        await until(() => clock.pendingTimers === 1);
      }
      await clock.advance(paceMs - 1);
      expect(transport.requests).toHaveLength(before);
      await clock.advance(1);
      await until(() => recorder.counters.sent === SEND_PACE.burst + EVENTS_AT_ONCE);
    });
  });

  it('ends in time though the server answers nothing any more', async () => {
    const server = await anApiServer();
    const clock = new VirtualClock();
    let asked = 0;
    const request = ({ signal }: { readonly signal?: AbortSignal | undefined }): Promise<never> => {
      asked++;
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    const recorder = new ClientEventRecorder({
      client: createClient({ ...server.transport, request }),
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      component: 'kubelet',
    });
    const stop = new AbortController();
    let ended = false;
    const running = recorder.run(stop.signal).then(() => (ended = true));
    const told = EVENTS_AT_ONCE + 2;
    for (let i = 0; i < told; i++)
      recorder.event({ ...pod, metadata: { ...pod.metadata, uid: `u${i}` } }, note);
    await until(() => asked === EVENTS_AT_ONCE);
    stop.abort(new Error('the test is over'));
    await clock.advance(LAST_WORDS_MS - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    await running;
    expect(recorder.counters).toMatchObject({ recorded: told, sent: 0, dropped: told });
    expect([asked, clock.pendingTimers]).toEqual([EVENTS_AT_ONCE, 0]);
    await server.close();
  });
});
