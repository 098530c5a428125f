// How failures of webhooks' calls are told: in the words that users of Kubernetes look for.
import { describe, expect, it } from 'vitest';
import { connectionFailure, refusal } from './call-error.ts';

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(`it is ${code}`), { code, ...more });

describe('a connection that failed', () => {
  it.each([
    ['ENOTFOUND', 'dial tcp: lookup hook.example: no such host'],
    ['ECONNRESET', 'EOF'],
    [
      'CERT_HAS_EXPIRED',
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    ],
    ['EHOSTUNREACH', 'it is EHOSTUNREACH'],
  ])('with %s', (code, told) => {
    expect(connectionFailure(failure(code), 'hook.example')).toBe(told);
  });

  it('at each of several addresses tells of the first', () => {
    const first = failure('ECONNREFUSED', { address: '::1', port: 443 });
    const second = failure('ECONNREFUSED', { address: '127.0.0.1', port: 443 });
    const all = Object.assign(new AggregateError([first, second], 'several'), { code: '' });
    expect(connectionFailure(all, 'localhost')).toBe(
      'dial tcp ::1:443: connect: connection refused',
    );
  });

  it('since the certificate has no names says so', () => {
    const error = failure('ERR_TLS_CERT_ALTNAME_INVALID', { cert: {} });
    expect(connectionFailure(error, 'a.b.svc')).toBe(
      'tls: failed to verify certificate: x509: certificate is valid for no names, not a.b.svc',
    );
  });
});

describe('an answer with status', () => {
  it.each([
    [301, '', 'the server responded with the status code 301 but did not return more information'],
    [400, 'what?\n', 'what?'],
    [401, 'x', 'the server has asked for the client to provide credentials'],
    [418, '', 'the server responded with the status code 418 but did not return more information'],
    [502, '', 'an error on the server ("unknown") has prevented the request from succeeding'],
    [503, 'x', 'the server is currently unable to handle the request'],
  ])('%d is told', (status, text, told) => {
    expect(refusal(status, text)).toBe(told);
  });

  it('500 quotes only so much of its text', () => {
    expect(refusal(500, 'x'.repeat(1_000_000)).length).toBeLessThan(3_000);
  });
});
