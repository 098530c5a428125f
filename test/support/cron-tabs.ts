// CronTabs for tests: their definition, of a group of its own for each test, so that tests do not meet, and objects of theirs.
// Invariant: a group that was defined is served.
import { expect } from 'vitest';
import type { ApiCaller } from './api-caller.ts';
import { until } from './until.ts';

/** Where definitions are. */
export const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** The schema of a CronTab. */
export const schema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['cronSpec'],
      properties: {
        cronSpec: { type: 'string', pattern: '^(\\d+|\\*)(/\\d+)?(\\s+(\\d+|\\*)(/\\d+)?){4}$' },
        image: { type: 'string', default: 'busybox' },
        replicas: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        suspend: { type: 'boolean', nullable: true, default: false },
        port: { 'x-kubernetes-int-or-string': true },
        extra: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        steps: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, run: { type: 'string', default: 'true' } },
          },
        },
      },
    },
    status: {
      type: 'object',
      properties: {
        replicas: { type: 'integer' },
        selector: { type: 'string' },
        phase: { type: 'string', enum: ['Up', 'Down'] },
      },
    },
  },
};

/** The definition of CronTabs in the group; `changes` are of its spec, `version` of its only version. */
export function definition(group: string, changes: object = {}, version: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
          selectableFields: [{ jsonPath: '.spec.image' }],
          ...version,
        },
      ],
      ...changes,
    },
  };
}

/** A CronTab. */
export const tab = (group: string, name: string, spec: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: 'CronTab',
  metadata: { name },
  spec: { cronSpec: '* * * * */5', ...spec },
});

/** Conditions of an object that has some. */
export interface Status {
  readonly conditions: readonly { readonly type: string; readonly status: string }[];
}

/** Resolves once the definition is established. */
export const established = (api: ApiCaller, name: string): Promise<void> =>
  until(async () => {
    const { json } = await api.call('GET', `${CRDS}/${name}`);
    const conditions = (json.status as unknown as Status | undefined)?.conditions ?? [];
    return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
  });

/** Defines CronTabs of a group through the API server, and answers their path in the namespace `default`. */
export function definerIn(api: ApiCaller) {
  return async (group: string, ...changes: object[]): Promise<string> => {
    const { status, text } = await api.call('POST', CRDS, { body: definition(group, ...changes) });
    expect(status, text).toBe(201);
    await established(api, `crontabs.${group}`);
    return `/apis/${group}/v1/namespaces/default/crontabs`;
  };
}
