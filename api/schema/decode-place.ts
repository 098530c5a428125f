// Where the decoder stands in a document, and the errors it makes there, with upstream's wording.
// Invariant: paths become text only when somebody needs to read them.
import type { Shape } from './shape.ts';

/** A value that does not fit; the message is what follows `cannot be handled as a Kind: `. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

interface Segment {
  readonly kind: 'field' | 'item' | 'key';
  readonly text: string;
}

/** A place in a document: a chain back to its root. */
export class Place {
  readonly #parent: Place | undefined;
  readonly #segment: Segment | undefined;
  /** The innermost type that has fields of its own, as errors name it. */
  readonly structName: string;

  private constructor(structName: string, parent?: Place, segment?: Segment) {
    this.structName = structName;
    this.#parent = parent;
    this.#segment = segment;
  }

  /** The whole document. */
  static root(): Place {
    return new Place('');
  }

  /** A field of a type called `structName`. */
  field(name: string, structName: string): Place {
    return new Place(structName, this, { kind: 'field', text: name });
  }

  /** An item of a list. */
  item(index: number): Place {
    return new Place(this.structName, this, { kind: 'item', text: `[${index}]` });
  }

  /** A key of a map. */
  key(name: string): Place {
    return new Place(this.structName, this, { kind: 'key', text: name });
  }

  /** From the root to here. */
  segments(): Segment[] {
    const before = this.#parent?.segments() ?? [];
    if (this.#segment !== undefined) before.push(this.#segment);
    return before;
  }
}

/** The full path of a field below a place: `spec.containers[0].imag`. */
export function pathOf(at: Place, field: string): string {
  const segments = [...at.segments(), { kind: 'field', text: field } as const];
  const text = segments
    .map(({ kind, text: part }) => (kind === 'item' ? part : `.${part}`))
    .join('');
  return text.replace(/^\./, '');
}

/**
 * The error for a value of the wrong JSON type; list indices and map keys are not part of its path.
 */
export function typeMismatch(shape: Shape, value: unknown, at: Place): DecodeError {
  const isWhole = shape.kind === 'int32' || shape.kind === 'int64';
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const what = isWhole && isNumber ? `number ${value}` : jsonType(value);
  const fields = at.segments().filter(({ kind }) => kind === 'field');
  const where =
    fields.length === 0
      ? 'value'
      : `struct field ${at.structName}.${fields.map(({ text }) => text).join('.')}`;
  return new DecodeError(
    `json: cannot unmarshal ${what} into Go ${where} of type ${shape.typeName}`,
  );
}

/** The JSON type of a value, as upstream's parser calls it. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}
