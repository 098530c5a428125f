// Tests of what pull secrets say and which of it is meant for an image: the rules of upstream's keyring.
import { describe, expect, it } from 'vitest';
import type { Secret } from '../../api/generated/types.ts';
import { BadPullSecret, credentialsFor, entriesOf, MAX_SECRET_ENTRIES } from './credentials.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secretOf = (field: string, value: unknown): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'pull' },
  type: `kubernetes.io/${field.slice(1)}`,
  data: { [field]: base64(typeof value === 'string' ? value : JSON.stringify(value)) },
});
const jsonOf = (auths: unknown) => secretOf('.dockerconfigjson', { auths });

describe('a pull secret', () => {
  it('of either type gives names and passwords, from auth before the fields that it is made of', () => {
    const entry = { username: 'no', password: 'no', auth: base64('ann:se:cret') };
    const expected = { key: 'reg.test', credential: { username: 'ann', password: 'se:cret' } };
    expect(entriesOf(jsonOf({ 'https://reg.test/v2/': entry }))).toEqual([expected]);
    expect(entriesOf(secretOf('.dockercfg', { 'reg.test': entry }))).toEqual([expected]);
    const plain = { username: 'bob', password: 'pw', email: 'b@test', identitytoken: 'tok' };
    expect(entriesOf(jsonOf({ 'reg.test:5000/team': plain }))).toEqual([
      {
        key: 'reg.test:5000/team',
        credential: { username: 'bob', password: 'pw', identityToken: 'tok' },
      },
    ]);
  });

  it('gives no more than so many', () => {
    const auths = Array.from({ length: MAX_SECRET_ENTRIES + 1 }, (_, i) => [`r${i}.test`, {}]);
    expect(entriesOf(jsonOf(Object.fromEntries(auths)))).toHaveLength(MAX_SECRET_ENTRIES);
  });

  it('of another type gives nothing', () => {
    expect(entriesOf({ ...jsonOf({ 'reg.test': {} }), type: 'Opaque' })).toEqual([]);
  });

  it.each([
    [secretOf('.dockerconfigjson', '{"auths": SECRET'), 'its .dockerconfigjson is no JSON'],
    [secretOf('.dockerconfigjson', '[]'), 'its .dockerconfigjson is no object'],
    [jsonOf({ 'reg.test': 'SECRET' }), 'its .dockerconfigjson is no object'],
    [
      jsonOf({ 'reg.test': { auth: base64('SECRET') } }),
      'an auth in its .dockerconfigjson is not base64 of USER:PASSWORD',
    ],
    [{ ...jsonOf({}), data: {} }, 'it has no .dockerconfigjson'],
  ])('that is broken says what is wrong and nothing of what it holds (%#)', (secret, why) => {
    expect(() => entriesOf(secret as Secret)).toThrow(new BadPullSecret(why));
  });
});

describe('the credentials for an image', () => {
  const chosen = (repository: string, ...keys: string[]) =>
    credentialsFor(
      repository,
      keys.flatMap((key) => entriesOf(jsonOf({ [key]: { username: key, password: 'x' } }))),
    ).map(({ username }) => username);

  it('are those whose host, port and path are its own, the most specific first', () => {
    const keys = ['reg.test', 'reg.test/team', 'reg.test/team/app', 'other.test', 'reg.test:5000'];
    expect(chosen('reg.test/team/app', ...keys)).toEqual([
      'reg.test/team/app',
      'reg.test/team',
      'reg.test',
    ]);
    expect(chosen('reg.test/teams', 'reg.test/team')).toEqual(['reg.test/team']);
    expect(chosen('reg.test:5000/app', ...keys)).toEqual(['reg.test:5000']);
    expect(chosen('reg.test:5001/app', ...keys)).toEqual([]);
  });

  it.each([
    ['*.reg.test', 'a.reg.test/x', true],
    ['*.reg.test', 'reg.test/x', false],
    ['*.reg.test', 'b.a.reg.test/x', false],
    ['*.*.reg.test', 'b.a.reg.test/x', true],
    ['r?g-*.test', 'rag-1.test/x', true],
    ['r?g-*.test', 'rg-1.test/x', false],
    ['*', 'localhost/x', true],
    ['*.test:5000', 'reg.test:5000/x', true],
    ['*.test:5000', 'reg.test/x', false],
    ['*.test/team', 'reg.test/team/x', true],
  ])('by globs of a host’s parts: %s for %s is %s', (key, repository, fits) => {
    expect(chosen(repository, key)).toEqual(fits ? [key] : []);
  });

  it('of docker’s own registry go by the name that configurations have for it', () => {
    const key = 'https://index.docker.io/v1/';
    expect(chosen('docker.io/library/busybox', key)).toEqual([key]);
    expect(chosen('quay.io/busybox', key)).toEqual([]);
    expect(chosen('docker.io/shop/app', key, 'docker.io/shop')).toEqual(['docker.io/shop']);
  });

  it('take no longer for a glob made of stars', () => {
    const key = `${'*a'.repeat(2000)}b.test`;
    expect(chosen(`${'a'.repeat(4000)}.test/x`, key)).toEqual([]);
  });
});
