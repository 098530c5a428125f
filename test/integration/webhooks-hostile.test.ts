// Webhooks that hang, lie, flood or break off: each request ends with upstream's words, nothing is let through that should
// not be, and the rest of the API goes on meanwhile.
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  MAX_AUDIT_ANNOTATIONS,
  MAX_WARNINGS,
} from '../../apiserver/admission/webhooks/admission-review.ts';
import { MAX_WAITING_CALLS } from '../../apiserver/admission/webhooks/webhook-caller.ts';
import { MAX_OPERATIONS } from '../../apiserver/patch/json-patch.ts';
import {
  aConfigMap,
  aHookedServer,
  type Hooked,
  NS,
  patching,
} from '../support/webhook-configuration.ts';
import { until } from '../support/until.ts';
import type { Answering } from '../support/webhook-server.ts';

let on: Hooked;
beforeAll(async () => {
  on = await aHookedServer();
});
afterAll(() => on.close());
afterEach(() => on.clear());

const EVIL = { name: 'evil.test.local' };
const create = (name: string, data?: Record<string, string>) =>
  on.ask(`POST ${NS}/configmaps`, aConfigMap(name, data));

const byHand =
  (say: (response: ServerResponse) => unknown): Answering =>
  (_, { response }) => {
    say(response);
    return undefined;
  };
const review = (response: unknown, more: object = {}) =>
  JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response, ...more });

describe('an answer that is none refuses the request', () => {
  const CASES: readonly (readonly [string, Answering, string])[] = [
    ['cut off', byHand((response) => response.destroy()), ': EOF'],
    ['no JSON', byHand((response) => response.end('<html>')), 'the answer is not JSON'],
    ['no object', byHand((response) => response.end('[]')), 'the answer is not a review'],
    ['null', byHand((response) => response.end('null')), 'the answer is not a review'],
    [
      'too large',
      byHand((response) => response.end(`"${'x'.repeat(5_000_000)}"`)),
      'the answer is larger than 4718592 bytes',
    ],
    [
      'a redirect',
      byHand((response) => response.writeHead(307, { location: on.hook.at('/yes').url }).end()),
      'the server responded with the status code 307',
    ],
    [
      'of another uid',
      () => ({ allowed: true, uid: 'mine' }),
      'received invalid webhook response: expected response.uid="',
    ],
    [
      'of another kind',
      byHand((response) => response.end(review({ allowed: true }, { kind: 'Pod' }))),
      'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got admission.k8s.io/v1, Kind=Pod',
    ],
    [
      'without a response',
      byHand((response) => response.end(review(null))),
      'webhook response was absent',
    ],
    ['that allows by a text', () => ({ allowed: 'yes' }), 'response.allowed must be true or false'],
    [
      'a patch without its type',
      () => ({ allowed: true, patch: 'W10=' }),
      'webhook returned response.patch but not response.patchType',
    ],
    [
      'a patch of another type',
      () => ({ allowed: true, patch: 'W10=', patchType: 'Merge' }),
      'webhook returned invalid response.patchType of "Merge"',
    ],
    [
      'a type without a patch',
      () => ({ allowed: true, patchType: 'JSONPatch' }),
      'webhook returned response.patchType but not response.patch',
    ],
  ];

  it.each(CASES)('%s', async (what, answering, why) => {
    on.hook.on('/evil', answering);
    await on.configure('mutating', 'm', [EVIL]);
    const name = what.replaceAll(' ', '-');
    const answer = await create(name);
    expect(answer.status, answer.text).toBe(500);
    const { message, reason } = answer.json();
    expect(reason).toBe('InternalError');
    expect(message).toContain(
      'Internal error occurred: failed calling webhook "evil.test.local": ',
    );
    expect(message).toContain(why);
    expect((await on.ask(`GET ${NS}/configmaps/${name}`)).status).toBe(404);
  });

  it('also where its certificate is of another authority', async () => {
    on.hook.on('/evil', () => ({ allowed: true }));
    const { url } = on.hook.at('/evil');
    await on.configure('validating', 'v', [{ ...EVIL, clientConfig: { url } }]);
    expect((await create('stranger')).json().message).toContain(
      'x509: certificate signed by unknown authority',
    );
  });
});

