// JSONPath in Kubernetes' dialect, as printer columns use it: `.status.conditions[?(@.type=="Ready")].status`.
// Invariant: pure; a path is read once, and finding never throws: what is not there is no result. Evaluation visits at most MAX_VISITED values.
// Source: kubernetes.io, "JSONPath Support"; ranges and templates with text are kubectl's own and not part of it.

/** Values visited and found by one evaluation, which stops there. */
export const MAX_VISITED = 10_000;
/** Names or indexes between two brackets. */
export const MAX_UNION = 32;
/** Characters of a path. */
export const MAX_PATH_CHARS = 4096;

/** A path that was read. */
export interface JsonPath {
  /** The values found, in order. */
  find(root: unknown): unknown[];
}

/** What a path is not; the message says where. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

type Step =
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'wildcard' | 'descend' }
  | { readonly kind: 'items'; readonly indexes: readonly number[] }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | { readonly kind: 'filter'; readonly filter: Filter };

interface Filter {
  readonly left: Operand;
  readonly operator: string | undefined;
  readonly right: Operand | undefined;
}
type Operand = { readonly path: readonly Step[] } | { readonly value: unknown };

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;

/** Reads a path, with or without braces and leading `$`. Throws JsonPathError. */
export function parseJsonPath(text: string): JsonPath {
  if (text.length > MAX_PATH_CHARS)
    throw new JsonPathError(`longer than ${MAX_PATH_CHARS} characters`);
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  const steps = new Reader(inner.replace(/^\$/, '')).steps();
  return { find: (root) => new Finder().find(steps, [root]) };
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    while (this.#at < this.#text.length) steps.push(...this.#step());
    return steps;
  }

  #step(): Step[] {
    if (this.#take('..')) {
      const next = this.#peek('[') ? [] : [this.#name()];
      return [{ kind: 'descend' }, ...next];
    }
    if (this.#take('.')) return this.#atEnd() || this.#peek('[') ? [] : [this.#name()];
    if (this.#take('[')) return [this.#bracket()];
    if (this.#at === 0) return [this.#name()];
    throw new JsonPathError(`unexpected ${JSON.stringify(this.#text[this.#at])} at ${this.#at}`);
  }

  #name(): Step {
    const match = /^(?:\\.|[^.[\]\\\s{}])+/.exec(this.#text.slice(this.#at));
    if (!match) throw new JsonPathError(`a name is missing at ${this.#at}`);
    this.#at += match[0].length;
    const name = match[0].replaceAll(/\\(.)/g, '$1');
    return name === '*' ? { kind: 'wildcard' } : { kind: 'field', names: [name] };
  }

  #bracket(): Step {
    const end = closingBracket(this.#text, this.#at);
    if (end < 0) throw new JsonPathError('unterminated array');
    const inner = this.#text.slice(this.#at, end).trim();
    this.#at = end + 1;
    if (inner === '*') return { kind: 'wildcard' };
    const filter = /^\?\((.*)\)$/s.exec(inner);
    if (filter) return { kind: 'filter', filter: filterOf(filter[1] ?? '') };
    const parts = partsOf(inner);
    if (parts.length > MAX_UNION)
      throw new JsonPathError(`more than ${MAX_UNION} names or indexes in one step`);
    const quoted = parts.map(unquoted);
    if (quoted.every((name) => name !== undefined)) return { kind: 'field', names: quoted };
    return indexStep(inner);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #peek(token: string): boolean {
    return this.#text.startsWith(token, this.#at);
  }

  #atEnd(): boolean {
    return this.#at >= this.#text.length;
  }
}

/** Where the bracket that was opened before `from` ends; texts in quotes and inner brackets are skipped. */
function closingBracket(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === '"' || char === "'") {
      const close = text.indexOf(char, at + 1);
      if (close < 0) return -1;
      at = close;
    } else if (char === '[') depth += 1;
    else if (char === ']' && --depth === 0) return at;
  }
  return -1;
}

function partsOf(inner: string): string[] {
  return inner.match(/'[^']*'|"[^"]*"|[^,]+/g)?.map((part) => part.trim()) ?? [inner];
}

