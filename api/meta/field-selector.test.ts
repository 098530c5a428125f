// Field selectors: terms, escapes, and what is refused.
import { describe, expect, it } from 'vitest';
import {
  fieldSelectorText,
  matchesFields,
  parseFieldSelector,
  requiredValue,
} from './field-selector.ts';

describe('field selectors', () => {
  it.each([
    ['', []],
    ['a=b', [['a', '=', 'b']]],
    ['a==b', [['a', '=', 'b']]],
    [
      'a!=b,c=d',
      [
        ['a', '!=', 'b'],
        ['c', '=', 'd'],
      ],
    ],
    ['a=', [['a', '=', '']]],
    ['a=,', [['a', '=', '']]],
    ['a=x\\,y', [['a', '=', 'x,y']]],
    ['a=x\\=y', [['a', '=', 'x=y']]],
    ['a=x\\\\', [['a', '=', 'x\\']]],
  ])('parses %j', (text, terms) => {
    const parsed = parseFieldSelector(text);
    expect(parsed.map(({ field, operator, value }) => [field, operator, value])).toEqual(terms);
  });

  it.each(['a', 'a,b=c', 'a=x\\y', 'a=b=c', 'a=x\\'])('refuses %j', (text) => {
    expect(() => parseFieldSelector(text)).toThrow('field selector');
  });

  it('holds when all terms do', () => {
    const fields: Record<string, string> = { 'status.phase': 'Running', 'spec.nodeName': 'a' };
    const holds = (text: string) =>
      matchesFields(parseFieldSelector(text), (field) => fields[field] ?? '');
    expect(holds('status.phase=Running,spec.nodeName!=b')).toBe(true);
    expect(holds('status.phase=Running,spec.nodeName!=a')).toBe(false);
    expect(holds('spec.other=')).toBe(true);
  });

  it('says which value a field must have', () => {
    const terms = parseFieldSelector('metadata.name=x,metadata.namespace!=y');
    expect(requiredValue(terms, 'metadata.name')).toBe('x');
    expect(requiredValue(terms, 'metadata.namespace')).toBeUndefined();
  });

  it('is written so that it parses back', () => {
    const terms = [{ field: 'a', operator: '=' as const, value: 'x,y=z\\' }];
    expect(parseFieldSelector(fieldSelectorText(terms))).toEqual(terms);
  });
});
