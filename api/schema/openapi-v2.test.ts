// The OpenAPI v2 document, made in steps: the same as made at once, in both its forms.
import { expect, it } from 'vitest';
import { builtInDefinitions } from '../scheme.ts';
import { openApiV2, openApiV2Json } from './openapi-v2.ts';
import { openApiV2Protobuf } from './openapi-v2-protobuf.ts';
import { readFields } from './protobuf-reader.ts';
import { wholeOf } from './schema-closure.ts';

const document = openApiV2(builtInDefinitions, 'v1');

it('comes to the same JSON in steps', () => {
  const chunks = wholeOf(openApiV2Json(document));
  expect(chunks.length).toBeGreaterThan(500);
  expect(Buffer.concat(chunks).toString()).toBe(`${JSON.stringify(document)}\n`);
  expect(Object.keys(document.paths)).toEqual(Object.keys(document.paths).toSorted());
});

it('has all paths and schemas in protobuf as well', () => {
  const named = new Map<number, string[]>();
  for (const { number, value } of readFields(openApiV2Protobuf(document))) {
    if (number < 8) continue;
    const pairs = [...readFields(value as Uint8Array)];
    const names = pairs.map((pair) => [...readFields(pair.value as Uint8Array)][0]?.value);
    named.set(
      number,
      names.map((name) => Buffer.from(name as Uint8Array).toString()),
    );
  }
  expect([...named]).toEqual([
    [8, Object.keys(document.paths)],
    [9, Object.keys(document.definitions)],
  ]);
});
