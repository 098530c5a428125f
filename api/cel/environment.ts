// What an expression may use: variables, functions, types of literals.
// Invariant: immutable; the standard functions are put in order once, not for each expression.
import type { CelType, ObjectType } from './cel-type.ts';
import { STANDARD } from './library/standard.ts';
import type { Library, Overload } from './overload.ts';
import type { PatternAllowance } from './pattern-allowance.ts';

/** What is declared for an expression. */
export interface Declarations {
  /** Variables by name, such as `self`. */
  readonly variables: Readonly<Record<string, CelType>>;
  /** Functions beside the standard ones; their types are values of OpaqueValue. */
  readonly functions?: Library;
  /** The type of typed literals such as `Object.spec{…}`; undefined for names that are none. */
  readonly structs?: (name: string) => ObjectType | undefined;
  /** Lists and maps of mixed types are let pass; rules of custom resources and policies refuse them. */
  readonly mixedLiterals?: boolean;
  /** Room for patterns that the expression shares with others that are stored with it; it has room of its own besides. */
  readonly patterns?: PatternAllowance;
}

/** Overloads of functions, or of methods, by name. */
export class FunctionTable {
  readonly #overloads = new Map<string, Overload[]>();

  constructor(library: Library) {
    for (const each of library) {
      const key = keyOf(each.name, each.method);
      this.#overloads.set(key, [...(this.#overloads.get(key) ?? []), each]);
    }
  }

  find(name: string, method: boolean): readonly Overload[] {
    return this.#overloads.get(keyOf(name, method)) ?? [];
  }
}

function keyOf(name: string, method: boolean): string {
  return method ? `.${name}` : name;
}

const standard = new FunctionTable(STANDARD);
const tables = new WeakMap<Library, FunctionTable>();

/** Standard functions, and those that are declared. */
export function functionsOf({ functions }: Declarations): FunctionTable {
  if (functions === undefined) return standard;
  const known = tables.get(functions);
  if (known) return known;
  const table = new FunctionTable([...STANDARD, ...functions]);
  tables.set(functions, table);
  return table;
}
