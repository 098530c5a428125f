// The schemas of a definition's versions as trees, each made when it is first asked for.
// Invariant: one tree for each version of a stored definition, whoever uses it. A schema is read again rather than kept: it is
// most of a definition, of which hundreds may be there that no object is ever read of.
import type { CustomResourceDefinition, JSONSchemaProps } from '../generated/types.ts';
import { type Structural, structuralOf } from '../schema/structural/structural.ts';

/** Trees by apiVersion. */
export class SchemaTrees {
  readonly #read: () => CustomResourceDefinition;
  readonly #made = new Map<string, Structural>();

  /** `read` gives the whole definition, whenever a schema of it is needed. */
  constructor(read: () => CustomResourceDefinition) {
    this.#read = read;
  }

  /** The schema of a version; undefined for one that the definition does not have. */
  schema(apiVersion: string): JSONSchemaProps | undefined {
    const { group, versions } = this.#read().spec;
    const version = versions.find(({ name }) => `${group}/${name}` === apiVersion);
    return version && (version.schema?.openAPIV3Schema ?? {});
  }

  /** The tree of a version; undefined for one that the definition does not have. */
  of(apiVersion: string): Structural | undefined {
    const known = this.#made.get(apiVersion);
    if (known) return known;
    const schema = this.schema(apiVersion);
    if (schema === undefined) return undefined;
    const tree = structuralOf(schema);
    this.#made.set(apiVersion, tree);
    return tree;
  }
}
