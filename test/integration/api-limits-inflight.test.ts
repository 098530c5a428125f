// How many requests are worked on at once: those beyond are told to come again, administrators and long ones come through.
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import {
  Inflight,
  MAX_MUTATING_REQUESTS_INFLIGHT,
  MAX_REQUESTS_INFLIGHT,
} from '../../apiserver/inflight.ts';
import { requestInfo } from '../../apiserver/request-info.ts';
import { anApiCaller } from '../support/api-caller.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A storage whose writes wait for `go` once `hold` was called. */
function holdable() {
  const real = createMemoryStorage({ clock: systemClock, logger: silentLogger });
  let gate = Promise.resolve();
  let open = () => {};
  const storage: Storage = {
    commit: async (...all) => {
      await gate;
      return real.commit(...all);
    },
    pending: (key) => real.pending(key),
    page: (...all) => real.page(...all),
    watch: (...all) => real.watch(...all),
    compact: (to) => real.compact(to),
    range: () => real.range(),
    close: () => real.close(),
    barrier: (signal) => real.barrier(signal),
  };
  const hold = () => {
    gate = new Promise((resolve) => {
      open = () => resolve();
    });
  };
  return { storage, hold, go: () => open() };
}

const REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const PODS = '/api/v1/namespaces/default/pods';

describe('A full server', () => {
  it('turns writes away with 429 and Retry-After, but no administrator, no read, no watch', async () => {
    const { storage, hold, go } = holdable();
    const api = await anApiCaller({ storage, maxMutatingRequestsInflight: 2 });
    endings.push(() => api.close());
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { nonResourceAttributes: { path: '/', verb: 'get' } },
    };
    const ask = () => api.call('POST', REVIEWS, { body: review, as: 'eve' });
    hold();
    const writes = ['a', 'b'].map((name) =>
      api.call('POST', '/api/v1/namespaces', { body: { metadata: { name } } }),
    );
    const full = await ask();
    expect(full.status).toBe(429);
    expect(full.headers['retry-after']).toBe('1');
    expect(full.json).toMatchObject({
      kind: 'Status',
      reason: 'TooManyRequests',
      message: 'Too many requests, please try again later.',
      details: { retryAfterSeconds: 1 },
    });
    expect((await api.call('GET', PODS)).status).toBe(200);
    const watch = await api.watch(PODS);
    watch.stop();
    const third = api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'c' } } });
    go();
    for (const made of await Promise.all([...writes, third])) expect(made.status).toBe(201);
    expect((await ask()).status).toBe(201);
    const figures = (await api.call('GET', '/metrics')).text;
    expect(figures).toMatch(/^apiserver_request_terminations_total\{.*code="429".*\} 1$/m);
    expect(figures).toContain('apiserver_current_inflight_requests{request_kind="mutating"} 0');
    expect(figures).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1');
  });
});

describe('Without options', () => {
  const eve = { username: 'eve', groups: [] };
  const infoOf = (method: 'GET' | 'POST', path: string) =>
    requestInfo({ method, path, query: new URLSearchParams() });

  it.each([
    ['GET', MAX_REQUESTS_INFLIGHT, 400],
    ['POST', MAX_MUTATING_REQUESTS_INFLIGHT, 200],
  ] as const)('%s is taken %i times at once, as upstream', (method, limit, upstream) => {
    expect(limit).toBe(upstream);
    const inflight = new Inflight();
    const info = infoOf(method, PODS);
    const taken = Array.from({ length: limit }, () => inflight.enter(eve, info));
    expect(() => inflight.enter(eve, info)).toThrow('Too many requests');
    inflight.leave(taken[0]);
    expect(() => inflight.enter(eve, info)).not.toThrow();
  });

  it('what runs for long is not counted', () => {
    const inflight = new Inflight({ maxRequestsInflight: 0, maxMutatingRequestsInflight: 0 });
    for (const part of ['exec', 'attach', 'portforward', 'log', 'proxy'])
      expect(inflight.enter(eve, infoOf('GET', `${PODS}/a/${part}`))).toBeUndefined();
    expect(() => inflight.enter(eve, infoOf('GET', PODS))).toThrow('Too many requests');
  });
});
