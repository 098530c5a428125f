// The OpenAPI v2 document in protobuf, the only form in which Go clients ask for it. Field numbers are those of the
// public message definitions for OpenAPI v2; free values (extensions, defaults) go as YAML text, of which JSON is a part.
// Invariant: pure; what the message definitions have no field for is left out.
import type { OpenApiV2Document } from './openapi-v2.ts';
import { wholeOf } from './schema-closure.ts';

/** Writes one value as fields of the message around it. */
type Write = (value: never) => Uint8Array;
/** How each key of an object is written; `x-` stands for every extension. */
type Message = Readonly<Record<string, Write>>;

const WIRE_VARINT = 0;
const WIRE_DOUBLE = 1;
const WIRE_BYTES = 2;
const NOTHING = new Uint8Array();

/** The document as bytes. */
export function openApiV2Protobuf(document: OpenApiV2Document): Uint8Array {
  return Buffer.concat(wholeOf(openApiV2ProtobufSteps(document)));
}

/** The same in steps, a path or schema each, and in pieces. */
export function* openApiV2ProtobufSteps(
  document: OpenApiV2Document,
): Generator<void, Uint8Array[]> {
  const { paths, definitions, ...head } = document;
  const pathPairs = yield* pairsOf(paths, { number: 2, write: message(2, () => PATH_ITEM) });
  const schemaPairs = yield* pairsOf(definitions, { number: 1, write: schema(2) });
  return [encode(HEAD, head), ...inField(8, pathPairs), ...inField(9, schemaPairs)];
}

interface PairForm {
  readonly number: number;
  readonly write: (value: object) => Uint8Array;
}

function* pairsOf(
  values: Readonly<Record<string, object>>,
  { number, write }: PairForm,
): Generator<void, Uint8Array[]> {
  const pairs: Uint8Array[] = [];
  for (const [name, value] of Object.entries(values)) {
    pairs.push(delimited(number, pair(name, write(value))));
    yield;
  }
  return pairs;
}

/** What stands before a message of these pieces in a field, and they. */
function inField(number: number, pieces: readonly Uint8Array[]): Uint8Array[] {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [tag(number, WIRE_BYTES), varint(length), ...pieces];
}

function encode(message: Message, value: object): Uint8Array {
  return Buffer.concat(
    Object.entries(value).map(([key, entry]) => {
      if (entry === undefined) return NOTHING;
      if (key.startsWith('x-')) return message['x-']?.([key, entry] as never) ?? NOTHING;
      return Object.hasOwn(message, key) ? (message[key]?.(entry as never) ?? NOTHING) : NOTHING;
    }),
  );
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

const tag = (number: number, wire: number) => varint(number * 8 + wire);
const delimited = (number: number, content: Uint8Array) =>
  Buffer.concat([tag(number, WIRE_BYTES), varint(content.length), content]);

const text = (number: number) => (value: string) => delimited(number, Buffer.from(value));
const whole = (number: number) => (value: number) =>
  Buffer.concat([tag(number, WIRE_VARINT), varint(value)]);
const flag = (number: number) => (value: boolean) => (value ? whole(number)(1) : NOTHING);

const double = (number: number) => (value: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(number, WIRE_DOUBLE), bytes]);
};

/** A free value: message Any, of which the second field is its YAML. */
const free = (number: number) => (value: unknown) =>
  delimited(number, text(2)(JSON.stringify(value)));
const each =
  <T>(write: (value: T) => Uint8Array) =>
  (values: readonly T[]) =>
    Buffer.concat(values.map(write));
/** A message in a field, or in fields within fields: the way leads from the outermost in. */
const inside =
  <T>(way: readonly number[], write: (value: T) => Uint8Array) =>
  (value: T) =>
    way.reduceRight((content, number) => delimited(number, content), write(value));
const message = (number: number, of: () => Message) =>
  inside([number], (value: object) => encode(of(), value));
const pair = (name: string, value: Uint8Array) => Buffer.concat([text(1)(name), value]);
/** A map, as pairs of name (1) and value (2). */
const map =
  <T>(number: number, write: (value: T) => Uint8Array) =>
  (values: Readonly<Record<string, T>>) =>
    Buffer.concat(
      Object.entries(values).map(([name, value]) => delimited(number, pair(name, write(value)))),
    );
const extension =
  (number: number) =>
  ([name, value]: readonly [string, unknown]) =>
    delimited(number, pair(name, free(2)(value)));

const SCHEMA: Message = {
  $ref: text(1),
  format: text(2),
  title: text(3),
  description: text(4),
  default: free(5),
  multipleOf: double(6),
  maximum: double(7),
  exclusiveMaximum: flag(8),
  minimum: double(9),
  exclusiveMinimum: flag(10),
  maxLength: whole(11),
  minLength: whole(12),
  pattern: text(13),
  maxItems: whole(14),
  minItems: whole(15),
  uniqueItems: flag(16),
  maxProperties: whole(17),
  minProperties: whole(18),
  required: each(text(19)),
  enum: each(free(20)),
  additionalProperties: inside([21], (value: boolean | object) =>
    typeof value === 'boolean' ? flag(2)(value) : schema(1)(value),
  ),
  type: inside([22], text(1)),
  items: inside([23], (value: object) => schema(1)(value)),
  allOf: each((value: object) => schema(24)(value)),
  properties: inside(
    [25],
    map(1, (value: object) => schema(2)(value)),
  ),
  'x-': extension(31),
};

function schema(number: number): (value: object) => Uint8Array {
  return message(number, () => SCHEMA);
}

/** What query and path parameters share, by its place in each of the two messages. */
const parameterFields = (type: number, uniqueItems: number): Message => ({
  required: flag(1),
  in: text(2),
  description: text(3),
  name: text(4),
  type: text(type),
  uniqueItems: flag(uniqueItems),
});
const QUERY_PARAMETER = parameterFields(6, 20);
const PATH_PARAMETER = parameterFields(5, 19);
const BODY_PARAMETER: Message = {
  description: text(1),
  name: text(2),
  in: text(3),
  required: flag(4),
  schema: schema(5),
};

/** Which message a parameter is depends on where it stands: a choice within choices. */
function parameter(number: number): (value: { in: string }) => Uint8Array {
  return (value) => {
    const within = (way: readonly number[], of: Message) =>
      inside([number, 1, ...way], () => encode(of, value))(undefined);
    if (value.in === 'body') return within([1], BODY_PARAMETER);
    return value.in === 'path' ? within([2, 4], PATH_PARAMETER) : within([2, 3], QUERY_PARAMETER);
  };
}

const RESPONSE: Message = { description: text(1), schema: inside([2], schema(1)) };

const OPERATION: Message = {
  tags: each(text(1)),
  description: text(3),
  operationId: text(5),
  produces: each(text(6)),
  consumes: each(text(7)),
  parameters: each(parameter(8)),
  responses: inside(
    [9],
    map(
      1,
      inside(
        [2],
        message(1, () => RESPONSE),
      ),
    ),
  ),
  schemes: each(text(10)),
  'x-': extension(13),
};

const operation = (number: number) => message(number, () => OPERATION);

const PATH_ITEM: Message = {
  get: operation(2),
  put: operation(3),
  post: operation(4),
  delete: operation(5),
  options: operation(6),
  head: operation(7),
  patch: operation(8),
  parameters: each(parameter(9)),
};

const HEAD: Message = {
  swagger: text(1),
  info: message(2, () => ({ title: text(1), version: text(2) })),
};
