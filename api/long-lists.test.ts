// Lists as long as a body may hold, in which nothing may stand twice: rules take time by their length, not by its square.
import { describe, expect, it } from 'vitest';
import { broken, made } from '../test/support/kind-rules.ts';
import { customResourceDefinitionDefinition } from './apiextensions/custom-resource-definition.ts';
import type { ResourceDefinition } from './definition.ts';
import type { KubeObject } from './meta/object.ts';
import { resourceClaimDefinition } from './resource/resource-claim.ts';
import { csiDriverDefinition } from './storage/csi-driver.ts';
import { csiNodeDefinition } from './storage/csi-node.ts';
import { storageClassDefinition } from './storage/storage-class.ts';
import { cpuMs } from '../test/support/cpu.ts';

const LENGTH = 45_000;
/** Looking for each entry among all others takes ten times as long at least. */
const CEILING_MS = 2_000;

const names = Array.from({ length: LENGTH }, (_, i) => `entry-number-${i}`);
const each = <T>(make: (name: string) => T): T[] => names.map(make);

/** A definition with one list that has this many keys, and the fields that are its keys. */
function keyedBy(keys: readonly string[]) {
  const properties = Object.fromEntries(keys.map((key) => [key, { type: 'string' }]));
  const items = { type: 'object', required: keys, properties };
  const list = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    items,
  };
  return definition({ schema: { openAPIV3Schema: { type: 'object', properties: { list } } } });
}

function definition(version: object) {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    metadata: { name: 'tabs.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab' },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: open }, ...version },
      ],
    },
  };
}

type Case = readonly [string, ResourceDefinition<never>, object];
const about = <T extends KubeObject>(
  what: string,
  kind: ResourceDefinition<T>,
  parts: object,
): Case => [what, kind as unknown as ResourceDefinition<never>, parts];

const disk = { name: 'd.io', nodeID: 'n1' };
const classOf = (allowedTopologies: object[]) => ({ provisioner: 'a/b', allowedTopologies });

describe('Rules against repetitions', () => {
  it.each<Case>([
    about('drivers of a node', csiNodeDefinition, {
      spec: { drivers: each((name) => ({ ...disk, name })) },
    }),
    about('topology keys of a driver', csiNodeDefinition, {
      spec: { drivers: [{ ...disk, topologyKeys: names }] },
    }),
    about('token requests of a driver', csiDriverDefinition, {
      spec: { tokenRequests: each((audience) => ({ audience })) },
    }),
    about(
      'topologies of a class',
      storageClassDefinition,
      classOf(each((key) => ({ matchLabelExpressions: [{ key, values: ['a'] }] }))),
    ),
    about(
      'values of a topology',
      storageClassDefinition,
      classOf([{ matchLabelExpressions: [{ key: 'zone', values: names }] }]),
    ),
    about('requests of a claim', resourceClaimDefinition, {
      spec: { devices: { requests: each((name) => ({ name })) } },
    }),
    about(
      'selectable fields of a definition',
      customResourceDefinitionDefinition,
      definition({ selectableFields: each((name) => ({ jsonPath: `.spec.${name}` })) }),
    ),
    about('keys of a list', customResourceDefinitionDefinition, keyedBy(names)),
  ])('take no long time over the %s', (...[, kind, parts]) => {
    const object = made(kind, parts);
    expect(cpuMs(() => broken(kind, object))).toBeLessThan(CEILING_MS);
  });
});
