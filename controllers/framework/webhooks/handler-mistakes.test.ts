// Mistakes in handlers, without sockets: each is told with its mend, and none holds up another webhook.
import { describe, expect, it } from 'vitest';
import { ConfigMaps, Pods } from '../../../api/kinds.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { ask, CONFIG, review } from '../../../test/support/asked-webhook.ts';
import { allow, type AdmissionRequest } from './admission.ts';
import { MAX_DEPTH } from './plain-json.ts';
import { MAX_CALLS_AT_ONCE, MAX_MESSAGE_CHARS, ReviewDesk, type Webhook } from './review-desk.ts';
import { mutating, validating } from './webhook.ts';

const clock = new VirtualClock();
const never = new AbortController().signal;

const nested = (depth: number) => {
  let value: object = {};
  for (let level = 1; level < depth; level++) value = { a: value };
  return value;
};

describe('a mistake in a handler is told with its mend', () => {
  const objectOf = (request: AdmissionRequest) => request.object as unknown as typeof CONFIG;
  const CASES: readonly (readonly [
    string,
    'v' | 'm',
    (request: AdmissionRequest) => any,
    string,
  ])[] = [
    ['throws', 'v', () => Promise.reject(new Error('no route')), 'admit of NAME failed: no route'],
    ['throws no error', 'v', () => Promise.reject('odd' as never), 'admit of NAME failed: odd'],
    ['answers nothing', 'v', () => undefined, "answered nothing: return allow() or deny('why')"],
    ['answers true', 'v', () => true, "answered the boolean true: return allow() or deny('why')"],
    [
      'answers a part of the API',
      'v',
      () => ({ allowed: true }),
      'an object with the fields allowed',
    ],
    [
      'changes what it checks',
      'v',
      (r) => allow({ object: { ...r.object! } }),
      'only mutating webhooks',
    ],
    [
      'changes in place',
      'm',
      (r) => {
        objectOf(r).data.key = 'x';
        return r.object;
      },
      'which is frozen (Cannot assign to read only property',
    ],
    [
      'adds in place',
      'm',
      (r) => Object.assign(objectOf(r).metadata.labels, { b: 'c' }),
      'return a changed copy',
    ],
    [
      'answers a part of the object',
      'm',
      () => ({ metadata: { labels: { a: 'b' } } }),
      'an object with the fields metadata: return the whole changed object',
    ],
    [
      'answers a patch',
      'm',
      () => [{ op: 'remove', path: '/data' }],
      'answered a list: return the whole',
    ],
    ['answers false', 'm', () => false, 'answered the boolean false: return the whole'],
    [
      'answers a date',
      'm',
      (r) => ({ ...r.object!, data: { at: new Date(0) } }),
      'data.at is a Date: write it as text',
    ],
    [
      'answers an undefined item',
      'm',
      (r) => ({ ...r.object!, list: [1, undefined] }),
      'list[1] is undefined',
    ],
    [
      'answers a promise inside',
      'm',
      (r) => ({ ...r.object!, data: Promise.resolve() }),
      'await it',
    ],
    [
      'answers what is nested too deeply',
      'm',
      (r) => ({ ...r.object!, data: nested(MAX_DEPTH + 1) }),
      'answered what JSON cannot hold: data.a.a',
    ],
    ['answers NaN', 'm', (r) => ({ ...r.object!, data: { n: Number.NaN } }), 'data.n is NaN'],
    [
      'answers a map',
      'm',
      (r) => ({ ...r.object!, data: new Map() }),
      'data is a Map, no plain object',
    ],
    [
      'asks a client that it was not given',
      'v',
      ((_: AdmissionRequest, { client }: { client: object }) => (client ? allow() : 0)) as never,
      'there is no client: give serveWebhooks its `tools`',
    ],
    ['warns with no text', 'v', () => allow({ warnings: [7 as never] }), 'that are no texts'],
    ['warns without a list', 'v', () => allow({ warnings: 'x' as never }), 'that are no texts'],
  ];
  for (const [what, sort, admit, words] of CASES)
    it(`it ${what}`, async () => {
      const name = 'a.test.local';
      const webhook =
        sort === 'v'
          ? validating(ConfigMaps, { name, admit: admit as never })
          : mutating(ConfigMaps, { name, admit: admit as never });
      const { code, text } = await ask(webhook, review());
      expect(code).toBe(500);
      expect(text).toContain(words.replace('NAME', name));
    });

  it('is cut where its words are too many', async () => {
    const throwing = () => Promise.reject(new Error('x'.repeat(MAX_MESSAGE_CHARS)));
    const { text } = await ask(validating(ConfigMaps, { admit: throwing }), review());
    expect(text).toHaveLength(MAX_MESSAGE_CHARS);
    expect(text).toContain('failed: xxx');
  });

  it('it never ends, and the others go on', async () => {
    const signals: AbortSignal[] = [];
    const hanging = validating(ConfigMaps, {
      admit: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const fine = validating(Pods, { admit: () => allow() });
    const desk = new ReviewDesk([hanging, fine], { clock, logger: silentLogger });
    const call = (webhook: Webhook, body: object) =>
      desk.answer({
        target: `${webhook.path}?timeout=2s`,
        text: JSON.stringify(body),
        signal: never,
      });
    const waiting = Array.from({ length: MAX_CALLS_AT_ONCE }, () => call(hanging, review()));
    const beyond = await call(hanging, review());
    expect(beyond.code).toBe(429);
    expect(beyond.body).toContain('100 calls of validate.configmaps.core have not ended');
    const pod = { ...CONFIG, kind: 'Pod' };
    const resource = { group: '', version: 'v1', resource: 'pods' };
    expect((await call(fine, review({ resource, object: pod }))).code).toBe(200);
    await clock.advance(1_799);
    expect(signals.some(({ aborted }) => aborted)).toBe(false);
    await clock.advance(1);
    for (const each of await Promise.all(waiting)) {
      expect(each.code).toBe(500);
      expect(each.body).toBe(
        'validate.configmaps.core did not answer within 1800 ms: let it do less, or raise timeoutSeconds (30 at most)',
      );
    }
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    // Calls that do not heed their signal have not ended.
    expect((await call(hanging, review())).code).toBe(429);
  });

  it('nobody waits for it: the handler is told, and its place is free once it ends', async () => {
    const own = new VirtualClock();
    const webhook = validating(ConfigMaps, {
      admit: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    const desk = new ReviewDesk([webhook], { clock: own, logger: silentLogger });
    const text = JSON.stringify(review());
    for (let i = 0; i <= MAX_CALLS_AT_ONCE; i++) {
      const each = new AbortController();
      const reply = desk.answer({ target: webhook.path, text, signal: each.signal });
      each.abort();
      expect((await reply).body).toBe('nobody waits for the answer any more');
    }
    await own.advance(0);
    expect(own.pendingTimers).toBe(0);
  });
});
