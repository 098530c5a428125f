// Tokens of ServiceAccounts: who gets one, what it says, and how long it counts.
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_TOKEN_CHARS, SigningKey } from '../../apiserver/auth/signing-key.ts';
import { legacyClaims, type TokenClaims } from '../../apiserver/auth/token-claims.ts';
import { systemClock } from '../../base/clock.ts';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
const TOKENS = `${ACCOUNTS}/robot/token`;
const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';
const HOUR_MS = 3_600_000;
const YEAR_S = 365 * 86_400;

let api: ApiCaller;
let skewMs: number;
const key = new SigningKey(SigningKey.generate());
beforeEach(async () => {
  skewMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
  api = await anApiCaller({ clock, accountTokens: { key } });
  await create(ACCOUNTS, { metadata: { name: 'robot' } });
});
afterEach(() => api.close());

const create = async (path: string, body: object): Promise<Json> => {
  const { status, text, json } = await api.call('POST', path, { body });
  expect(status, text).toBe(201);
  return json;
};
const remove = (path: string) =>
  api.call('DELETE', `${path}?gracePeriodSeconds=0`).then(({ status }) => expect(status).toBe(200));

const aPod = (name: string, serviceAccountName = 'robot') =>
  create('/api/v1/namespaces/default/pods', {
    metadata: { name },
    spec: { serviceAccountName, nodeName: 'n1', containers: [{ name: 'a', image: 'a:1' }] },
  });
const ask = (spec: object = {}, path = TOKENS) => api.call('POST', path, { body: { spec } });
const tokenFor = async (spec: object = {}): Promise<string> =>
  ((await create(TOKENS, { spec })).status as unknown as { token: string }).token;
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as TokenClaims;
const review = async (token: string, audiences?: string[]) =>
  (await create(REVIEWS, { spec: { token, audiences } })).status as Record<string, unknown>;
const counts = async (token: string) => (await review(token))['authenticated'] ?? false;
const tied = (kind: string, object: Json, uid = object.metadata.uid) => ({
  boundObjectRef: { apiVersion: 'v1', kind, name: object.metadata.name, uid },
});

