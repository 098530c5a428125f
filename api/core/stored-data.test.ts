// ConfigMaps and Secrets: keys, sizes, immutability, and what types of secrets need.
import { describe, expect, it } from 'vitest';
import type { ConfigMap, Secret } from '../generated/types.ts';
import { configMapDefinition } from './config-map.ts';
import { DATA_LIMIT_BYTES } from './data-validation.ts';
import { secretDefinition } from './secret.ts';

const meta = { apiVersion: 'v1', metadata: { name: 'x', namespace: 'default' } };
const aMap = (more: Partial<ConfigMap>): ConfigMap => ({ ...meta, kind: 'ConfigMap', ...more });
const aSecret = (more: Partial<Secret>): Secret => ({ ...meta, kind: 'Secret', ...more });
const base64 = (text: string) => Buffer.from(text).toString('base64');

function mapErrors(map: ConfigMap, old?: ConfigMap): string[] {
  const errors = configMapDefinition.validate?.(map, old) ?? [];
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

function secretErrors(secret: Secret, old?: Secret): string[] {
  for (const one of [secret, old]) if (one) secretDefinition.defaults?.(one);
  const errors = secretDefinition.validate?.(secret, old) ?? [];
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

describe('ConfigMaps', () => {
  it('have keys that files can have', () => {
    expect(mapErrors(aMap({ data: { 'a.b-c_D': '' }, binaryData: { e: '' } }))).toEqual([]);
    expect(mapErrors(aMap({ data: { 'a/b': '' } }))[0]).toContain(
      'data[a/b]: Invalid value: "a/b"',
    );
    expect(mapErrors(aMap({ data: { a: '' }, binaryData: { a: '' } }))).toEqual([
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ]);
  });

  it('hold one MiB, decoded, and no more', () => {
    expect(mapErrors(aMap({ data: { a: 'x'.repeat(DATA_LIMIT_BYTES) } }))).toEqual([]);
    expect(mapErrors(aMap({ data: { a: 'ü'.repeat(DATA_LIMIT_BYTES / 2), b: 'x' } }))).toEqual([
      ': Too long: may not be more than 1048576 bytes',
    ]);
    const bytes = Buffer.alloc(DATA_LIMIT_BYTES).toString('base64');
    expect(mapErrors(aMap({ binaryData: { a: bytes } }))).toEqual([]);
    expect(mapErrors(aMap({ data: { b: 'x' }, binaryData: { a: bytes } }))).toHaveLength(1);
  });

  it('never change again once immutable', () => {
    const old = aMap({ data: { a: '1' }, immutable: true });
    expect(mapErrors(aMap({ data: { a: '1' }, immutable: true }), old)).toEqual([]);
    expect(mapErrors(aMap({ data: { a: '2' } }), old)).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
    expect(mapErrors(aMap({ data: { a: '2' } }), aMap({ data: { a: '1' } }))).toEqual([]);
  });

  it('show how many keys they have', () => {
    const map = aMap({ data: { a: '' }, binaryData: { b: '' } });
    expect(configMapDefinition.columns.map((c) => c.value(map, 0)).slice(0, 2)).toEqual(['x', '2']);
  });
});

describe('Secrets', () => {
  it('are opaque by default and take texts over data', () => {
    const secret = aSecret({ data: { a: base64('old'), b: base64('b') }, stringData: { a: 'ü' } });
    secretDefinition.defaults?.(secret);
    expect(secret).toEqual(aSecret({ type: 'Opaque', data: { a: base64('ü'), b: base64('b') } }));
  });

  it.each<[string, Partial<Secret>, string]>([
    ['kubernetes.io/tls', { data: { 'tls.crt': '' } }, 'data[tls.key]: Required value'],
    ['kubernetes.io/ssh-auth', {}, 'data[ssh-privatekey]: Required value'],
    ['kubernetes.io/basic-auth', {}, 'data[username]: Required value'],
    ['kubernetes.io/dockerconfigjson', {}, 'data[.dockerconfigjson]: Required value'],
    [
      'kubernetes.io/dockerconfigjson',
      { stringData: { '.dockerconfigjson': 'hush' } },
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON',
    ],
    [
      'kubernetes.io/service-account-token',
      {},
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    ],
  ])('of type %s need their keys', (...[type, more, text]) => {
    const texts = secretErrors(aSecret({ type, ...more }));
    expect(texts[0]).toBe(text);
    expect(texts.join()).not.toContain('hush');
  });

  it('pass with the keys they need', () => {
    const tls = { 'tls.crt': '', 'tls.key': '' };
    expect(secretErrors(aSecret({ type: 'kubernetes.io/tls', data: tls }))).toEqual([]);
    const user = { stringData: { username: 'me' } };
    expect(secretErrors(aSecret({ type: 'kubernetes.io/basic-auth', ...user }))).toEqual([]);
  });

  it('keep their type, and everything once immutable', () => {
    expect(secretErrors(aSecret({ type: 'a/b' }), aSecret({ type: 'c/d' }))).toEqual([
      'type: Invalid value: "a/b": field is immutable',
    ]);
    const old = aSecret({ data: { a: '' }, immutable: true });
    expect(secretErrors(aSecret({ data: {}, immutable: true }), old)).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  });

  it('keep their type when a writer leaves it out', () => {
    const secret = aSecret({});
    secretDefinition.prepareForUpdate?.(secret, aSecret({ type: 'a/b' }));
    expect(secret.type).toBe('a/b');
  });
});