function unquoted(text: string): string | undefined {
  return /^(['"])(.*)\1$/s.exec(text)?.[2];
}

function indexStep(inner: string): Step {
  const slice = /^(-?\d+)?\s*:\s*(-?\d+)?(?:\s*:\s*(\d+))?$/.exec(inner);
  if (slice) {
    const [, from, to, by] = slice;
    return {
      kind: 'slice',
      ...(from === undefined ? {} : { from: Number(from) }),
      ...(to === undefined ? {} : { to: Number(to) }),
      by: Math.max(1, Number(by ?? 1)),
    };
  }
  const indexes = partsOf(inner);
  if (indexes.every((index) => /^-?\d+$/.test(index)))
    return { kind: 'items', indexes: indexes.map(Number) };
  throw new JsonPathError(`invalid array index ${inner}`);
}

function filterOf(text: string): Filter {
  const operator = OPERATORS.map((token) => ({ token, at: outsideQuotes(text, token) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || b.token.length - a.token.length)[0];
  if (operator === undefined)
    return { left: operandOf(text), operator: undefined, right: undefined };
  return {
    left: operandOf(text.slice(0, operator.at)),
    operator: operator.token,
    right: operandOf(text.slice(operator.at + operator.token.length)),
  };
}

function outsideQuotes(text: string, token: string): number {
  return text.replaceAll(/'[^']*'|"[^"]*"/g, (part) => '_'.repeat(part.length)).indexOf(token);
}

function operandOf(text: string): Operand {
  const trimmed = text.trim();
  if (trimmed.startsWith('@') || trimmed.startsWith('$'))
    return { path: new Reader(trimmed.slice(1)).steps() };
  const quoted = unquoted(trimmed);
  if (quoted !== undefined) return { value: quoted };
  if (trimmed === 'true' || trimmed === 'false') return { value: trimmed === 'true' };
  if (/^-?\d+(\.\d+)?$/.test(trimmed)) return { value: Number(trimmed) };
  throw new JsonPathError(`unrecognized value ${JSON.stringify(trimmed)} in a filter`);
}

class Finder {
  #visited = 0;

  find(steps: readonly Step[], roots: readonly unknown[]): unknown[] {
    let found = [...roots];
    for (const step of steps) found = this.#followAll(step, found);
    return found;
  }

  #followAll(step: Step, values: readonly unknown[]): unknown[] {
    const found: unknown[] = [];
    for (const value of values) {
      if (this.#visited > MAX_VISITED) break;
      const next = this.#follow(step, value);
      this.#visited += next.length;
      found.push(...next.slice(0, MAX_VISITED));
    }
    return found;
  }

  #follow(step: Step, value: unknown): unknown[] {
    this.#visited += 1;
    if (this.#visited > MAX_VISITED || typeof value !== 'object' || value === null) return [];
    switch (step.kind) {
      case 'field':
        return step.names
          .filter((name) => Object.hasOwn(value, name))
          .map((name) => partOf(value, name));
      case 'wildcard':
        return Object.values(value);
      case 'descend':
        return this.#descend(value);
      case 'items':
        return Array.isArray(value) ? itemsOf(value, step.indexes) : [];
      case 'slice':
        return Array.isArray(value)
          ? value.slice(step.from, step.to).filter((_, i) => i % step.by === 0)
          : [];
      case 'filter':
        return Object.values(value).filter((item) => this.#passes(step.filter, item));
    }
  }

  #descend(value: object): unknown[] {
    const all: unknown[] = [value];
    for (let at = 0; at < all.length && this.#visited <= MAX_VISITED; at++) {
      this.#visited += 1;
      const next = all[at];
      if (typeof next === 'object' && next !== null)
        all.push(...Object.values(next).slice(0, MAX_VISITED));
    }
    return all;
  }

  #passes({ left, operator, right }: Filter, item: unknown): boolean {
    const [a] = this.#valuesOf(left, item);
    if (operator === undefined || right === undefined) return a !== undefined;
    const [b] = this.#valuesOf(right, item);
    if (a === undefined || b === undefined || typeof a !== typeof b) return false;
    return compared(a, b, operator);
  }

  #valuesOf(operand: Operand, item: unknown): unknown[] {
    return 'path' in operand ? this.find(operand.path, [item]) : [operand.value];
  }
}

const partOf = (value: object, name: string): unknown => (value as Record<string, unknown>)[name];

function itemsOf(list: readonly unknown[], indexes: readonly number[]): unknown[] {
  return indexes.map((index) => list.at(index)).filter((item) => item !== undefined);
}

function compared(a: unknown, b: unknown, operator: string): boolean {
  const [x, y] = [a as string, b as string];
  switch (operator) {
    case '==':
      return x === y;
    case '!=':
      return x !== y;
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    default:
      return x >= y;
  }
}