describe('a patch that would hurt is refused', () => {
  const refused = async (name: string, ...operations: object[]) => {
    on.hook.on('/evil', () => patching(...operations));
    // Failures of patches are no failures of calls: Ignore does not let them pass.
    await on.configure('mutating', 'm', [{ ...EVIL, failurePolicy: 'Ignore' }]);
    const answer = await create(name, { a: 'x'.repeat(100_000) });
    expect(answer.status, answer.text).toBe(500);
    expect((await on.ask(`GET ${NS}/configmaps/${name}`)).status).toBe(404);
    return answer.json().message as string;
  };

  it('by the hundred megabytes that its copies would make', async () => {
    const doubling = Array.from({ length: 1_000 }, (_, i) => ({
      op: 'copy',
      from: '/data/a',
      path: `/data/c${i}`,
    }));
    expect(await refused('copies', ...doubling)).toContain('copied values may take up to');
  });

  it('by the number of its operations', async () => {
    const many = Array.from({ length: MAX_OPERATIONS + 1 }, () => ({
      op: 'test',
      path: '/kind',
      value: 'ConfigMap',
    }));
    expect(await refused('many', ...many)).toContain('allowed maximum operations');
  });

  it('out of range, or to a prototype', async () => {
    expect(
      await refused('range', { op: 'add', path: '/metadata/finalizers/9', value: 'x' }),
    ).toContain('sent a patch that does not fit');
    await on.clear();
    expect(
      await refused('proto', { op: 'add', path: '/__proto__/polluted', value: 'yes' }),
    ).toContain('sent a patch that does not fit');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it('that is no list of operations', async () => {
    on.hook.on('/evil', () => ({ allowed: true, patchType: 'JSONPatch', patch: 'e30=' }));
    await on.configure('mutating', 'm', [EVIL]);
    expect((await create('no-list')).json().message).toContain('not a list of operations');
  });
});

it('of a flood of warnings and notes only so many are taken', async () => {
  const warnings = Array.from({ length: MAX_WARNINGS + 5 }, (_, i) => `w${i}`);
  const notes = Array.from({ length: MAX_AUDIT_ANNOTATIONS + 5 }, (_, i) => [`n${i}`, 'x']);
  on.hook.on('/evil', () => ({
    allowed: true,
    warnings: [7, ...warnings],
    auditAnnotations: { odd: 7, ...Object.fromEntries(notes) },
  }));
  await on.configure('validating', 'v', [EVIL]);
  const answer = await create('flood');
  expect(answer.status).toBe(201);
  expect(String(answer.headers['warning']).split(', ')).toHaveLength(MAX_WARNINGS - 1);
  const record = on.records.findLast(({ verb }) => verb === 'create');
  expect(Object.keys(record?.annotations ?? {})).toHaveLength(MAX_AUDIT_ANNOTATIONS);
});

it('while one webhook hangs, other requests are answered', async () => {
  const held: ServerResponse[] = [];
  on.hook.on(
    '/evil',
    byHand((response) => held.push(response)),
  );
  await on.configure('validating', 'v', [
    { ...EVIL, timeoutSeconds: 30, objectSelector: { matchLabels: { slow: 'yes' } } },
  ]);
  const slow = Array.from({ length: 20 }, (_, i) =>
    on.ask(`POST ${NS}/configmaps`, { metadata: { name: `slow-${i}`, labels: { slow: 'yes' } } }),
  );
  await until(() => held.length === slow.length);
  for (let i = 0; i < 20; i++) expect((await create(`quick-${i}`)).status).toBe(201);
  expect((await on.ask(`GET ${NS}/configmaps/quick-1`)).status).toBe(200);
  expect(held.every((response) => !response.writableEnded)).toBe(true);
  for (const response of held) response.writeHead(500).end();
  for (const answer of await Promise.all(slow)) expect(answer.status).toBe(500);
});

it('one that hangs takes only so many requests along, and those beyond are told to come again', async () => {
  const held: ServerResponse[] = [];
  on.hook.on(
    '/evil',
    byHand((response) => held.push(response)),
  );
  await on.configure('validating', 'v', [
    { ...EVIL, timeoutSeconds: 30, objectSelector: { matchLabels: { slow: 'yes' } } },
  ]);
  const slow = (name: string) =>
    on.ask(`POST ${NS}/configmaps`, { metadata: { name, labels: { slow: 'yes' } } });
  const waiting = Array.from({ length: MAX_WAITING_CALLS }, (_, i) => slow(`waits-${i}`));
  await until(() => held.length === MAX_WAITING_CALLS);
  const beyond = await slow('beyond');
  expect([beyond.status, beyond.headers['retry-after'], beyond.json().message]).toEqual([
    429,
    '1',
    'too many requests wait for admission webhook "evil.test.local", please try again later.',
  ]);
  expect((await create('unrelated')).status).toBe(201);
  for (const response of held.splice(0)) response.writeHead(500).end();
  for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(500);
  const next = slow('next');
  await until(() => held.length === 1);
  held[0]?.writeHead(500).end();
  expect((await next).status).toBe(500);
});

it('one that hangs is given up after its own time, and then its policy decides', async () => {
  on.hook.on(
    '/evil',
    byHand(() => undefined),
  );
  await on.configure('validating', 'v', [{ ...EVIL, timeoutSeconds: 1 }]);
  const answer = await create('late');
  expect(answer.status).toBe(500);
  expect(answer.json().message).toMatch(
    /^Internal error occurred: failed calling webhook "evil\.test\.local": failed to call webhook: Post "https:\/\/127\.0\.0\.1:\d+\/evil\?timeout=1s": context deadline exceeded$/,
  );
  await on.clear();
  await on.configure('validating', 'v', [{ ...EVIL, timeoutSeconds: 1, failurePolicy: 'Ignore' }]);
  expect((await create('late-and-open')).status).toBe(201);
});

it('a caller that goes away ends the call, and what it asked for does not happen', async () => {
  let ended = false;
  on.hook.on('/evil', (_, { response }) => {
    response.on('close', () => {
      ended = true;
    });
    return undefined;
  });
  await on.configure('validating', 'v', [{ ...EVIL, failurePolicy: 'Ignore', timeoutSeconds: 30 }]);
  const leaving = new AbortController();
  const before = on.hook.reviews('/evil').length;
  const reply = on.server.server.handler(
    {
      method: 'POST',
      path: `${NS}/configmaps`,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json' },
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'left' } },
      signal: leaving.signal,
    },
    { username: 'admin', groups: ['system:masters'] },
  );
  await until(() => on.hook.reviews('/evil').length > before);
  leaving.abort();
  expect(await reply).toMatchObject({ status: 504 });
  await until(() => ended);
  expect((await on.ask(`GET ${NS}/configmaps/left`)).status).toBe(404);
});
