// JSON seen through its declared type: nothing is converted before an expression asks for it, and then only that.
// Invariant: the JSON is never changed, and must not change while values made from it are in use.
import { CelError } from './cel-error.ts';
import type { CelField, CelType, ListType, MapType, ObjectType } from './cel-type.ts';
import { DYN, STRING } from './cel-type.ts';
import { readDate, readDuration, readTimestamp } from './time-values.ts';
import { type CelValue, ListValue, MapValue, ObjectValue } from './values.ts';

/** What a JSON value of that type is in expressions. Values that do not fit their type are seen as what they are. */
export function celValue(json: unknown, type: CelType = DYN): CelValue {
  switch (typeof json) {
    case 'string':
      return textValue(json, type);
    case 'number':
      return numberValue(json, type);
    case 'bigint':
      return type.kind === 'double' ? Number(json) : json;
    case 'boolean':
      return json;
    default:
      return typeof json === 'object' && json !== null ? composite(json, type) : null;
  }
}

/** The JSON that the value was made from; undefined where an expression made it. */
export function sourceJson(value: CelValue & object): unknown {
  const seen = value instanceof JsonList || value instanceof JsonMap || value instanceof JsonObject;
  return seen ? value.json : undefined;
}

/** The first double that is no int64. */
const INT_END = 2 ** 63;

function numberValue(json: number, type: CelType): CelValue {
  if (type.kind === 'double') return json;
  const whole = Number.isInteger(json) && json >= -INT_END && json < INT_END;
  return whole ? BigInt(json) : json;
}

function textValue(json: string, type: CelType): CelValue {
  if (type.kind === 'timestamp')
    return readTimestamp(json) ?? readDate(json) ?? unread(json, 'timestamp');
  if (type.kind === 'duration') return readDuration(json) ?? unread(json, 'duration');
  if (type.kind === 'bytes') return new Uint8Array(Buffer.from(json, 'base64'));
  return json;
}

function unread(json: string, what: string): never {
  throw new CelError(`string ${JSON.stringify(json.slice(0, MAX_SHOWN))} is no ${what}`);
}

/** Characters of a bad text that its error shows. */
const MAX_SHOWN = 100;

const READ_TEXTS: ReadonlySet<CelType['kind']> = new Set(['bytes', 'duration', 'timestamp']);

/** May it be read anew each time it is asked for? */
function isPlain(json: unknown, { kind }: CelType): boolean {
  return typeof json === 'string' ? !READ_TEXTS.has(kind) : typeof json !== 'object';
}

function composite(json: object, type: CelType): CelValue {
  if (Array.isArray(json)) return new JsonList(json, type.kind === 'list' ? type : DYN_LIST);
  const fields = json as Readonly<Record<string, unknown>>;
  if (type.kind === 'object') return new JsonObject(fields, type);
  return new JsonMap(fields, type.kind === 'map' ? type : DYN_MAP);
}

const DYN_LIST: ListType = { kind: 'list', of: DYN };
const DYN_MAP: MapType = { kind: 'map', key: STRING, of: DYN };

class JsonList extends ListValue {
  readonly json: readonly unknown[];
  readonly #type: ListType;
  /** Items that take work to read, and those that remember such. */
  #seen: (CelValue | undefined)[] | undefined;

  constructor(json: readonly unknown[], type: ListType) {
    super();
    this.json = json;
    this.#type = type;
  }
  get size(): number {
    return this.json.length;
  }
  at(index: number): CelValue | undefined {
    const json = this.json[index];
    if (json === undefined) return undefined;
    if (isPlain(json, this.#type.of)) return celValue(json, this.#type.of);
    this.#seen ??= [];
    return (this.#seen[index] ??= celValue(json, this.#type.of));
  }
  override get type(): ListType | undefined {
    return this.#type.listType === undefined ? undefined : this.#type;
  }
}

class JsonMap extends MapValue {
  readonly json: Readonly<Record<string, unknown>>;
  readonly #type: MapType;
  #keys: readonly string[] | undefined;
  #seen: Map<string, CelValue> | undefined;

  constructor(json: Readonly<Record<string, unknown>>, type: MapType) {
    super();
    this.json = json;
    this.#type = type;
  }
  get size(): number {
    return this.keys().length;
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined;
    const json = this.json[key];
    if (json === undefined) return undefined;
    if (isPlain(json, this.#type.of)) return celValue(json, this.#type.of);
    this.#seen ??= new Map();
    return remembered(this.#seen, key, () => celValue(json, this.#type.of));
  }
  keys(): readonly string[] {
    this.#keys ??= Object.keys(this.json);
    return this.#keys;
  }
}

class JsonObject extends ObjectValue {
  readonly json: Readonly<Record<string, unknown>>;
  readonly #type: ObjectType;
  #names: readonly string[] | undefined;
  #seen: Map<string, CelValue> | undefined;

  constructor(json: Readonly<Record<string, unknown>>, type: ObjectType) {
    super();
    this.json = json;
    this.#type = type;
  }
  get typeName(): string {
    return this.#type.name;
  }
  get(field: string): CelValue | undefined {
    const { name, type } = this.#field(field);
    if (!Object.hasOwn(this.json, name)) return undefined;
    const json = this.json[name];
    if (json === undefined) return undefined;
    if (isPlain(json, type)) return celValue(json, type);
    this.#seen ??= new Map();
    return remembered(this.#seen, field, () => celValue(json, type));
  }
  names(): readonly string[] {
    this.#names ??= [...this.#type.fields]
      .filter(([, { name }]) => Object.hasOwn(this.json, name))
      .map(([field]) => field);
    return this.#names;
  }
  #field(field: string): CelField {
    const known = this.#type.fields.get(field);
    if (known !== undefined) return known;
    if (this.#type.open) return { name: field, type: DYN };
    throw new CelError(`no such field '${field}'`);
  }
}

function remembered(seen: Map<string, CelValue>, key: string, make: () => CelValue): CelValue {
  let value = seen.get(key);
  if (value === undefined) {
    value = make();
    seen.set(key, value);
  }
  return value;
}