describe('a token', () => {
  it('has MAX_TOKEN_CHARS at most: up to there it is accepted, beyond it is not made', async () => {
    const audience = (length: number) => ['x'.repeat(length)];
    const overhead = (await tokenFor({ audiences: audience(3) })).length - 4;
    // Base64 makes four characters of three.
    const fitting = Math.floor((MAX_TOKEN_CHARS - overhead) / 4) * 3;
    const longest = await tokenFor({ audiences: audience(fitting) });
    expect(MAX_TOKEN_CHARS - longest.length).toBeLessThan(8);
    expect(longest.length).toBeLessThanOrEqual(MAX_TOKEN_CHARS);
    const known = await review(longest, audience(fitting));
    expect(known).toMatchObject({ authenticated: true });
    const { status, json } = await ask({ audiences: audience(fitting + 9) });
    expect([status, json['reason']]).toEqual([422, 'Invalid']);
    expect(json['message']).toMatch(
      /^TokenRequest.*spec\.audiences: Too long: the token would have/,
    );
  });

  it('says whose it is, for whom and for how long, signed by the key that the server shows', async () => {
    const account = (await api.call('GET', `${ACCOUNTS}/robot`)).json;
    const answer = await create(TOKENS, { spec: {} });
    expect(answer).toMatchObject({
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: 'robot', namespace: 'default' },
      spec: { audiences: [ISSUER], expirationSeconds: 3600 },
    });
    const { token, expirationTimestamp } = answer.status as unknown as Record<string, string>;
    const claims = claimsOf(token ?? '');
    expect(claims).toEqual({
      aud: [ISSUER],
      exp: claims.iat + 3600,
      iat: expect.any(Number),
      iss: ISSUER,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'kubernetes.io': {
        namespace: 'default',
        serviceaccount: { name: 'robot', uid: account.metadata.uid },
      },
      nbf: claims.iat,
      sub: 'system:serviceaccount:default:robot',
    });
    expect(Date.parse(expirationTimestamp ?? '')).toBe(claims.exp * 1000);
    const { keys } = (await api.call('GET', '/openid/v1/jwks')).json as unknown as {
      keys: JsonWebKey[];
    };
    const [head, body, signature] = (token ?? '').split('.');
    const { kid, alg } = JSON.parse(Buffer.from(head ?? '', 'base64url').toString()) as JsonWebKey;
    expect(keys).toMatchObject([{ kid, alg, use: 'sig', kty: 'EC', crv: 'P-256' }]);
    const shown = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' });
    const form = { key: shown, dsaEncoding: 'ieee-p1363' } as const;
    const signed = Buffer.from(`${head}.${body}`);
    expect(verify('sha256', signed, form, Buffer.from(signature ?? '', 'base64url'))).toBe(true);
  });

  it('makes its holder the account, with its groups, and what it is tied to', async () => {
    const node = await create('/api/v1/nodes', { metadata: { name: 'n1' } });
    const pod = await aPod('p');
    const token = await tokenFor(tied('Pod', pod));
    const jti = claimsOf(token).jti;
    expect(await review(token)).toEqual({
      authenticated: true,
      audiences: [ISSUER],
      user: {
        username: 'system:serviceaccount:default:robot',
        uid: expect.any(String),
        groups: [
          'system:serviceaccounts',
          'system:serviceaccounts:default',
          'system:authenticated',
        ],
        extra: {
          'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
          'authentication.kubernetes.io/pod-name': ['p'],
          'authentication.kubernetes.io/pod-uid': [pod.metadata.uid],
          'authentication.kubernetes.io/node-name': ['n1'],
          'authentication.kubernetes.io/node-uid': [node.metadata.uid],
        },
      },
    });
  });

  it('is for its audiences alone', async () => {
    const token = await tokenFor({ audiences: ['vault', 'mesh'] });
    expect(await review(token)).toMatchObject({
      user: {},
      error: expect.stringContaining('vault'),
    });
    expect(await review(token, ['mesh', 'other'])).toMatchObject({
      authenticated: true,
      audiences: ['mesh'],
    });
    expect(await review(token, ['other'])).not.toHaveProperty('authenticated');
  });

  it('expires', async () => {
    const token = await tokenFor({ expirationSeconds: 600 });
    skewMs = 600_000 + 30_000;
    expect(await counts(token), 'clocks may differ').toBe(true);
    skewMs = 600_000 + 62_000;
    expect(await review(token)).toMatchObject({ error: expect.stringContaining('expired') });
    skewMs = -HOUR_MS;
    expect(await counts(token), 'not begun yet').toBe(false);
  });

  it('that was changed, or signed by another key or none, is nobody’s', async () => {
    const token = await tokenFor();
    const [head = '', body = '', signature = ''] = token.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const more = encoded({ ...claimsOf(token), exp: 9_999_999_999 });
    const none = encoded({ alg: 'none' });
    for (const wrong of [
      `${head}.${more}.${signature}`,
      `${none}.${body}.`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${token}.${signature}`,
      new SigningKey(SigningKey.generate()).sign(claimsOf(token)),
      `${head}.${'a'.repeat(20_000)}.${signature}`,
    ])
      expect(await review(wrong)).toEqual({ user: {}, error: 'invalid bearer token' });
    expect(await counts(token)).toBe(true);
  });
});

describe('a token ends', () => {
  it('with its account, also when a namesake follows', async () => {
    const token = await tokenFor();
    await remove(`${ACCOUNTS}/robot`);
    expect(await counts(token)).toBe(false);
    await create(ACCOUNTS, { metadata: { name: 'robot' } });
    expect(await review(token)).toMatchObject({ error: expect.stringContaining('invalidated') });
  });

  it('with the pod, the secret or the node that it is tied to', async () => {
    const objects = [
      ['Pod', '/api/v1/namespaces/default/pods/x', await aPod('x')],
      [
        'Secret',
        '/api/v1/namespaces/default/secrets/x',
        await create('/api/v1/namespaces/default/secrets', { metadata: { name: 'x' } }),
      ],
      ['Node', '/api/v1/nodes/x', await create('/api/v1/nodes', { metadata: { name: 'x' } })],
    ] as const;
    for (const [kind, path, object] of objects) {
      const token = await tokenFor(tied(kind, object));
      expect(await counts(token), kind).toBe(true);
      await remove(path);
      expect(await counts(token), kind).toBe(false);
    }
  });

  it('a minute after the grace of a pod that does not go', async () => {
    const pod = await aPod('slow');
    const token = await tokenFor(tied('Pod', pod));
    await api.call('PATCH', '/api/v1/namespaces/default/pods/slow', {
      type: 'application/merge-patch+json',
      body: { metadata: { finalizers: ['example.com/hold'] } },
    });
    await api.call('DELETE', '/api/v1/namespaces/default/pods/slow?gracePeriodSeconds=0');
    expect(await counts(token)).toBe(true);
    skewMs = 70_000;
    expect(await counts(token)).toBe(false);
  });
});

describe('a request for a token', () => {
  it('of no account, or with what cannot be, is refused and says why', async () => {
    expect((await ask({}, `${ACCOUNTS}/nobody/token`)).status).toBe(404);
    for (const [spec, status, why] of [
      [{ expirationSeconds: 599 }, 422, 'may not specify a duration less than 10 minutes'],
      [{ expirationSeconds: 2 ** 32 + 1 }, 422, 'may not specify a duration larger than 2^32'],
      [{ boundObjectRef: { kind: 'ConfigMap', apiVersion: 'v1', name: 'a' } }, 400, 'cannot bind'],
      [{ boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'none' } }, 404, 'not found'],
      [{ audiences: 'vault' }, 400, 'audiences'],
    ] as const) {
      const answer = await ask(spec);
      expect([answer.status, answer.json.message]).toEqual([status, expect.stringContaining(why)]);
    }
    expect((await api.call('POST', TOKENS)).status).toBe(400);
    expect((await api.call('GET', TOKENS)).status).toBe(405);
    const named = await api.call('POST', TOKENS, { body: { metadata: { name: 'x' }, spec: {} } });
    expect([named.status, named.json.message]).toEqual([400, expect.stringContaining('URL')]);
  });

  it('tied to an object that is another by now, or to a pod of another account, is refused', async () => {
    const pod = await aPod('p');
    const other = await ask(tied('Pod', pod, '00000000-0000-4000-8000-000000000000'));
    expect([other.status, other.json.reason]).toEqual([409, 'Conflict']);
    await create(ACCOUNTS, { metadata: { name: 'second' } });
    const foreign = await aPod('q', 'second');
    expect((await ask(tied('Pod', foreign))).status).toBe(400);
  });

  it('needs the right to create tokens of that account', async () => {
    const { status, json } = await api.call('POST', TOKENS, { body: { spec: {} }, as: 'ann' });
    expect([status, json.message]).toEqual([
      403,
      expect.stringContaining('cannot create resource "serviceaccounts/token"'),
    ]);
  });

  it('for what pods are given is answered with a year, and says when to come again', async () => {
    const pod = await aPod('p');
    const answer = await create(TOKENS, {
      spec: { expirationSeconds: 3607, ...tied('Pod', pod) },
    });
    const { token, expirationTimestamp } = answer.status as unknown as Record<string, string>;
    const { iat, exp, 'kubernetes.io': about } = claimsOf(token ?? '');
    expect(exp - iat).toBe(YEAR_S);
    expect(about.warnafter).toBe(iat + 3607);
    expect(Date.parse(expirationTimestamp ?? '')).toBe((iat + 3607) * 1000);
    const plain = claimsOf(await tokenFor({ expirationSeconds: 3607 }));
    expect(plain.exp - plain.iat).toBe(3607);
  });

  it('for longer than the server allows is shortened, with a warning', async () => {
    const strict = await anApiCaller({ accountTokens: { maxSeconds: 7200 } });
    try {
      await strict.call('POST', ACCOUNTS, { body: { metadata: { name: 'robot' } } });
      const { json, headers } = await strict.call('POST', TOKENS, {
        body: { spec: { expirationSeconds: 9000 } },
      });
      expect(json.spec).toMatchObject({ expirationSeconds: 7200 });
      expect(String(headers['warning'])).toContain(
        'requested expiration of 9000 seconds shortened to 7200 seconds',
      );
    } finally {
      await strict.close();
    }
  });
});

it('a token kept in a Secret counts while the Secret holds it and its account is there', async () => {
  const account = (await api.call('GET', `${ACCOUNTS}/robot`)).json;
  const { name = '', uid = '' } = account.metadata;
  const claims = legacyClaims({ namespace: 'default', account: { name, uid }, secret: 'old' });
  const token = key.sign(claims);
  expect(await counts(token), 'no Secret').toBe(false);
  const secret = '/api/v1/namespaces/default/secrets/old';
  await create('/api/v1/namespaces/default/secrets', {
    metadata: { name: 'old' },
    data: { token: Buffer.from(token).toString('base64') },
  });
  const { user } = (await review(token)) as { user: object };
  expect(user).toMatchObject({ username: 'system:serviceaccount:default:robot', uid });
  await api.call('PATCH', secret, {
    type: 'application/merge-patch+json',
    body: { data: { token: 'b3RoZXI=' } },
  });
  expect(await counts(token), 'another token in it').toBe(false);
});

it('the issuer’s documents are there for who may read them', async () => {
  const { json, headers } = await api.call('GET', '/.well-known/openid-configuration');
  expect(json).toMatchObject({
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
  expect(headers['content-type']).toBe('application/json');
  expect((await api.call('GET', '/openid/v1/jwks', { as: 'ann' })).status).toBe(403);
});
