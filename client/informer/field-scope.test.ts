// What a cache says of a field selector by itself.
import { expect, it } from 'vitest';
import { parseFieldSelector } from '../../api/meta/field-selector.ts';
import { fieldVerdict } from './field-scope.ts';

const pod = { metadata: { name: 'a', namespace: 'shop' } };

it.each([
  ['', 'within'],
  ['metadata.name=a', 'within'],
  ['metadata.name!=a', 'outside'],
  ['metadata.name=a,metadata.namespace=shop', 'within'],
  ['metadata.name=a,metadata.namespace=bank', 'outside'],
  ['metadata.namespace!=bank', 'within'],
  ['spec.nodeName=n1', 'unknown'],
  ['metadata.name=a,spec.nodeName=n1', 'unknown'],
  ['metadata.name=b,spec.nodeName=n1', 'outside'],
])('judges names and namespaces, and nothing else: %j is %s', (selector, verdict) => {
  expect(fieldVerdict(parseFieldSelector(selector), pod)).toBe(verdict);
});

it('reads what is not set as empty, as servers do', () => {
  const node = { metadata: { name: 'n1' } };
  expect(fieldVerdict(parseFieldSelector('metadata.namespace='), node)).toBe('within');
  expect(fieldVerdict(parseFieldSelector('metadata.namespace=shop'), node)).toBe('outside');
});
