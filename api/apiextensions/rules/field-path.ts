// The fieldPath of a validation rule: names of fields and keys of maps below the place of the rule, such as `.spec['a.b']`.
// Invariant: pure; every step leads to what the schema has. Wordings are those API users know.
import { table } from '../../../base/table.ts';
import { type Structural } from '../../schema/structural/structural.ts';

/** One step: a field, or an entry of a map. */
export interface PathStep {
  readonly name: string;
  readonly inMap: boolean;
}

/** A path that leads nowhere. */
export class FieldPathError extends Error {}

/** A quoted name with its closing quote, a delimiter, or all up to the next delimiter. */
const TOKEN = /'(?:[^'\\]|\\.)+'|[.[\]]|[^.[\]]+/gs;

/** The steps of a path, `[]` for none. Throws FieldPathError. */
export function fieldPathSteps(text: string, schema: Structural): readonly PathStep[] {
  const tokens = text.match(TOKEN) ?? [];
  const steps: PathStep[] = [];
  let place: Structural = schema;
  for (let at = 0; at < tokens.length; ) {
    const quoted = tokens[at] === '[';
    if (!quoted && tokens[at] !== '.')
      throw new FieldPathError(`expected [ or . but got: ${tokens[at]}`);
    const step = stepIn(place, quoted ? unquoted(tokens, at) : following(tokens, at));
    steps.push(step.step);
    place = step.below;
    at += quoted ? 3 : 2;
  }
  return steps;
}

function following(tokens: readonly string[], at: number): string {
  const token = tokens[at + 1];
  if (token === undefined) throw new FieldPathError('unexpected end of JSON path');
  return token;
}

function unquoted(tokens: readonly string[], at: number): string {
  const token = following(tokens, at);
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'"))
    throw new FieldPathError(`expected single quoted string but got ${token}`);
  const closing = following(tokens, at + 1);
  if (closing !== ']') throw new FieldPathError(`expected ] but got ${closing}`);
  return token.slice(1, -1).replaceAll(/\\(.)/gs, (escape, char: string) => {
    const meant = ESCAPES[char];
    if (meant !== undefined) return meant;
    throw new FieldPathError(`invalid string literal: invalid escape char ${escape}`);
  });
}

const ESCAPES: Readonly<Record<string, string>> = table({
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
});

function stepIn(
  { properties, additional }: Structural,
  name: string,
): { step: PathStep; below: Structural } {
  const inMap = properties.size === 0;
  const below = inMap ? additional : properties.get(name);
  if (below === undefined || below === 'any')
    throw new FieldPathError('does not refer to a valid field');
  return { step: { name, inMap }, below };
}
