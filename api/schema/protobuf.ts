// Reads request bodies in `application/vnd.kubernetes.protobuf`, which kubectl's typed commands and
// many Go programs send whatever the server prefers (they take answers in JSON). Gives the value
// that the same body would be in JSON. Invariant: nothing is dropped that the writer said; a message or field unknown
// here is refused with 415.
import { badRequest, StatusError } from '../status.ts';
import { MAX_DEPTH, setOwn } from './decode.ts';
import { schemaNameOf } from './endpoints.ts';
import { protobufFields } from './protobuf-fields.ts';
import type { MessageFields } from './protobuf-fields.ts';
import { type FormReader, formReader } from './protobuf-schemas.ts';
import { ProtobufError, readFields } from './protobuf-reader.ts';
import type { WireField } from './protobuf-reader.ts';
import { shapeOf } from './shape.ts';
import type { Shape } from './shape.ts';

/** The content type. */
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const DELETE_OPTIONS = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';

type Struct = Shape & { kind: 'struct' };

/**
 * The body as a plain value, ready for decodeObject. Throws BadRequest, or UnsupportedMediaType.
 */
export function readProtobuf(body: Uint8Array): Record<string, unknown> {
  try {
    return readEnvelope(body);
  } catch (error) {
    if (error instanceof ProtobufError) {
      throw badRequest(`the body of the request is no valid protobuf: ${error.message}`);
    }
    throw error;
  }
}

/** Four magic bytes, then a message of apiVersion, kind, and the object's own bytes. */
function readEnvelope(body: Uint8Array): Record<string, unknown> {
  if (MAGIC.some((byte, index) => body[index] !== byte)) throw new ProtobufError('no magic number');
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  for (const field of readFields(body.subarray(MAGIC.length))) {
    if (field.number === 1) {
      const [version, name] = textsOf(bytesOf(field));
      apiVersion = version ?? '';
      kind = name ?? '';
    } else if (field.number === 2) {
      raw = bytesOf(field);
    }
  }
  const name = kind === 'DeleteOptions' ? DELETE_OPTIONS : schemaNameOf(gvkOf(apiVersion, kind));
  if (name === undefined) throw unsupported(`${apiVersion} ${kind}`);
  const shape = shapeOf(name);
  return { apiVersion, kind, ...(shape.kind === 'struct' ? readStruct(shape, raw, 0) : {}) };
}

function gvkOf(apiVersion: string, kind: string): { group: string; version: string; kind: string } {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version, kind };
}

function unsupported(what: string): StatusError {
  return new StatusError(
    'UnsupportedMediaType',
    `${what} is not understood in protobuf here; send application/json`,
  );
}

function readStruct(shape: Struct, bytes: Uint8Array, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  readMessage(object, bytes, { shape, fields: protobufFields(shape.schemaName), depth });
  return object;
}

interface Message {
  /** Of the object that the fields go into. */
  readonly shape: Struct;
  readonly fields: MessageFields;
  readonly depth: number;
}

