// CertificateSigningRequests: rules, what each way of writing may change, cells.
import { beforeAll, describe, expect, it } from 'vitest';
import { broken, cells, made } from '../../test/support/kind-rules.ts';
import { aSigningRequest } from '../../test/support/signing-request.ts';
import type { CertificateSigningRequest } from '../generated/types.ts';
import { certificateSigningRequestDefinition as definition } from './certificate-signing-request.ts';

let request: string;
beforeAll(async () => {
  request = await aSigningRequest('ann');
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const aRequest = (spec: object = {}, status: object = {}) =>
  made(definition, {
    spec: {
      request,
      signerName: 'kubernetes.io/kube-apiserver-client',
      usages: ['client auth'],
      ...spec,
    },
    status,
  });
const condition = (type: string, more: object = {}) => ({ type, status: 'True', ...more });
const brokenStatus = (now: CertificateSigningRequest, old: CertificateSigningRequest) =>
  definition.validateStatus?.(now, old).map(({ field, type }) => `${field} ${type}`);

describe('CertificateSigningRequests', () => {
  it('take a request of a program', () => {
    expect(broken(definition, aRequest())).toEqual([]);
    expect(broken(definition, aRequest({ expirationSeconds: 600 }))).toEqual([]);
  });

  it.each<[string, () => object, string[]]>([
    ['no request', () => ({ request: '' }), ['spec.request Invalid']],
    ['a request that is no PEM', () => ({ request: base64('hello') }), ['spec.request Invalid']],
    [
      'PEM of something else',
      () => ({ request: base64('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n') }),
      ['spec.request Invalid'],
    ],
    [
      'a request that is cut off',
      () => {
        const pem = Buffer.from(request, 'base64').toString();
        return { request: base64(pem.replace(/\n[^\n]+\n-----END/, '\n-----END')) };
      },
      ['spec.request Invalid'],
    ],
    ['no usages', () => ({ usages: [] }), ['spec.usages Required']],
    [
      'odd usages',
      () => ({ usages: ['any', 'any', 'fun'] }),
      ['spec.usages[1] Duplicate', 'spec.usages[2] NotSupported'],
    ],
    ['no signer', () => ({ signerName: '' }), ['spec.signerName Required']],
    ['a signer without a path', () => ({ signerName: 'a.io' }), ['spec.signerName Invalid']],
    ['a signer without a domain', () => ({ signerName: 'a/b' }), ['spec.signerName Invalid']],
    ['an odd signer', () => ({ signerName: 'a.io/B' }), ['spec.signerName Invalid']],
    [
      'a long signer',
      () => ({ signerName: `a.io/${'b.'.repeat(285)}b` }),
      ['spec.signerName TooLong'],
    ],
    [
      'the signer of old',
      () => ({ signerName: 'kubernetes.io/legacy-unknown' }),
      ['spec.signerName Invalid'],
    ],
    ['a short life', () => ({ expirationSeconds: 599 }), ['spec.expirationSeconds Invalid']],
  ])('refuse %s', (...[, spec, fields]) => {
    expect(broken(definition, aRequest(spec()))).toEqual(fields);
  });

  it('keep their spec, whatever is written', () => {
    const [old, next] = [aRequest(), aRequest({ usages: ['any'] })];
    definition.prepareForUpdate?.(next, old);
    expect(next.spec).toEqual(old.spec);
  });

  it('approval writes conditions and nothing else', () => {
    const old = aRequest({}, { certificate: 'old' });
    const next = aRequest({}, { certificate: 'new', conditions: [condition('Approved')] });
    definition.prepareForStatus?.(next, old, 'approval');
    expect(next.status).toEqual({ certificate: 'old', conditions: [condition('Approved')] });
  });

  it('status leaves decisions as they are', () => {
    const old = aRequest({}, { conditions: [condition('Approved')] });
    const next = aRequest({}, { conditions: [condition('Denied'), condition('Failed')] });
    definition.prepareForStatus?.(next, old, 'status');
    expect(next.status?.conditions?.map(({ type }) => type)).toEqual(['Approved', 'Failed']);
  });

  it.each<[string, object[], object[], string[]]>([
    ['take a decision', [condition('Approved')], [], []],
    ['refuse no type', [condition('')], [], ['status.conditions[0].type FieldValueRequired']],
    [
      'refuse a decision that is not True',
      [condition('Denied', { status: 'False' })],
      [],
      ['status.conditions[0].status FieldValueNotSupported'],
    ],
    [
      'refuse both decisions',
      [condition('Approved'), condition('Denied')],
      [],
      ['status.conditions[1].type FieldValueInvalid'],
    ],
    [
      'refuse a condition twice',
      [condition('Approved'), condition('Approved')],
      [],
      ['status.conditions[1].type FieldValueDuplicate'],
    ],
    [
      'refuse that a decision goes',
      [],
      [condition('Denied')],
      ['status.conditions FieldValueForbidden'],
    ],
    [
      'refuse that a decision is changed',
      [condition('Denied', { reason: 'Other' })],
      [condition('Denied')],
      ['status.conditions FieldValueForbidden'],
    ],
  ])('%s', (...[, now, before, fields]) => {
    const old = aRequest({}, { conditions: before });
    expect(brokenStatus(aRequest({}, { conditions: now }), old)).toEqual(fields);
  });

  it('get a certificate once', () => {
    const signed = aRequest({}, { certificate: base64('x') });
    expect(brokenStatus(signed, aRequest())).toEqual(['status.certificate FieldValueInvalid']);
    expect(brokenStatus(aRequest({}, { certificate: 'eA==' }), signed)).toEqual([
      'status.certificate FieldValueInvalid',
    ]);
    expect(brokenStatus(aRequest(), signed)).toEqual(['status.certificate FieldValueForbidden']);
  });

  it.each<[string, object]>([
    ['Pending', {}],
    ['Approved', { conditions: [condition('Approved')] }],
    ['Denied', { conditions: [condition('Denied')] }],
    ['Approved,Failed', { conditions: [condition('Approved'), condition('Failed')] }],
    ['Approved,Issued', { conditions: [condition('Approved')], certificate: 'eA==' }],
  ])('show %s', (text, status) => {
    expect(cells(definition, aRequest({ expirationSeconds: 3600 }, status))).toMatchObject({
      SignerName: 'kubernetes.io/kube-apiserver-client',
      RequestedDuration: '60m',
      Condition: text,
    });
  });
});
