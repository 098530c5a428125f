// Validation rules: what a definition may say in them, and which objects break them, with the fields and words of upstream.
import { describe, expect, it } from 'vitest';
import { ESTIMATE_PER_RULE } from '../../cel/limits.ts';
import { definitionAllowance } from '../../cel/pattern-allowance.ts';
import type { JSONSchemaProps, ValidationRule } from '../../generated/types.ts';
import { structuralOf } from '../../schema/structural/structural.ts';
import {
  askRules,
  brokenRules,
  MAX_BROKEN_RULES,
  MAX_MADE_MESSAGE_BYTES,
  TURN_PLACES,
} from './broken-rules.ts';
import { validationRuleErrors } from './rule-checks.ts';

type Rule = Partial<ValidationRule>;
const TEXT = { type: 'string', maxLength: 20 };
const INT = { type: 'integer' };

const ruled = (schema: object, ...rules: Rule[]) => ({
  ...schema,
  'x-kubernetes-validations': rules,
});
const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

function faults(schema: object): string[] {
  const tree = structuralOf(schema as JSONSchemaProps);
  return validationRuleErrors(tree, 'S', definitionAllowance()).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

/** Faults of one rule of an object with the field `a`. */
const faultsOf = (rule: Rule) => faults(ruled(object({ a: INT }), rule));

describe('Rules in definitions', () => {
  it.each<[string, Rule, string[]]>([
    ['are well', { rule: 'self.a > 1' }, []],
    ['may be of several lines with a message', { rule: 'self.a\n> 1', message: 'no' }, []],
    [
      'may put numbers into their messages',
      { rule: 'self.a > 1', messageExpression: "'not %d'.format([self.a])" },
      [],
    ],
    [
      'must be there',
      { rule: ' ' },
      ['S.x-kubernetes-validations[0].rule: Required value: rule is not specified'],
    ],
    [
      'of several lines have a message',
      { rule: 'self.a\n> 1' },
      [
        'S.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks',
      ],
    ],
    [
      'have messages that say something',
      { rule: 'true', message: ' ' },
      ['S.x-kubernetes-validations[0].message: Invalid value: " ": must be non-empty if specified'],
    ],
    [
      'have messages of one line',
      { rule: 'true', message: 'a\nb' },
      [
        'S.x-kubernetes-validations[0].message: Invalid value: "a\\nb": must not contain line breaks',
      ],
    ],
    [
      'have message expressions that say something',
      { rule: 'true', messageExpression: ' ' },
      [
        'S.x-kubernetes-validations[0].messageExpression: Required value: messageExpression must be non-empty if specified',
      ],
    ],
    [
      'have known reasons',
      { rule: 'true', reason: 'Because' },
      [
        'S.x-kubernetes-validations[0].reason: Unsupported value: "Because": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
      ],
    ],
    [
      'have fieldPaths that lead somewhere',
      { rule: 'true', fieldPath: '.b' },
      ['S.x-kubernetes-validations[0].fieldPath: Invalid value: ".b": must be a valid path'],
    ],
    [
      'have fieldPaths without numbers',
      { rule: 'true', fieldPath: '.a[0]' },
      ['S.x-kubernetes-validations[0].fieldPath: Invalid value: ".a[0]": must be a valid path'],
    ],
    [
      'have fieldPaths that begin well',
      { rule: 'true', fieldPath: 'a' },
      ['S.x-kubernetes-validations[0].fieldPath: Invalid value: "a": must be a valid path'],
    ],
    [
      'say optionalOldSelf only where they are about oldSelf',
      { rule: 'true', optionalOldSelf: true },
      [
        'S.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
      ],
    ],
    [
      'may be about an optional oldSelf',
      { rule: '!oldSelf.hasValue() || oldSelf.value().a < self.a', optionalOldSelf: true },
      [],
    ],
  ])('%s', (_what, rule, wanted) => {
    expect(faultsOf(rule)).toEqual(wanted);
  });

  it.each<[string, Rule, RegExp]>([
    [
      'that do not parse',
      { rule: 'self.a >' },
      /\.rule: Invalid value: \{"rule":"self\.a >"\}: compilation failed: ERROR: <input>:1:\d+: Syntax error/,
    ],
    [
      'of fields that are not there',
      { rule: 'self.b > 1' },
      /\.rule: Invalid value: .*: compilation failed: ERROR: <input>:1:5: undefined field 'b'/,
    ],
    [
      'that give no bool',
      { rule: 'self.a' },
      /\.rule: Invalid value: .*: cel expression must evaluate to a bool$/,
    ],
    [
      'whose message gives no text',
      { rule: 'true', messageExpression: 'self.a' },
      /\.messageExpression: Invalid value: .*: messageExpression must evaluate to a string$/,
    ],
    [
      'whose message does not parse',
      { rule: 'true', messageExpression: "'a" },
      /\.messageExpression: Invalid value: .*: messageExpression compilation failed: ERROR/,
    ],
    [
      'of other metadata than names',
      { rule: "self.metadata.labels['a'] == 'b'" },
      /undefined field 'labels'/,
    ],
  ])('%s are refused', (_what, rule, message) => {
    const [only, ...others] = faultsOf(rule);
    expect(only).toMatch(message);
    expect(others).toEqual([]);
  });

  it('may be about the names of whole objects, and of embedded ones', () => {
    const rule = { rule: "self.metadata.name.startsWith('a') && self.kind == 'A'" };
    expect(faultsOf(rule)).toEqual([]);
    const embedded = ruled(object({}, { 'x-kubernetes-embedded-resource': true }), rule);
    expect(faults(object({ spec: embedded }))).toEqual([]);
    expect(faults(object({ spec: ruled(object({}), rule) }))).toHaveLength(1);
  });

  it('about oldSelf are refused within lists, whose items nobody can follow', () => {
    const items = ruled(object({ a: INT }), { rule: 'self.a >= oldSelf.a' });
    const [only] = faults(object({ x: { type: 'array', maxItems: 5, items } }));
    expect(only).toBe(
      'S.properties[x].items.x-kubernetes-validations[0].rule: Invalid value: "self.a >= oldSelf.a": oldSelf cannot be used on the uncorrelatable portion of the schema within S.properties[x]',
    );
  });

  it('about oldSelf are accepted within keyed lists and maps', () => {
    const items = ruled(object({ k: TEXT, a: INT }, { required: ['k'] }), {
      rule: 'self.a >= oldSelf.a',
    });
    const list = {
      type: 'array',
      maxItems: 5,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['k'],
      items,
    };
    const map = {
      type: 'object',
      'x-kubernetes-map-type': 'atomic',
      maxProperties: 5,
      additionalProperties: ruled(INT, { rule: 'self >= oldSelf' }),
    };
    expect(faults(object({ list, map }))).toEqual([]);
  });

  it('that may cost too much are refused, alone and together, and pass once lists and texts have bounds', () => {
    const pairs = { rule: 'self.all(a, self.all(b, a.contains(b)))' };
    const list = (more: object) =>
      object({ x: ruled({ type: 'array', items: { type: 'string' }, ...more }, pairs) });
    const [alone] = faults(list({}));
    expect(alone).toMatch(
      /^S\.properties\[x\]\.x-kubernetes-validations\[0\]\.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared\)$/,
    );
    expect(faults(list({ maxItems: 10, items: TEXT }))).toEqual([]);
    // A rule that is cheap once is dear in a list without bounds.
    const unbounded = object({
      x: { type: 'array', items: ruled({ type: 'string' }, { rule: "self.contains('a')" }) },
    });
    expect(
      faults(unbounded).some((one) => /Forbidden: estimated rule cost exceeds/.test(one)),
    ).toBe(true);
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [
        `f${i}`,
        ruled({ type: 'string', maxLength: 3_000_000 }, { rule: "self.contains('a')" }),
      ]),
    );
    const together = faults(object(many));
    expect(ESTIMATE_PER_RULE).toBe(10_000_000);
    expect(together.slice(0, 4)).toEqual(
      together
        .slice(0, 4)
        .map((one) =>
          one.replace(
            /: Forbidden: .*/,
            ': Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema',
          ),
        ),
    );
    expect(together[4]).toMatch(
      /^S: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of [\d.]+x/,
    );
    expect(together).toHaveLength(5);
  });

  it('that cost little are not named beside one that costs too much', () => {
    const pairs = { rule: 'self.all(a, self.all(b, a.contains(b)))' };
    const named = faults(
      object({
        dear: ruled({ type: 'array', items: { type: 'string' } }, pairs),
        cheap: ruled(INT, { rule: 'self > 1' }),
      }),
    );
    expect(named.some((one) => one.includes('properties[dear]'))).toBe(true);
    expect(named.filter((one) => one.includes('properties[cheap]'))).toEqual([]);
  });
});

