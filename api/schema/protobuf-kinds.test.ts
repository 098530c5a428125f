// Protobuf bodies of every kind: as client-go makes them of objects of ours, and a number for every
// field that a served kind has.
import { readFileSync } from 'node:fs';
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { StatusError } from '../status.ts';
import { builtInDefinitions, furtherVersions } from '../scheme.ts';
import { decodeObject } from './decode.ts';
import { schemaNameOf } from './endpoints.ts';
import { protobufFieldNames } from './protobuf-fields.ts';
import { readProtobuf } from './protobuf.ts';
import { loadSchemas } from './schema.ts';
import { closureOf } from './schema-closure.ts';

interface Body {
  readonly object: { readonly apiVersion: string; readonly kind: string };
  readonly protobuf: string;
}

const FILE = new URL('../../test/fixtures/protobuf-bodies.yaml', import.meta.url);
const bodies = parseAllDocuments(readFileSync(FILE, 'utf8')).map((one) => one.toJS() as Body);

describe('a protobuf body of client-go', () => {
  it.each(bodies.map((body) => [body.object.kind, body] as const))(
    'of a %s reads as the same object in JSON does',
    (kind, { object, protobuf }) => {
      const [version = '', group = ''] = object.apiVersion.split('/').reverse();
      const gvk = { group, version, kind };
      const name = schemaNameOf(gvk) ?? '';
      const sent = readProtobuf(Buffer.from(protobuf, 'base64'));
      const { object: read, unknownFields } = decodeObject(name, sent, { gvk });
      expect(unknownFields).toEqual([]);
      expect(read).toEqual(decodeObject(name, object, { gvk }).object);
    },
  );
});

describe('a broken protobuf body', () => {
  const real = bodies.map(({ protobuf }) => Buffer.from(protobuf, 'base64'));

  it('is read, or refused with 400 or 415, never a crash', () => {
    const one = fc.constantFrom(...real);
    fc.assert(
      fc.property(one, fc.tuple(fc.nat(), fc.nat(255), fc.nat()), (bytes, [at, byte, cut]) => {
        const broken = Uint8Array.from(bytes);
        broken[at % broken.length] = byte;
        const sent = broken.subarray(0, broken.length - (cut % 8));
        expect([200, 400, 415]).toContain(codeOf(() => readProtobuf(sent)));
      }),
      { numRuns: 2000 },
    );
  });
});

function codeOf(run: () => unknown): number {
  try {
    run();
    return 200;
  } catch (error) {
    if (error instanceof StatusError) return error.code;
    throw error;
  }
}

describe('the field numbers', () => {
  const named = new Map(protobufFieldNames());
  const propertiesOf = (name: string) => Object.keys(loadSchemas().get(name)?.properties ?? {});

  it('are of fields that the schemas have', () => {
    const strange = [...named].flatMap(([name, fields]) =>
      fields.filter((field) => !propertiesOf(name).includes(field)).map((f) => `${name}.${f}`),
    );
    expect(strange).toEqual([]);
  });

  it('are there for every field of every kind that is served', () => {
    const all = [...builtInDefinitions, ...furtherVersions].map(({ schemaName }) => schemaName);
    const missing = Object.keys(closureOf(all)).flatMap((name) =>
      propertiesOf(name)
        .filter((field) => !['apiVersion', 'kind'].includes(field) || !isTop(name))
        .filter((field) => !named.get(name)?.includes(field))
        .map((field) => `${name}.${field}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Its apiVersion and kind stand in the envelope. */
function isTop(name: string): boolean {
  return loadSchemas().get(name)?.['x-kubernetes-group-version-kind'] !== undefined;
}
