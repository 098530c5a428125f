// Other servers' parts in the OpenAPI v2 document.
import { expect, it } from 'vitest';
import { mergedOpenApiV2, openApiV2Of } from './openapi-merge.ts';

const AT = { group: 'a.example.com', version: 'v1' };
const path = (name: string) => ({
  get: { responses: { '200': { description: 'OK', schema: { $ref: `#/definitions/${name}` } } } },
});
const document = (paths: object, definitions: object) => ({
  swagger: '2.0',
  info: { title: 'A', version: '1' },
  paths,
  definitions,
});
type Document = ReturnType<typeof openApiV2Of>;
const own = (definitions: object) => document({}, definitions) as Document;
const ROOT = '/apis/a.example.com/v1/things';

it('are the paths of the group and version, and what those refer to, however far', () => {
  const answer = document(
    { [ROOT]: path('Thing'), '/apis/b/v1/others': path('Other'), '/version': path('Info') },
    {
      Thing: { type: 'object', properties: { part: { $ref: '#/definitions/Part' } } },
      Part: { type: 'object', properties: { whole: { $ref: '#/definitions/Thing' } } },
      Other: { type: 'object' },
      Info: { type: 'object' },
    },
  );
  const part = openApiV2Of(answer, AT);
  expect(Object.keys(part.paths)).toEqual([ROOT]);
  expect(Object.keys(part.definitions).toSorted()).toEqual(['Part', 'Thing']);
});

it('bring the kinds of the group along that no path refers to', () => {
  const gvk = [{ ...AT, kind: 'Loose' }];
  const answer = document(
    {},
    { Loose: { type: 'object', 'x-kubernetes-group-version-kind': gvk }, Other: {} },
  );
  expect(Object.keys(openApiV2Of(answer, AT).definitions)).toEqual(['Loose']);
});

it('share definitions that say the same, and get names of their own for others', () => {
  const same = { type: 'object', description: 'as here', properties: { a: { type: 'string' } } };
  const other = { type: 'object', properties: { b: { type: 'string' } } };
  const thing = {
    properties: { same: { $ref: '#/definitions/Same' }, other: { $ref: '#/definitions/Other' } },
  };
  const part = openApiV2Of(
    document({ [ROOT]: path('Thing') }, { Thing: thing, Same: same, Other: other }),
    AT,
  );
  const mine = own({
    Same: { ...same, description: 'as there' },
    Other: { type: 'string' },
    Other_v2: { type: 'integer' },
    Thing: { type: 'boolean' },
  });
  const merged = mergedOpenApiV2(mine, [part, part]);
  expect(merged.definitions).toEqual({
    ...mine.definitions,
    Thing_v2: {
      properties: {
        same: { $ref: '#/definitions/Same' },
        other: { $ref: '#/definitions/Other_v3' },
      },
    },
    Other_v3: other,
  });
  expect(JSON.stringify(merged.paths[ROOT])).toContain('#/definitions/Thing_v2');
  expect(Object.keys(mine.definitions)).toHaveLength(4);
});

it.each([
  ['no document', 7],
  ['of another version', { openapi: '3.0.0', paths: {} }],
  ['without paths', { swagger: '2.0' }],
  ['that clients could not read', document({ [ROOT]: { get: { tags: 1 } } }, {})],
])('are refused where they are %s', (_what, answer) => {
  expect(() => openApiV2Of(answer, AT)).toThrow();
});
