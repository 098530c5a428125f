// Hundreds of definitions such as a cloud's provider brings: one kind for each thing that may be ordered, ten to a group.
// Invariant: each is some 50 KB of JSON with its descriptions whole, and has 200 fields.
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { schemaOf } from '../../api/schema/schema.ts';
import { expanded } from './large-definition.ts';

const GROUP_SIZE = 10;
const WANTED = 'io.k8s.api.core.v1.Container';

/** So many definitions. */
export function providerDefinitions(count: number): CustomResourceDefinition[] {
  const wanted = expanded(schemaOf(WANTED), Number.POSITIVE_INFINITY);
  return Array.from({ length: count }, (_, i) => providerDefinition(i, wanted));
}

function providerDefinition(i: number, wanted: object): CustomResourceDefinition {
  const group = `part${Math.floor(i / GROUP_SIZE)}.cloud.example.com`;
  const plural = `things${i}`;
  const condition = {
    type: 'object',
    properties: { type: { type: 'string' }, status: { type: 'string' } },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { kind: `Thing${i}`, plural, categories: ['cloud'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', properties: { wanted } },
                status: {
                  type: 'object',
                  properties: { conditions: { type: 'array', items: condition } },
                },
              },
            },
          },
        },
      ],
    },
  };
}
