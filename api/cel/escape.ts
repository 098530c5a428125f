// Names of fields as expressions write them.
// Invariant: as upstream: what CEL reserves becomes `__if__`, and `.`, `-`, `/` and `__` have names; other characters make
// a field unreachable.
import { table } from '../../base/table.ts';

const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const MARKS: Readonly<Record<string, string>> = table({
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
});
const NAME = /^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/;

/** The name in expressions; undefined for a field that they cannot reach. */
export function escapedName(field: string): string | undefined {
  if (RESERVED.has(field)) return `__${field}__`;
  if (!NAME.test(field)) return undefined;
  return field.replace(/__|[.\-/]/g, (mark) => MARKS[mark] ?? mark);
}

const UNMARKED: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(MARKS).map(([mark, name]) => [name, mark]),
);

/** The name of the field; the opposite of escapedName. */
export function unescapedName(name: string): string {
  const inner = /^__([a-z]+)__$/.exec(name)?.[1];
  if (inner !== undefined && RESERVED.has(inner)) return inner;
  return name.replace(/__(?:underscores|dot|dash|slash)__/g, (mark) => UNMARKED[mark] ?? mark);
}
