// Type checking of ValidatingAdmissionPolicies by the real controller: what their status says of rules that the matched kinds
// do not fit, and that it says so once for each generation.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  CustomResourceDefinition,
  ValidatingAdmissionPolicy,
} from '../../api/generated/types.ts';
import { CustomResourceDefinitions, ValidatingAdmissionPolicies } from '../../api/kinds.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { ControlledCluster } from '../support/controlled-cluster.ts';
import { aControlledCluster } from '../support/controlled-cluster.ts';
import { until } from '../support/until.ts';

let cluster: ControlledCluster;
beforeAll(async () => {
  cluster = await aControlledCluster();
  await defineShips();
});
afterAll(() => cluster.close());

async function defineShips(): Promise<void> {
  const { client } = cluster;
  const text = { type: 'string' };
  const spec = { type: 'object', properties: { sails: { type: 'integer' }, namespace: text } };
  const names = { kind: 'Ship', listKind: 'ShipList', plural: 'ships', singular: 'ship' };
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ships.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names,
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
        },
      ],
    },
  } as CustomResourceDefinition;
  const resource = client.resource(CustomResourceDefinitions);
  await resource.create(definition);
  await until(async () => {
    const { status } = await resource.get({ name: 'ships.example.com' });
    return isConditionTrue(status?.conditions, 'Established');
  });
}

const rules = (resources: string[], group = 'apps', version = 'v1') => [
  { apiGroups: [group], apiVersions: [version], operations: ['CREATE'], resources },
];

function aPolicy(name: string, spec: object): ValidatingAdmissionPolicy {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: { matchConstraints: { resourceRules: rules(['deployments']) }, ...spec },
  } as ValidatingAdmissionPolicy;
}

/** The status once the present generation was checked. */
async function checked(name: string) {
  const resource = cluster.client.resource(ValidatingAdmissionPolicies);
  await until(async () => {
    const { metadata, status } = await resource.get({ name });
    return status?.observedGeneration === metadata.generation;
  });
  return (await resource.get({ name })).status;
}

async function warningsOf(name: string, spec: object): Promise<[string, string][]> {
  await cluster.client.resource(ValidatingAdmissionPolicies).create(aPolicy(name, spec));
  const { typeChecking } = (await checked(name)) ?? {};
  const found = typeChecking?.expressionWarnings ?? [];
  return found.map(({ fieldRef, warning }) => [fieldRef, warning]);
}

const one = (expression: string, more: object = {}) => ({
  validations: [{ expression }],
  ...more,
});
const FIELD = 'spec.validations[0].expression';

describe('a policy', () => {
  it('that its kinds fit has no warnings', async () => {
    const validations = [
      { expression: "object.spec.replicas < 5 && object.metadata.namespace != 'x'" },
      { expression: "object.spec.template.spec.containers.all(c, c.image.startsWith('a'))" },
      {
        expression: "object.metadata.labels['a'] == 'b'",
        messageExpression: "'is ' + object.metadata.name",
      },
      { expression: "authorizer.requestResource.check('get').allowed()" },
    ];
    expect(await warningsOf('fine', { validations })).toEqual([]);
    expect(await checked('fine')).toMatchObject({ observedGeneration: 1, typeChecking: {} });
  });

  it('is told which fields are not there, in the words of the checker', async () => {
    expect(await warningsOf('misses', one('object.replicas > 1'))).toEqual([
      [
        FIELD,
        "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
      ],
    ]);
  });

  it('is told so of messages, of each kind, and of what variables are', async () => {
    const found = await warningsOf('several', {
      matchConstraints: { resourceRules: rules(['deployments', 'replicasets', 'pods/*']) },
      variables: [{ name: 'count', expression: 'object.spec.replicas' }],
      validations: [
        { expression: "variables.count == 'two'" },
        { expression: 'true', messageExpression: "object.spec.paused ? 'a' : 'b'" },
      ],
    });
    expect(found.map(([field]) => field)).toEqual([FIELD, 'spec.validations[1].messageExpression']);
    expect(found[0]?.[1]).toMatch(
      /^apps\/v1, Kind=Deployment: .*no matching overload.*\(int, string\)[^]*\napps\/v1, Kind=ReplicaSet: /,
    );
    expect(found[1]?.[1]).toMatch(/^apps\/v1, Kind=ReplicaSet: .*undefined field 'paused'/);
  });

  it('is checked against custom kinds and its parameters', async () => {
    const ships = { matchConstraints: { resourceRules: rules(['ships'], 'example.com') } };
    const found = await warningsOf('ships', {
      ...ships,
      validations: [
        {
          expression:
            "object.spec.sails > 1 && object.spec.namespace == 'a' && has(object.metadata.labels)",
        },
        { expression: 'object.spec.masts > 1' },
      ],
    });
    expect(found).toEqual([
      [
        'spec.validations[1].expression',
        expect.stringMatching(/^example.com\/v1, Kind=Ship: .*'masts'/),
      ],
    ]);
    const bound = (kind: string, expression: string) =>
      one(expression, { paramKind: { apiVersion: 'example.com/v1', kind } });
    const params = await warningsOf('params', bound('Ship', 'params.spec.masts > 1'));
    expect(params).toEqual([[FIELD, expect.stringContaining("undefined field 'masts'")]]);
    expect(await warningsOf('unknown', bound('Boat', 'params.spec.masts > 1'))).toEqual([]);
  });

  it('is not checked against what is not there, nor against wildcards', async () => {
    const about = (resourceRules: object[]) =>
      one('object.nothing > 1', { matchConstraints: { resourceRules } });
    expect(await warningsOf('absent', about(rules(['boats'], 'example.com')))).toEqual([]);
    expect(await warningsOf('wild', about(rules(['deployments'], '*')))).toEqual([]);
  });

  it('is checked again once it changes', async () => {
    const resource = cluster.client.resource(ValidatingAdmissionPolicies);
    await warningsOf('changes', one('object.replicas > 1'));
    const body = { spec: { validations: [{ expression: 'object.spec.replicas > 1' }] } };
    await resource.patch({ name: 'changes' }, { type: 'merge', body });
    expect(await checked('changes')).toEqual({ observedGeneration: 2, typeChecking: {} });
  });
});
