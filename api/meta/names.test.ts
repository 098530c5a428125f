// Name rules: what passes, what does not, and the words of the refusal.
import { describe, expect, it } from 'vitest';
import { cidrBlock, ipAddress, ipFamily } from './ip.ts';
import type { NameRule } from './names.ts';
import {
  configKey,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  envVarName,
  labelValue,
  pathSegmentName,
  percentText,
  portName,
  qualifiedName,
} from './names.ts';

const RULES: [string, NameRule, string[], string[]][] = [
  ['dnsLabel', dnsLabel, ['a', 'a-b', '1a', 'a'.repeat(63)], ['', 'A', 'a.b', '-a', 'a-', 'a\n']],
  ['dnsSubdomain', dnsSubdomain, ['a.b', 'x-1.y'], ['', 'a..b', 'a.', 'a_b', 'a'.repeat(254)]],
  ['dns1035Label', dns1035Label, ['a', 'a1-b'], ['1a', 'a-', 'A', 'a'.repeat(64)]],
  [
    'qualifiedName',
    qualifiedName,
    ['a', 'A.b_c', 'example.com/x', 'nvidia.com/gpu'],
    ['', '/x', 'x/', 'a/b/c', 'Bad_/x', '-x', `${'a'.repeat(64)}`],
  ],
  ['labelValue', labelValue, ['', 'a', 'A_b.c-1'], ['-a', 'a-', 'a b', 'a'.repeat(64)]],
  ['pathSegmentName', pathSegmentName, ['system:node', 'A b'], ['.', '..', 'a/b', 'a%b']],
  ['portName', portName, ['http', 'a-1'], ['', '123', 'a--b', '-a', 'HTTP', 'a'.repeat(16)]],
  ['configKey', configKey, ['a.b', '.dockercfg', '..a'.slice(1)], ['', '.', '..', '..a', 'a/b']],
  ['envVarName', envVarName, ['A', 'my.var-1', '1A', 'a b'], ['', 'A=B', 'ä', 'a\n']],
  ['percentText', percentText, ['0%', '100%'], ['%', '1', '-1%', '1.5%']],
  ['ipAddress', ipAddress, ['10.0.0.1', '::1'], ['', '10.0.0', 'fe80::1%eth0', '1.2.3.4/5']],
  ['cidrBlock', cidrBlock, ['10.0.0.0/8', 'fd00::/64'], ['10.0.0.0', '10.0.0.0/33', 'x/8']],
];

describe('name rules', () => {
  it.each(RULES)('%s', (...[, rule, good, bad]) => {
    expect(good.filter((value) => rule(value) !== undefined)).toEqual([]);
    expect(bad.filter((value) => rule(value) === undefined)).toEqual([]);
  });

  it('speak as API clients expect', () => {
    expect(dnsSubdomain('Bad')).toBe(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex " +
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    );
    expect(dnsLabel('Bad')).toContain("(e.g. 'my-name',  or '123-abc', regex used");
    expect(dnsLabel('a'.repeat(64))).toBe('must be no more than 63 bytes');
    expect(qualifiedName('a/')).toBe('name part must be non-empty');
    expect(qualifiedName('/a')).toBe('prefix part must be non-empty');
  });

  it('tell the family of an address', () => {
    expect([ipFamily('10.0.0.1'), ipFamily('::1'), ipFamily('x')]).toEqual([
      'IPv4',
      'IPv6',
      undefined,
    ]);
  });
});
