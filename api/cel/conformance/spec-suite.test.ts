// The conformance suite that the specification publishes, as the second implementation's package brings it: read where it
// is installed, nothing of it is kept here.
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js';
import { describe, expect, it } from 'vitest';
import { celText } from '../../../test/support/cel-text.ts';
import type { CelType } from '../cel-type.ts';
import { compile, evaluate } from '../compile.ts';
import { costBudget } from '../meter.ts';
import { readType } from '../overload.ts';
import { readDuration, readTimestamp } from '../time-values.ts';
import { type CelValue, PlainList, PlainMap, TypeValue, Uint } from '../values.ts';

type Suites = (typeof tests)['suites'];
type Test = NonNullable<(typeof tests)['tests']>[number];
type Json = Readonly<Record<string, unknown>>;

/** Suites of what Kubernetes does not have: protobuf messages and enums, libraries that it leaves out. */
const LEFT_OUT = new Set([
  'block_ext',
  'dynamic',
  'encoders_ext',
  'enums',
  'math_ext',
  'network_ext',
  'proto2',
  'proto2_ext',
  'proto3',
  'wrappers',
]);
/** Single tests of messages in suites that are otherwise run. */
const MESSAGES = /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|proto\.|GlobalEnum/;

class NotHere extends Error {}

const PLAIN: Readonly<Record<string, (value: never) => CelValue>> = {
  int64Value: (value: string) => BigInt(value),
  uint64Value: (value: string) => new Uint(BigInt(value)),
  doubleValue: (value: number | string) => Number(value),
  stringValue: (value: string) => value,
  boolValue: (value: boolean) => value,
  nullValue: () => null,
  bytesValue: (value: string) => new Uint8Array(Buffer.from(value, 'base64')),
  typeValue: (value: string) => new TypeValue(value),
  listValue: ({ values = [] }: { values?: Json[] }) => new PlainList(values.map(valueOf)),
  mapValue: ({ entries = [] }: { entries?: { key: Json; value: Json }[] }) => {
    const map = new PlainMap();
    for (const { key, value } of entries) map.add(valueOf(key), valueOf(value));
    return map;
  },
  objectValue: ({ '@type': type, value }: { '@type': string; value: string }) => {
    const time = type.endsWith('Duration') ? readDuration(value) : readTimestamp(value);
    if (time === undefined) throw new NotHere(type);
    return time;
  },
};

function valueOf(json: Json): CelValue {
  const [kind = '', value] = Object.entries(json)[0] ?? [];
  const read = PLAIN[kind];
  if (read === undefined) throw new NotHere(kind);
  return read(value as never);
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  BOOL: 'bool',
  BYTES: 'bytes',
  DOUBLE: 'double',
  INT64: 'int',
  STRING: 'string',
  UINT64: 'uint',
};

function typeText(json: Json): string {
  const { primitive, wellKnown, listType, mapType } = json as Record<string, never>;
  if (primitive) return PRIMITIVES[primitive] ?? 'dyn';
  if (wellKnown) return (wellKnown as string).toLowerCase();
  if (listType) return `list(${typeText(listType['elemType'])})`;
  if (mapType) return `map(${typeText(mapType['keyType'])}, ${typeText(mapType['valueType'])})`;
  if ('dyn' in json || 'null' in json) return 'dyn';
  throw new NotHere(JSON.stringify(json));
}

interface Original {
  readonly name?: string;
  readonly expr: string;
  readonly container?: string;
  readonly checkOnly?: boolean;
  readonly disableCheck?: boolean;
  readonly typeEnv?: readonly { name: string; ident?: { type: Json } }[];
  readonly bindings?: Readonly<Record<string, { value: Json }>>;
  readonly value?: Json;
  readonly evalError?: Json;
  readonly typedResult?: { result?: Json };
}

interface Prepared {
  readonly name: string;
  readonly source: string;
  readonly variables: Record<string, CelType>;
  readonly bindings: Record<string, CelValue>;
  readonly expected: string;
}

/** Undefined where the test is of something that is not here. */
function prepared({ original }: Test): Prepared | undefined {
  const test = original as unknown as Original;
  const { expr, container, checkOnly, disableCheck } = test;
  if (container || checkOnly || disableCheck || MESSAGES.test(expr)) return undefined;
  try {
    return { ...declared(test), name: test.name ?? expr, source: expr, expected: expectedOf(test) };
  } catch (error) {
    if (error instanceof NotHere) return undefined;
    throw error;
  }
}

function declared({
  typeEnv = [],
  bindings = {},
}: Original): Pick<Prepared, 'bindings' | 'variables'> {
  const values = Object.entries(bindings).map(
    ([name, { value }]) => [name, valueOf(value)] as const,
  );
  const types = typeEnv.map(({ name, ident }) => {
    if (ident === undefined) throw new NotHere('a function');
    return [name, readType(typeText(ident.type))] as const;
  });
  const unknown = values.map(([name]) => [name, readType('dyn')] as const);
  return {
    variables: Object.fromEntries([...unknown, ...types]),
    bindings: Object.fromEntries(values),
  };
}

function expectedOf({ value, evalError, typedResult }: Original): string {
  if (evalError) return 'error';
  const result = value ?? typedResult?.result;
  return result === undefined ? 'true' : celText(valueOf(result));
}

function resultOf({ source, variables, bindings }: Prepared): string {
  const compiled = compile(source, { variables, mixedLiterals: true });
  if (compiled.kind === 'faulty') return 'error';
  const outcome = evaluate(compiled.program, bindings, costBudget());
  return outcome.kind === 'value' ? celText(outcome.value) : outcome.kind;
}

function allTests(suites: Suites): Prepared[] {
  return (suites ?? []).flatMap((suite) => [
    ...(suite.tests ?? []).map(prepared).filter((test) => test !== undefined),
    ...allTests(suite.suites),
  ]);
}

describe('The published suite', () => {
  const suites = (tests.suites ?? []).filter(({ name }) => !LEFT_OUT.has(name));
  const all = suites.map((suite) => ({ name: suite.name, tests: allTests([suite]) }));

  it.each(all)('holds: $name', ({ tests: of }) => {
    const wrong = of
      .map((test) => ({ test, result: resultOf(test) }))
      .filter(({ test, result }) => result !== test.expected)
      .map(({ test, result }) => `${test.source}: ${result}, not ${test.expected}`);
    expect(wrong).toEqual([]);
  });

  it('is large', () => {
    expect(all.flatMap(({ tests: of }) => of).length).toBeGreaterThan(1000);
  });
});