function broken(schema: object, value: unknown, old?: unknown): string[] {
  const tree = structuralOf(schema as JSONSchemaProps);
  return brokenRules({ value, old, schema: tree, root: true }).map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe('Long lists under cheap rules', () => {
  const count = 10 * TURN_PLACES;
  const item = ruled(object({ k: INT, n: INT }), { rule: 'self.n > 0' });
  const keyed = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] };
  const value = { l: Array.from({ length: count }, (_, i) => ({ k: i, n: 1 })) };
  const turns = (list: object, given: object): number => {
    const tree = object({ l: { type: 'array', items: item, ...list } }) as JSONSchemaProps;
    const schema = structuralOf(tree);
    return [...askRules({ value: given, old: value, schema, root: true }, [])].length;
  };

  it('let others in between: while items are found, while those of before are, while they are asked', () => {
    expect(turns({}, value)).toBeGreaterThanOrEqual(20);
    expect(turns(keyed, value)).toBeGreaterThanOrEqual(30);
  });

  it('are held to them as short ones are, at once', () => {
    const list = { type: 'array', items: item, ...keyed };
    const bad = { l: value.l.map((one) => (one.k === count - 1 ? { ...one, n: 0 } : one)) };
    expect(broken(object({ l: list }), bad, value)).toEqual([
      `l[${count - 1}]: Invalid value: failed rule: self.n > 0`,
    ]);
    expect(turns(keyed, { l: value.l.slice(0, 100) })).toBe(10);
  });
});

