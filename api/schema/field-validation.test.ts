// How the API tells of fields that a body should not have.
// Unknown and duplicate fields: found with their paths, and ignored, warned of or refused as asked.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { checkFields, parseFieldValidation } from './field-validation.ts';
import { duplicateFields } from './strict-json.ts';

const gvk = { group: 'apps', version: 'v1', kind: 'Deployment' };

describe('duplicateFields', () => {
  it('names each key that occurs twice in one object, with its path', () => {
    const json =
      '{"a": {"b": [ {"c":1}, {"c":1, "d":"x:\\"{", "c":2} ]}, "spec": {"r" :1, "r": [] }, "a": 3}';
    expect(duplicateFields(json)).toEqual(['a.b[1].c', 'spec.r', 'a']);
  });

  it('is not taken in by texts that look like keys, escapes and nested lists', () => {
    expect(duplicateFields('{"a":"b\\\\","b":["a","a",["a"]],"c":"\\"a\\":"}')).toEqual([]);
    expect(duplicateFields('{"\\u0061":1,"a":2}')).toEqual(['a']);
  });

  it('finds nothing in what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(duplicateFields(JSON.stringify(value))).toEqual([]);
      }),
    );
  });
});

describe('checkFields', () => {
  const findings = { unknownFields: ['spec.foo', 'spec.bar'], duplicateFields: ['spec.replicas'] };

  it('refuses under Strict with every finding in the message', () => {
    expect(() => checkFields('Strict', gvk, findings)).toThrow(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ' +
        'duplicate field "spec.replicas", unknown field "spec.foo", unknown field "spec.bar"',
    );
    expect(checkFields('Strict', gvk, { unknownFields: [] })).toEqual([]);
  });

  it('warns under Warn, and says nothing under Ignore', () => {
    expect(checkFields('Warn', gvk, { unknownFields: ['spec.foo'] })).toEqual([
      'unknown field "spec.foo"',
    ]);
    expect(checkFields('Ignore', gvk, findings)).toEqual([]);
  });
});

describe('parseFieldValidation', () => {
  it('takes Warn when nothing is said, and refuses other words', () => {
    expect(parseFieldValidation(null)).toBe('Warn');
    expect(parseFieldValidation('Strict')).toBe('Strict');
    expect(parseFieldValidation('strict')).toBe('Warn');
  });
});
