// What a definition cannot say: every construct is refused with its place and what to write instead.
import { describe, expect, it } from 'vitest';
import { defineKind } from './define-kind.ts';
import { KindError, type KindFault } from './kind-error.ts';
import type { SchemaValue } from './object-types.ts';
import { z } from './zod.ts';

const DIAL = { group: 'example.com', version: 'v1', kind: 'Dial' } as const;

/** The faults of a kind whose spec has this field, or of the whole definition. */
function faultsOf(field: SchemaValue | undefined, more: object = {}): readonly KindFault[] {
  const spec =
    field === undefined || '_zod' in field
      ? z.object({ a: (field ?? z.string()) as z.ZodType })
      : { type: 'object', properties: { a: field } };
  try {
    defineKind({ ...DIAL, spec, ...more });
  } catch (error) {
    if (error instanceof KindError) return error.faults;
    throw error;
  }
  return [];
}

const texts = (faults: readonly KindFault[]) => faults.map((f) => `${f.path}: ${f.message}`);
interface Tree {
  readonly below: Tree[];
}
const tree: z.ZodType<Tree> = z.object({ below: z.array(z.lazy(() => tree)) });
const node = z.object({
  get next() {
    return node.optional();
  },
});

describe('Constructs of zod that no definition can say are refused with the way to say it', () => {
  it.each<[string, z.ZodType, RegExp]>([
    ['dates', z.date(), /^spec\.a: z\.date\(\).*z\.iso\.datetime\(\)/],
    ['bigints', z.bigint(), /^spec\.a: z\.bigint\(\).*z\.int\(\)/],
    ['maps', z.map(z.string(), z.int()), /^spec\.a: z\.map\(\).*z\.record\(/],
    ['sets', z.set(z.string()), /^spec\.a: z\.set\(\).*listSet\(/],
    ['tuples', z.tuple([z.string(), z.int()]), /^spec\.a: z\.tuple\(\).*z\.object\(/],
    ['transforms', z.string().transform(Number), /^spec\.a: z\.transform\(\).*stored as they/],
    ['preprocessing', z.preprocess(Number, z.int()), /^spec\.a: z\.transform\(\)/],
    ['texts that are read as flags', z.stringbool(), /^spec\.a: .*z\.stringbool\(\) change/],
    ['coercions', z.coerce.number(), /^spec\.a: z\.coerce.*intOrString\(\)/],
    ['trimming', z.string().trim(), /^spec\.a: trim\(\)/],
    ['refinements', z.string().refine((v) => v !== 'b'), /^spec\.a: refine\(\).*CEL: rules:/],
    ['checks of objects', z.object({}).superRefine(() => undefined), /^spec\.a: refine\(\)/],
    ['what is caught', z.string().catch('b'), /^spec\.a: z\.catch\(\).*\.default\(/],
    ['code of one’s own', z.custom<string>(), /^spec\.a: z\.custom\(\).*CEL rule/],
    ['classes', z.instanceof(URL), /^spec\.a: z\.custom\(\) and z\.instanceof\(\)/],
    ['recursion', tree, /^spec\.a\.below\[\]: a schema that refers to itself/],
    ['recursion by getters', node, /^spec\.a\.next: .*refers to itself/],
    ['any JSON', z.json(), /^spec\.a: a schema that refers to itself.*anything\(\)/],
    ['intersections', z.intersection(z.object({}), z.object({})), /^spec\.a: z\.intersection\(\)/],
    ['nothing', z.never(), /^spec\.a: z\.never\(\).*leave the field out/],
    ['null alone', z.null(), /^spec\.a: only null may stand there/],
    ['undefined', z.undefined(), /^spec\.a: z\.undefined\(\)/],
    ['ISO durations', z.iso.duration(), /^spec\.a: z\.iso\.duration\(\).*use duration\(\)/],
    [
      'moments without a zone',
      z.iso.datetime({ local: true }),
      /^spec\.a: z\.iso\.datetime\(\{ local: true \}\).*timestamp\(\)/,
    ],
    ['flags of patterns', z.string().regex(/b/i), /^spec\.a: \/b\/i: .*matches\('\(\?i\)…'\)/],
    ['a default of null', z.string().nullable().default(null), /^spec\.a: a default of null/],
    [
      'records of known keys',
      z.record(z.enum(['b', 'c']), z.int()),
      /^spec\.a: a record of known keys.*z\.object\(/,
    ],
    [
      'patterns of keys',
      z.record(z.string().regex(/^b/), z.int()),
      /^spec\.a: keys of a record are any texts.*self\.all\(key/,
    ],
    [
      'unions of objects',
      z.discriminatedUnion('t', [
        z.object({ t: z.literal('b'), b: z.int() }),
        z.object({ t: z.literal('c') }),
      ]),
      /^spec\.a: a union of objects.*an optional field for each alternative, and a CEL rule/,
    ],
    ['unions of types', z.union([z.boolean(), z.string()]), /^spec\.a: .*has boolean or string/],
    [
      'bounded numbers or texts',
      z.union([z.int().min(3), z.string()]),
      /^spec\.a: .*without bounds/,
    ],
    [
      'named fields beside a map',
      z.object({ b: z.int() }).catchall(z.int()),
      /^spec\.a: an object has named fields or is a map/,
    ],
  ])('%s', (_what, schema, wanted) => {
    const faults = texts(faultsOf(schema));
    expect(faults[0]).toMatch(wanted);
    expect(faults).toHaveLength(1);
  });

  it('are all told at once, each with its place', () => {
    const schema = z.object({
      list: z.array(z.object({ b: z.date() })),
      map: z.record(z.string(), z.date()),
    });
    const places = faultsOf(schema).map(({ path }) => path);
    expect(places.toSorted()).toEqual(['spec.a.list[].b', 'spec.a.map{}']);
  });
});

describe('Keywords of JSON Schema that no definition has are refused with the way to say it', () => {
  it.each<[string, object, RegExp]>([
    [
      'tuples',
      { type: 'array', prefixItems: [] },
      /^spec\.a: prefixItems: .*an object with a name/,
    ],
    ['older tuples', { type: 'array', items: [{}] }, /^spec\.a: items: .*an object with a name/],
    ['conditions', { type: 'object', if: {} }, /^spec\.a: if: .*CEL rule/],
    [
      'patterns of keys',
      { patternProperties: { a: {} } },
      /^spec\.a: patternProperties: .*CEL rule/,
    ],
    [
      'unique items',
      { type: 'array', uniqueItems: true },
      /^spec\.a: uniqueItems: .*list-type: 'set'/,
    ],
    ['misspelt keywords', { type: 'string', maxLenght: 3 }, /^spec\.a: maxLenght: no keyword/],
    [
      'references to nothing',
      { $ref: '#/$defs/b' },
      /^spec\.a: \$ref: nothing stands at #\/\$defs\/b/,
    ],
    ['types of two', { type: ['string', 'boolean'] }, /^spec\.a: .*has string or boolean/],
    ['a kind of enum', { enum: ['b', 3] }, /^spec\.a: .*has string or number/],
  ])('%s', (_what, schema, wanted) => {
    const faults = texts(faultsOf(schema as SchemaValue));
    expect(faults[0]).toMatch(wanted);
    expect(faults).toHaveLength(1);
  });
});

describe('What a server would refuse is refused when the kind is made, in the author’s terms', () => {
  const field = z.string().max(10);
  it.each<[string, z.ZodType, object, RegExp]>([
    [
      'patterns that RE2 lacks',
      z.string().regex(/^(?!b)/),
      {},
      /^spec\.a\.pattern: .*\(patterns are RE2/,
    ],
    [
      'groups without a dot',
      field,
      { group: 'example' },
      /^group: .*such as 'backups\.example\.com'/,
    ],
    ['groups of the project', field, { group: 'a.k8s.io' }, /use a domain of your own/],
    ['versions that are none', field, { version: 'V1' }, /^versions\[0\]\.name: |^V1 name: /],
    ['short names', field, { shortNames: ['B'] }, /^shortNames\[0\]: Invalid value: "B"/],
    [
      'rules that do not compile',
      field,
      { rules: { spec: 'self.b > 1' } },
      /^spec\.x-kubernetes-validations\[0\]\.rule: .*undefined field 'b'/,
    ],
    [
      'rules that lead nowhere',
      field,
      { rules: { 'spec.b': 'true' } },
      /^spec\.b: the path leads nowhere: spec has no "b"; its fields are a$/,
    ],
    [
      'rules that cost too much',
      z.array(z.string()),
      { rules: { 'spec.a': 'self.all(b, self.all(c, b.contains(c)))' } },
      /estimated rule cost.*\(in zod: \.max\(/,
    ],
    ['columns', field, { columns: { A: 'spec.a' } }, /^columns\[0\]\.jsonPath: .*starting with \./],
    [
      'scales',
      field,
      { scale: { specReplicasPath: '.a', statusReplicasPath: '.status.a' } },
      /^scale\.specReplicasPath: .*under \.spec/,
    ],
    [
      'selectable fields',
      field,
      { selectableFields: ['.spec.b'] },
      /^selectableFields\[0\]\.jsonPath: .*does not refer to a valid field/,
    ],
    ['defaults', field.default('longer than ten'), {}, /^spec\.a\.default: .*Too long/],
    [
      'keys of lists',
      z
        .array(z.object({ b: z.string().optional() }))
        .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['b'] }),
      {},
      /^spec\.a\[\]\.b\.default: .*make the key required/,
    ],
  ])('%s', (_what, schema, ...[more, wanted]) => {
    const faults = texts(faultsOf(schema, more));
    expect(
      faults.some((fault) => wanted.test(fault)),
      faults.join('\n'),
    ).toBe(true);
  });

  it.each<[string, object, RegExp]>([
    ['no group', { group: undefined }, /^this is no kind:\n {2}group: must be given/],
    ['no spec', { spec: undefined }, /\n {2}spec: must be given: a schema of zod 4/],
    [
      'schemas of others',
      { spec: { _def: {}, parse: () => 1 } },
      /\n {2}spec: .*zod 3 or of another/,
    ],
    ['an unknown storage version', { storageVersion: 'v3' }, /storageVersion names this version/],
  ])('from plain JavaScript, too: %s', (_what, more, wanted) => {
    const options = { ...DIAL, spec: z.object({}), ...more } as never;
    let failure: unknown;
    try {
      defineKind(options);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(KindError);
    expect((failure as KindError).message).toMatch(wanted);
  });

  it('and the error names the kind and every fault, a line each', () => {
    const make = () => defineKind({ ...DIAL, spec: z.object({ a: z.date(), b: z.bigint() }) });
    expect(make).toThrow(
      /^Dial \(example\.com\/v1\) is no kind that a server would take:\n {2}spec\.\w: .*\n {2}spec\.\w: .*$/,
    );
  });
});
