// A custom resource that says something in every way that documents show: what they look like shows in its document.
// Invariant: it is never served.
import type { CustomResourceDefinition, JSONSchemaProps } from '../generated/types.ts';
import type { ResourceDefinition } from '../definition.ts';
import { customResources } from './custom-resource.ts';
import { SchemaTrees } from './schema-trees.ts';

const text: JSONSchemaProps = { type: 'string', description: 'A text.', nullable: true };
const SCHEMA: JSONSchemaProps = {
  type: 'object',
  properties: {
    list: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    map: { type: 'object', additionalProperties: text },
    open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    either: {
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
    },
  },
};

/** The kind, as it would be served. */
export function exampleOfCustoms(): ResourceDefinition[] {
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'examples.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Example', plural: 'examples' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.a', statusReplicasPath: '.status.a' },
          },
          schema: { openAPIV3Schema: SCHEMA },
        },
      ],
    },
  };
  return customResources(crd, crd.spec.names, new SchemaTrees(() => crd));
}