function readMessage(object: Record<string, unknown>, bytes: Uint8Array, message: Message): void {
  const { shape, fields, depth } = message;
  if (depth > MAX_DEPTH) throw new ProtobufError('nested too deeply');
  for (const wire of readFields(bytes)) {
    const field = fields.get(wire.number);
    if (field?.embedded !== undefined) {
      const embedded = { shape, fields: field.embedded, depth: depth + 1 };
      readMessage(object, bytesOf(wire), embedded);
      continue;
    }
    const fieldShape = field && shape.fields.get(field.name);
    if (field === undefined || fieldShape === undefined) {
      throw unsupported(`field ${wire.number} of ${shape.typeName}`);
    }
    const form = formReader(shape.typeName, field.name);
    const reading = { shape: fieldShape, wire, depth: depth + 1, ...(form && { form }) };
    const value = readInto(object[field.name], reading);
    // Fields that are no pointers are always sent, set or not.
    const unset = value === undefined || (isZero(value) && !field.keepsZero);
    if (!unset) object[field.name] = value;
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === false || value === '';
}

interface Reading {
  readonly shape: Shape;
  readonly wire: WireField;
  readonly depth: number;
  /** Given for what JSON has in several forms. */
  readonly form?: FormReader;
}

/** Lists and maps come an item at a time, and grow in place. */
function readInto(present: unknown, { shape, wire, depth, form }: Reading): unknown {
  if (shape.kind === 'list') {
    const list = (present ?? []) as unknown[];
    list.push(readValue({ shape: shape.item, wire, depth }));
    return list;
  }
  if (shape.kind === 'map') {
    const map = (present ?? {}) as Record<string, unknown>;
    const value = { shape: shape.value, depth, ...(form && { form }) };
    const [key, item] = readEntry(value, bytesOf(wire));
    setOwn(map, key, item);
    return map;
  }
  return readValue({ shape, wire, depth, ...(form && { form }) });
}

function readEntry(reading: Omit<Reading, 'wire'>, bytes: Uint8Array): [string, unknown] {
  let key = '';
  let value: unknown = reading.shape.kind === 'struct' ? {} : '';
  for (const wire of readFields(bytes)) {
    if (wire.number === 1) key = textOf(bytesOf(wire));
    else if (wire.number === 2) value = readValue({ ...reading, wire });
  }
  return [key, value];
}

/** Within a form stand schemas, whatever is around it. */
const SCHEMA = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

function readForm(form: FormReader, bytes: Uint8Array, depth: number): unknown {
  const shape = shapeOf(SCHEMA) as Struct;
  return form(bytes, {
    schema: (field) => readStruct(shape, bytesOf(field), depth + 1),
    flag: (field) => numberOf(field) !== 0,
    text: (field) => textOf(bytesOf(field)),
    unknown(field) {
      throw unsupported(`field ${field.number} of a part of a schema`);
    },
  });
}

function readValue({ shape, wire, depth, form }: Reading): unknown {
  if (form) return readForm(form, bytesOf(wire), depth);
  switch (shape.kind) {
    case 'struct':
      return readStruct(shape, bytesOf(wire), depth);
    case 'string':
      return textOf(bytesOf(wire));
    case 'bytes':
      return Buffer.from(bytesOf(wire)).toString('base64');
    case 'bool':
      return numberOf(wire) !== 0;
    case 'int32':
    case 'int64':
      return numberOf(wire);
    case 'double':
      return doubleOf(bytesOf(wire));
    case 'quantity':
      return textsOf(bytesOf(wire))[0];
    case 'int-or-string':
      return readIntOrString(bytesOf(wire));
    case 'micro-time':
    case 'time':
      return readTime(bytesOf(wire));
    case 'any':
      return readRaw(bytesOf(wire));
    case 'list':
      return readItems(shape, bytesOf(wire), depth);
    default:
      throw unsupported(`a value of type ${shape.typeName}`);
  }
}

/** Free-form values come as JSON in a message with one field; without it there is no value. */
function readRaw(bytes: Uint8Array): unknown {
  const [raw, ...more] = readFields(bytes);
  if (raw === undefined) return undefined;
  const other = [raw, ...more].find(({ number }) => number !== 1);
  if (other !== undefined) throw unsupported(`field ${other.number} of a free-form value`);
  try {
    return JSON.parse(textOf(bytesOf(raw))) as unknown;
  } catch {
    throw new ProtobufError('a free-form value that is not valid JSON');
  }
}

/** A list that is the value of a map, such as `extra` of a review: {items}. */
function readItems(shape: Shape & { kind: 'list' }, bytes: Uint8Array, depth: number): unknown[] {
  return [...readFields(bytes)].map((wire) => {
    if (wire.number !== 1) throw unsupported(`field ${wire.number} of ${shape.typeName}`);
    return readValue({ shape: shape.item, wire, depth: depth + 1 });
  });
}

/** {type, intVal, strVal}: type 1 is the text. */
function readIntOrString(bytes: Uint8Array): number | string {
  const fields = new Map([...readFields(bytes)].map((field) => [field.number, field]));
  const pick = (number: number) => fields.get(number) ?? { number, value: 0n };
  const strVal = fields.get(3);
  return numberOf(pick(1)) === 1 && strVal ? textOf(bytesOf(strVal)) : numberOf(pick(2));
}

/** {seconds, nanos}; an empty message is no time at all. */
function readTime(bytes: Uint8Array): string | undefined {
  const fields = new Map([...readFields(bytes)].map((field) => [field.number, numberOf(field)]));
  if (fields.size === 0) return undefined;
  const date = new Date((fields.get(1) ?? 0) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError('a time out of range');
  const micros = Math.trunc((fields.get(2) ?? 0) / 1000);
  return `${date.toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`;
}

function bytesOf({ value }: WireField): Uint8Array {
  if (typeof value === 'bigint') throw new ProtobufError('a number where bytes belong');
  return value;
}

function numberOf({ value }: WireField): number {
  if (typeof value !== 'bigint') throw new ProtobufError('bytes where a number belongs');
  return Number(BigInt.asIntN(64, value));
}

/** Eight bytes, the lowest first. */
function doubleOf(bytes: Uint8Array): number {
  if (bytes.length !== 8) throw new ProtobufError('a number that has no eight bytes');
  return Buffer.from(bytes).readDoubleLE();
}

/** The texts of fields 1, 2, …, of a message that has nothing else. */
function textsOf(bytes: Uint8Array): (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  for (const field of readFields(bytes)) {
    if (field.number <= 2) texts[field.number - 1] = textOf(bytesOf(field));
  }
  return texts;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new ProtobufError('a text that is no UTF-8');
  }
}
