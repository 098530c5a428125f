// TokenReviews: whose bearer token it is, and that a wrong one is an answer.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';

const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

let api: ApiCaller;
beforeAll(async () => {
  const ann = { username: 'ann', uid: '7', groups: ['people'], extra: { team: ['a'] } };
  api = await anApiCaller({ tokens: new Map([['secret', ann]]) });
});
afterAll(() => api.close());

const review = (token?: string, as?: string) =>
  api.call('POST', REVIEWS, { body: { spec: { token } }, ...(as === undefined ? {} : { as }) });

it('a token says whose it is', async () => {
  const { status, json } = await review('secret');
  expect(status).toBe(201);
  expect(json.status).toEqual({
    authenticated: true,
    audiences: ['https://kubernetes.default.svc.cluster.local'],
    user: {
      username: 'ann',
      uid: '7',
      groups: ['people', 'system:authenticated'],
      extra: { team: ['a'] },
    },
  });
});

it('a wrong token is nobody’s', async () => {
  for (const wrong of ['guess', 'a b', 'secret\nsecret']) {
    const { status, json } = await review(wrong);
    expect([status, json.status]).toEqual([201, { user: {}, error: 'invalid bearer token' }]);
  }
});

it('there is nothing to review without a token, nor for who may not ask', async () => {
  expect((await review()).status).toBe(400);
  expect((await review('secret', 'somebody')).status).toBe(403);
  expect((await api.call('GET', REVIEWS)).status).toBe(405);
});
