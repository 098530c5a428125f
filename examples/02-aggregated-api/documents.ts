// What this API server says of itself: discovery in both forms, and OpenAPI v2 and v3, from which kubectl explains the kind.
import { API_VERSION, GROUP, VERSION } from './recipes.ts';

const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const SHORT_NAMES = ['rcp'];

const group = {
  name: GROUP,
  versions: [{ groupVersion: API_VERSION, version: VERSION }],
  preferredVersion: { groupVersion: API_VERSION, version: VERSION },
};

/** `/apis` for clients that know no aggregated discovery. */
export const groupList = { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
/** `/apis/GROUP`. */
export const groupDocument = { kind: 'APIGroup', apiVersion: 'v1', ...group };

/** `/apis/GROUP/VERSION`. */
export const resourceList = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: API_VERSION,
  resources: [
    {
      name: 'recipes',
      singularName: 'recipe',
      namespaced: true,
      kind: 'Recipe',
      verbs: VERBS,
      shortNames: SHORT_NAMES,
    },
    { name: 'recipes/taste', singularName: '', namespaced: true, kind: 'Recipe', verbs: ['get'] },
  ],
};

/** The media type of the aggregated document. */
export const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

const responseKind = { group: GROUP, version: VERSION, kind: 'Recipe' };

/** `/apis` as one document. */
export const groupDiscovery = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: GROUP },
      versions: [
        {
          version: VERSION,
          freshness: 'Current',
          resources: [
            {
              resource: 'recipes',
              responseKind,
              scope: 'Namespaced',
              singularResource: 'recipe',
              verbs: VERBS,
              shortNames: SHORT_NAMES,
              subresources: [{ subresource: 'taste', responseKind, verbs: ['get'] }],
            },
          ],
        },
      ],
    },
  ],
};

const NAME = 'com.example.kitchen.v1alpha1.Recipe';
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** The schema, with references as the version of OpenAPI writes them. */
const schemas = (prefix: string) => ({
  [NAME]: {
    description: 'A dish, and how long it takes.',
    type: 'object',
    'x-kubernetes-group-version-kind': [{ group: GROUP, version: VERSION, kind: 'Recipe' }],
    properties: {
      apiVersion: { type: 'string', description: 'The version of the API.' },
      kind: { type: 'string', description: 'The kind of the object.' },
      metadata: { $ref: `${prefix}${OBJECT_META}` },
      spec: {
        type: 'object',
        description: 'What is to be cooked.',
        properties: {
          dish: { type: 'string', description: 'What comes on the table.' },
          minutes: { type: 'integer', format: 'int32', description: 'How long it takes.' },
        },
      },
    },
  },
  // Only the fields that this server looks at: other servers have a type of this name with more in it.
  [OBJECT_META]: {
    type: 'object',
    description: 'What every object has.',
    properties: { name: { type: 'string' }, namespace: { type: 'string' } },
  },
});

const PATH = `/apis/${API_VERSION}/namespaces/{namespace}/recipes/{name}`;
const operation = {
  tags: ['kitchen'],
  operationId: 'readKitchenRecipe',
  description: 'read the recipe',
  'x-kubernetes-action': 'get',
  'x-kubernetes-group-version-kind': responseKind,
};

/** `/openapi/v2`. */
export const openApiV2 = {
  swagger: '2.0',
  info: { title: 'Kitchen', version: '1' },
  paths: {
    [PATH]: {
      get: {
        ...operation,
        produces: ['application/json'],
        responses: { '200': { description: 'OK', schema: { $ref: `#/definitions/${NAME}` } } },
      },
    },
    '/healthz': { get: { responses: { '200': { description: 'OK' } } } },
  },
  definitions: schemas('#/definitions/'),
};

/** `/openapi/v3/apis/GROUP/VERSION`. */
export const openApiV3 = {
  openapi: '3.0.0',
  info: { title: 'Kitchen', version: '1' },
  paths: {
    [PATH]: {
      get: {
        ...operation,
        responses: {
          '200': {
            description: 'OK',
            content: {
              'application/json': { schema: { $ref: `#/components/schemas/${NAME}` } },
            },
          },
        },
      },
    },
  },
  components: { schemas: schemas('#/components/schemas/') },
};
