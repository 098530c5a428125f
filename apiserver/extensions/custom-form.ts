// How custom resources come out of storage and go into it: pruned and defaulted by the schema of the version that they were
// stored in, converted to the one that is asked for, and stored in the storage version alone. Source: the public
// documentation of custom resources ("Defaulting", "Versions").
// Invariant: what was written in this version under the present schemas is not looked at; what is handed in is not changed.
import type { MaybePromise, StoredForm } from '../../api/definition.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { SchemaTrees } from '../../api/apiextensions/schema-trees.ts';
import { currentForm, withoutUnknown } from '../../api/schema/structural/current-form.ts';
import type { SchemaAge } from './schema-age.ts';

/** Turns objects of one kind into another version of it. Throws a StatusError. */
export type Converter = (
  objects: readonly LooseObject[],
  apiVersion: string,
) => MaybePromise<readonly LooseObject[]>;

/** The conversion of a definition that names no webhook: versions differ in their name alone. */
export const renamed: Converter = (objects, apiVersion) =>
  objects.map((object) => ({ ...object, apiVersion }));

/** What a form is made of. */
export interface CustomFormParts {
  /** The version that is served. */
  readonly apiVersion: string;
  /** The version that is stored. */
  readonly storedVersion: string;
  readonly trees: SchemaTrees;
  readonly age: SchemaAge;
  readonly convert: Converter;
}

/** The form of one served version. */
export class CustomForm implements StoredForm {
  readonly #parts: CustomFormParts;
  readonly #generation: number;

  constructor(parts: CustomFormParts) {
    this.#parts = parts;
    this.#generation = parts.age.generation;
  }

  isServed(revision: bigint): boolean {
    const { apiVersion, storedVersion, age } = this.#parts;
    return apiVersion === storedVersion && age.isCurrent(revision);
  }

  serve(objects: readonly LooseObject[]): MaybePromise<readonly LooseObject[]> {
    const { apiVersion, trees } = this.#parts;
    const current = objects.map((object) => {
      const tree = trees.of(object.apiVersion ?? '');
      return tree ? currentForm(object, tree) : object;
    });
    return this.convert(current, apiVersion);
  }

  store(object: LooseObject): MaybePromise<LooseObject> {
    const { apiVersion, storedVersion } = this.#parts;
    if (apiVersion === storedVersion) return object;
    const stored = this.convert([object], storedVersion);
    return stored instanceof Promise ? stored.then(this.#defaulted) : this.#defaulted(stored);
  }

  /** What others wrote in the storage version has its defaults, and so has this: readers need not look. */
  readonly #defaulted = ([object]: readonly LooseObject[]): LooseObject => {
    const stored = object as LooseObject;
    const tree = this.#parts.trees.of(this.#parts.storedVersion);
    return tree ? currentForm(stored, tree) : stored;
  };

  convert(
    objects: readonly LooseObject[],
    apiVersion: string,
  ): MaybePromise<readonly LooseObject[]> {
    const others = objects.filter((object) => object.apiVersion !== apiVersion);
    if (others.length === 0) return objects;
    const merge = (converted: readonly LooseObject[]) =>
      this.#merged(objects, converted, apiVersion);
    const converted = this.#parts.convert(others, apiVersion);
    return converted instanceof Promise ? converted.then(merge) : merge(converted);
  }

  writing(): (revision?: bigint) => void {
    return this.#parts.age.writing(this.#generation);
  }

  /** The objects, with what was converted in its place. */
  #merged(
    objects: readonly LooseObject[],
    converted: readonly LooseObject[],
    apiVersion: string,
  ): LooseObject[] {
    const tree = this.#parts.trees.of(apiVersion);
    let next = 0;
    return objects.map((object) => {
      if (object.apiVersion === apiVersion) return object;
      const one = converted[next++] as LooseObject;
      return tree ? withoutUnknown(one, tree) : one;
    });
  }
}

/** The form of each version of a definition. */
export function customForms(
  { spec }: CustomResourceDefinition,
  parts: Pick<CustomFormParts, 'age' | 'convert' | 'trees'>,
): (apiVersion: string) => StoredForm {
  const storage = spec.versions.find((version) => version.storage)?.name ?? '';
  const storedVersion = `${spec.group}/${storage}`;
  return (apiVersion) => new CustomForm({ ...parts, apiVersion, storedVersion });
}
