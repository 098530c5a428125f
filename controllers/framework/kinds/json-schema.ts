// JSON Schema as authors of kinds write it by hand, and the TypeScript type that a literal of it stands for.
// Invariant: types only; what of it a definition can say is structural-form.ts's.

/** A schema; keywords are those of JSON Schema and of OpenAPI 3.0, and `x-kubernetes-…`. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | readonly JsonSchema[] | boolean;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly [keyword: string]: unknown;
}

/** `written` is what a user may send; `stored` what a server answers: defaults are filled in. */
export type Form = 'written' | 'stored';

/** The type of values of a schema that is given as a literal. What it does not tell is unknown. */
export type FromJsonSchema<S, F extends Form> = S extends { readonly nullable: true }
  ? Value<S, F> | null
  : Value<S, F>;

type Value<S, F extends Form> = S extends { readonly 'x-kubernetes-int-or-string': true }
  ? number | string
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly const: infer C }
      ? C
      : S extends { readonly type: infer T }
        ? OfType<S, T, F>
        : unknown;

/** Over each of several types, too. */
type OfType<S, T, F extends Form> = T extends readonly (infer Each)[]
  ? OfType<S, Each, F>
  : T extends 'string'
    ? string
    : T extends 'integer' | 'number'
      ? number
      : T extends 'boolean'
        ? boolean
        : T extends 'null'
          ? null
          : T extends 'array'
            ? List<S, F>
            : T extends 'object'
              ? Fields<S, F>
              : unknown;

type List<S, F extends Form> = S extends { readonly items: infer I }
  ? FromJsonSchema<I, F>[]
  : unknown[];

type Fields<S, F extends Form> = S extends { readonly properties: infer P }
  ? Flat<
      { [N in Present<S, P, F>]: FromJsonSchema<P[N], F> } & {
        [N in Exclude<keyof P, Present<S, P, F>>]?: FromJsonSchema<P[N], F> | undefined;
      }
    >
  : S extends { readonly additionalProperties: infer A }
    ? Record<string, A extends object ? FromJsonSchema<A, F> : unknown>
    : Record<string, unknown>;

/** Names of fields that are there: those required, and of what is stored those with a default. */
type Present<S, P, F extends Form> =
  | (S extends { readonly required: readonly (infer R)[] } ? Extract<keyof P, R> : never)
  | (F extends 'stored'
      ? { [N in keyof P]: P[N] extends { readonly default: unknown } ? N : never }[keyof P]
      : never);

type Flat<T> = { [N in keyof T]: T[N] };