describe('Objects', () => {
  it.each<[string, Rule, string]>([
    ['the rule itself', { rule: 'self.a > 1' }, 'x: Invalid value: failed rule: self.a > 1'],
    ['its message', { rule: 'self.a > 1', message: ' too small ' }, 'x: Invalid value: too small'],
    [
      'what its expression says',
      { rule: 'self.a > 1', messageExpression: "'not ' + string(self.a)", message: 'm' },
      'x: Invalid value: not 1',
    ],
    [
      'its message where the expression fails',
      { rule: 'self.a > 1', messageExpression: 'string(1 / (self.a - 1))', message: 'm' },
      'x: Invalid value: m',
    ],
    [
      'its message where the expression says nothing',
      { rule: 'self.a > 1', messageExpression: "' '", message: 'm' },
      'x: Invalid value: m',
    ],
    [
      'its message where the expression says several lines',
      { rule: 'self.a > 1', messageExpression: "'a\\nb'", message: 'm' },
      'x: Invalid value: m',
    ],
    [
      'a reason',
      { rule: 'self.a > 1', reason: 'FieldValueForbidden', message: 'm' },
      'x: Forbidden: m',
    ],
    [
      'that something is required',
      { rule: 'self.a > 1', reason: 'FieldValueRequired', message: 'm' },
      'x: Required value: m',
    ],
    [
      'a field below',
      { rule: 'self.a > 1', fieldPath: '.a', message: 'm' },
      'x.a: Invalid value: m',
    ],
    [
      'an entry of a map below',
      { rule: 'self.a > 1', fieldPath: ".m['k.l']", message: 'm' },
      'x.m[k.l]: Invalid value: m',
    ],
    [
      'why it could not be asked',
      { rule: '1 / (self.a - 1) > 1' },
      'x: Invalid value: "object": division by zero evaluating rule: 1 / (self.a - 1) > 1',
    ],
  ])('that break a rule are told %s', (_what, rule, wanted) => {
    const m = { type: 'object', additionalProperties: INT };
    const schema = object({ x: ruled(object({ a: INT, m }), rule) });
    expect(broken(schema, { x: { a: 1 } })).toEqual([wanted]);
    expect(broken(schema, {})).toEqual([]);
  });

  it('are told as a whole where the rule is about all of them, and without their value', () => {
    const twice = { rule: 'false', reason: 'FieldValueDuplicate' };
    const schema = ruled(object({ x: ruled(object({}), twice) }), { rule: "self.kind == 'A'" });
    expect(broken(schema, { kind: 'B', x: {} })).toEqual([
      "<nil>: Invalid value: failed rule: self.kind == 'A'",
      'x: Duplicate value',
    ]);
  });

  it('are held to rules at every level, with the value where it is plain', () => {
    const small = { rule: 'self < 10', message: 'too large' };
    const schema = object({
      one: ruled(INT, small),
      many: { type: 'array', items: ruled(INT, small) },
      map: { type: 'object', additionalProperties: ruled(INT, small) },
      deep: object({ er: ruled(INT, small) }),
      nullable: ruled({ ...INT, nullable: true }, small),
    });
    const value = {
      one: 11,
      many: [1, 12],
      map: { 'a.b': 13, c: 1 },
      deep: { er: 14 },
      nullable: null,
    };
    expect(broken(schema, value)).toEqual([
      'one: Invalid value: 11: too large',
      'many[1]: Invalid value: 12: too large',
      'map[a.b]: Invalid value: 13: too large',
      'deep.er: Invalid value: 14: too large',
    ]);
  });

  it('may not change as rules about oldSelf say, wherever the old value is known', () => {
    const grows = { rule: 'self.a >= oldSelf.a', message: 'must not shrink' };
    const part = object({ k: TEXT, a: INT }, { required: ['k'] });
    const schema = object({
      x: ruled(part, grows),
      list: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: ruled(part, grows),
      },
      map: { type: 'object', additionalProperties: ruled(part, grows) },
    });
    const [two, one] = [
      { k: 'k', a: 2 },
      { k: 'k', a: 1 },
    ];
    const old = { x: two, list: [{ k: 'o', a: 9 }, two], map: { m: two } };
    expect(broken(schema, { x: one, list: [one], map: { m: one } }, old)).toEqual([
      'x: Invalid value: must not shrink',
      'list[0]: Invalid value: must not shrink',
      'map[m]: Invalid value: must not shrink',
    ]);
    expect(broken(schema, { x: one, list: [one], map: { m: one } })).toEqual([]);
    expect(broken(schema, { x: one, list: [one], map: { n: one } }, {})).toEqual([]);
  });

  it('are held to rules about an optional oldSelf from the start', () => {
    const rule = {
      rule: 'oldSelf.hasValue() || self == 0',
      optionalOldSelf: true,
      message: 'begins at 0',
    };
    const schema = object({ x: ruled(INT, rule) });
    expect(broken(schema, { x: 1 })).toEqual(['x: Invalid value: 1: begins at 0']);
    expect(broken(schema, { x: 1 }, { x: 0 })).toEqual([]);
    expect(broken(schema, { x: 0 })).toEqual([]);
  });

  it('may keep what broke a rule before, and not what breaks one about oldSelf', () => {
    const schema = object({
      x: ruled(INT, { rule: 'self < 10' }),
      y: ruled(INT, { rule: 'self > oldSelf' }),
    });
    expect(broken(schema, { x: 11, y: 1 }, { x: 11, y: 0 })).toEqual([]);
    expect(broken(schema, { x: 12, y: 0 }, { x: 11, y: 0 })).toEqual([
      'x: Invalid value: 12: failed rule: self < 10',
      'y: Invalid value: 0: failed rule: self > oldSelf',
    ]);
  });

  it('may keep items of lists that nobody can follow, as long as the list is as it was', () => {
    const items = ruled(INT, { rule: 'self < 10' });
    const schema = object({ x: { type: 'array', items }, y: INT });
    expect(broken(schema, { x: [1, 11], y: 2 }, { x: [1, 11], y: 1 })).toEqual([]);
    expect(broken(schema, { x: [2, 11] }, { x: [1, 11] })).toEqual([
      'x[1]: Invalid value: 11: failed rule: self < 10',
    ]);
  });

  it('that cost too much to check are refused, and nothing more is asked', () => {
    const rule = { rule: 'self.all(a, self.all(b, a != b || a == b))' };
    const list = { type: 'array', items: INT };
    const schema = object({ x: ruled(list, rule), y: ruled(INT, { rule: 'false' }) });
    const x = Array.from({ length: 2_000 }, (_, i) => i);
    expect(broken(schema, { x, y: 1 })).toEqual([
      `x: Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${rule.rule}`,
    ]);
    const each = {
      type: 'array',
      items: ruled(list, { rule: 'self.all(a, self.all(b, a < 1000))' }),
    };
    const many = Array.from({ length: 40 }, () => Array.from({ length: 300 }, (_, i) => i));
    const [only, ...others] = broken(object({ each }), { each: many });
    expect(only).toMatch(
      /^each\[\d+\]: Invalid value: "array": validation failed due to running out of cost budget, no further validation rules will be run$/,
    );
    expect(others).toEqual([]);
  });

  it('are told so many broken rules, and messages that are short enough', () => {
    const items = ruled(INT, { rule: 'self < 0', message: 'm' });
    const list = object({ x: { type: 'array', items } });
    expect(broken(list, { x: Array.from({ length: 500 }, () => 1) })).toHaveLength(
      MAX_BROKEN_RULES,
    );
    const long = ruled(TEXT, { rule: 'false', messageExpression: 'self', message: 'short' });
    const [told] = broken(object({ x: long }), { x: 'y'.repeat(MAX_MADE_MESSAGE_BYTES + 1) });
    expect(told?.endsWith(': short')).toBe(true);
  });
});
