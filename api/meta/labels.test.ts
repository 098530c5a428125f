// Selectors: what texts and objects select, and which are refused.
import { describe, expect, it } from 'vitest';
import {
  fromLabelSelector,
  labelSelectorText,
  NOTHING,
  parseLabelSelector,
  selectorFromMap,
} from './labels.ts';
import { isEmptySelector, validateLabels, validateLabelSelector } from './validate-labels.ts';

const web = { app: 'web', tier: 'front', weight: '5', empty: '' };

describe('label selectors in text form', () => {
  it.each([
    ['', true],
    ['  ', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app=api', false],
    ['app!=api', true],
    ['app!=web', false],
    ['missing!=x', true],
    ['app', true],
    ['missing', false],
    ['!missing', true],
    ['! app', false],
    ['app in (web,api)', true],
    ['app in (api)', false],
    ['missing in (a)', false],
    ['app notin (web)', false],
    ['app notin (api),tier=front', true],
    ['missing notin (a)', true],
    ['empty=', true],
    ['empty in (,a)', true],
    ['app=', false],
    ['weight>4', true],
    ['weight>5', false],
    ['weight<6,weight>4', true],
    ['app>1', false],
    ['in=x', false],
    ['app=web,tier=back', false],
    ['example.com/app!=x', true],
  ])('%j selects: %s', (text, selected) => {
    expect(parseLabelSelector(text).matches(web)).toBe(selected);
  });

  it.each([
    ['app web', "found 'web', expected: in, notin"],
    ['app=web,', 'after'],
    [',app', "found ','"],
    ['app in web', "expected: '('"],
    ['app in (a', "expected: ',' or ')'"],
    ['app in (a b)', "found 'b'"],
    ['a=b=c', "found '='"],
    ['!', 'expected: !, identifier'],
    ['a b c', "found 'b'"],
    ['-bad=x', 'name part must consist of'],
    ['app=bad!', 'expected'],
    ['app=-x', 'a valid label must be'],
    ['weight>five', 'must be an integer'],
    ['(a)', "found '('"],
    ['__proto__', 'name part must consist of'],
  ])('refuses %j', (text, why) => {
    expect(() => parseLabelSelector(text)).toThrow(why);
    try {
      parseLabelSelector(text);
    } catch (error) {
      expect(error).toMatchObject({ reason: 'BadRequest' });
    }
  });

  it('does not take inherited properties for labels', () => {
    expect(parseLabelSelector('constructor').matches({})).toBe(false);
    expect(parseLabelSelector('!constructor').matches({})).toBe(true);
  });

  it('is written back by key and parses to the same', () => {
    const text = parseLabelSelector('z=1, b in (y,x) ,!q,c, a!=2').text;
    expect(text).toBe('a!=2,b in (x,y),c,!q,z=1');
    expect(parseLabelSelector(text).text).toBe(text);
  });
});

describe('label selectors as objects', () => {
  it('select nothing when absent and everything when empty', () => {
    expect(fromLabelSelector(undefined)).toBe(NOTHING);
    expect(fromLabelSelector(undefined).matches(web)).toBe(false);
    expect(fromLabelSelector({}).matches(undefined)).toBe(true);
    expect(fromLabelSelector({}).matchesAll).toBe(true);
  });

  it('join maps and expressions', () => {
    const selector = fromLabelSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'back'] },
        { key: 'gone', operator: 'DoesNotExist' },
        { key: 'weight', operator: 'Exists' },
        { key: 'app', operator: 'NotIn', values: ['api'] },
      ],
    });
    expect(selector.matches(web)).toBe(true);
    expect(selector.matches({ ...web, gone: '' })).toBe(false);
    expect(selector.text).toBe('app=web,app notin (api),!gone,tier in (back,front),weight');
  });

  it('refuse operators nobody knows', () => {
    const odd = { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] };
    expect(() => fromLabelSelector(odd)).toThrow('not a valid label selector operator');
    expect(labelSelectorText(odd)).toBe('<error>');
  });

  it('come from plain maps too', () => {
    expect(selectorFromMap({ b: '2', a: '1' }).text).toBe('a=1,b=2');
    expect(labelSelectorText({ matchLabels: { app: 'web' } })).toBe('app=web');
  });
});

describe('rules of labels', () => {
  it('name the key and the value that break them', () => {
    expect(validateLabels({ 'a b': 'x', ok: '-' }, 'metadata.labels')).toMatchObject([
      { field: 'metadata.labels', message: expect.stringContaining('Invalid value: "a b"') },
      { field: 'metadata.labels', message: expect.stringContaining('Invalid value: "-"') },
    ]);
    expect(validateLabels({ a: 'x'.repeat(64) }, 'p')[0]?.message).toContain('no more than 63');
  });

  it('want values for In and none for Exists', () => {
    const errors = validateLabelSelector(
      {
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: 'b', operator: 'Exists', values: ['x'] },
          { key: 'c', operator: 'Near' },
        ],
      },
      'spec.selector',
    );
    expect(errors.map(({ field, type }) => [field, type])).toEqual([
      ['spec.selector.matchExpressions[0].values', 'FieldValueRequired'],
      ['spec.selector.matchExpressions[1].values', 'FieldValueForbidden'],
      ['spec.selector.matchExpressions[2].operator', 'FieldValueInvalid'],
    ]);
  });

  it('tell an empty selector', () => {
    expect(isEmptySelector({})).toBe(true);
    expect(isEmptySelector({ matchLabels: {}, matchExpressions: [] })).toBe(true);
    expect(isEmptySelector({ matchLabels: { a: 'b' } })).toBe(false);
  });
});
