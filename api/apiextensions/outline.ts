// Definitions without their schemas, for those that keep hundreds and read none: schemas are nearly all of a definition.
// Invariant: pure; an outline is never written back, as it would take the schemas away.
import type { CustomResourceDefinition } from '../generated/types.ts';

/** All that a definition says but its schemas and who owns which field. */
export function outlineOf(crd: CustomResourceDefinition): CustomResourceDefinition {
  const versions = crd.spec.versions.map((version) => {
    const { schema: _, ...rest } = version;
    return rest;
  });
  const { managedFields: _, ...metadata } = crd.metadata;
  return { ...crd, metadata, spec: { ...crd.spec, versions } };
}
