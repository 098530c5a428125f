// Real kubectl and admission policies: they are applied, shown by their columns, type-checked, and what they say reaches people.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { until } from '../support/until.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const LABELS = { app: 'web' };

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ node: false });
  await k().apply([limits, policy(), binding('deny', ['Deny']), mutation, mutationBinding]);
});
afterAll(() => cluster?.stop());

const k = () => cluster.kubectl;

const limits = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'limits', namespace: 'default' },
  data: { replicas: '2' },
};
const deployments = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['deployments', 'deployments/scale'],
};
const policy = (expression = 'object.spec.replicas <= variables.limit') => ({
  apiVersion: GROUP,
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name: 'replica-limit' },
  spec: {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    matchConstraints: { resourceRules: [deployments] },
    variables: [{ name: 'limit', expression: 'int(params.data.replicas)' }],
    validations: [
      { expression, messageExpression: "'no more than ' + string(variables.limit) + ' replicas'" },
    ],
  },
});
const binding = (name: string, validationActions: string[]) => ({
  apiVersion: GROUP,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: {
    policyName: 'replica-limit',
    validationActions,
    paramRef: { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' },
  },
});
const mutation = {
  apiVersion: GROUP,
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: 'owned' },
  spec: {
    reinvocationPolicy: 'Never',
    matchConstraints: {
      resourceRules: [{ ...deployments, operations: ['CREATE'], resources: ['deployments'] }],
    },
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression:
            'Object{metadata: Object.metadata{annotations: {"owner": request.userInfo.username}}}',
        },
      },
    ],
  },
};
const mutationBinding = {
  apiVersion: GROUP,
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: { name: 'owned' },
  spec: { policyName: 'owned' },
};
const deployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: { containers: [{ name: 'a', image: 'a' }] } },
  },
});
const input = (object: object) => ({ input: JSON.stringify(object) });
const NO_MORE =
  "ValidatingAdmissionPolicy 'replica-limit' with binding 'deny' denied request: no more than 2 replicas";

describe('kubectl', () => {
  it('shows the denial of creates, scales, patches and applies, and nothing of what passes', async () => {
    expect(await k().run(['create', '-f', '-'], input(deployment('large', 3)))).toMatchObject({
      code: 1,
      stderr: `The deployments "large" is invalid: : ${NO_MORE}\n`,
    });
    expect(await k().ok(['create', '-f', '-'], input(deployment('small', 2)))).toBe(
      'deployment.apps/small created\n',
    );
    for (const args of [
      ['scale', 'deployment/small', '--replicas=3'],
      ['patch', 'deployment/small', '-p', '{"spec":{"replicas":3}}'],
      [
        'patch',
        'deployment/small',
        '--subresource=scale',
        '--type=merge',
        '-p',
        '{"spec":{"replicas":3}}',
      ],
    ])
      expect(await k().run(args)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(NO_MORE),
      });
    const applied = await k().run(
      ['apply', '--server-side', '--dry-run=server', '-f', '-'],
      input(deployment('other', 3)),
    );
    expect(applied.stderr).toContain(NO_MORE);
  });

  it('shows the warning of a binding that only warns', async () => {
    await k().apply(binding('deny', ['Warn']));
    const { code, stderr } = await k().run(['create', '-f', '-'], input(deployment('warned', 3)));
    expect([code, stderr]).toEqual([
      0,
      "Warning: Validation failed for ValidatingAdmissionPolicy 'replica-limit' with binding 'deny': no more than 2 replicas\n",
    ]);
    await k().apply(binding('deny', ['Deny']));
  });

  it('shows policies and bindings by their columns', async () => {
    const rows = async (...args: string[]) =>
      (await k().ok(['get', ...args]))
        .trim()
        .split('\n')
        .map((row) => row.split(/\s{2,}/));
    expect(await rows('validatingadmissionpolicies')).toEqual([
      ['NAME', 'VALIDATIONS', 'PARAMKIND', 'AGE'],
      ['replica-limit', '1', 'v1/ConfigMap', expect.stringMatching(/^\d+[sm]/)],
    ]);
    expect(await rows('validatingadmissionpolicybindings')).toEqual([
      ['NAME', 'POLICYNAME', 'PARAMREF', 'AGE'],
      ['deny', 'replica-limit', 'default/limits', expect.stringMatching(/^\d+[sm]/)],
    ]);
    expect(await rows('mutatingadmissionpolicies')).toContainEqual(
      expect.arrayContaining(['owned', '1', '<unset>']),
    );
  });

  it('shows what type checking found, and takes the policy back when it is mended', async () => {
    const status = async () =>
      (await k().json(['get', 'validatingadmissionpolicy', 'replica-limit']))['status'];
    await k().apply(policy('object.spec.replicaz <= variables.limit'));
    await until(async () => (await status())?.typeChecking?.expressionWarnings !== undefined);
    const described = await k().ok(['describe', 'validatingadmissionpolicy', 'replica-limit']);
    expect(described).toMatch(
      /Expression Warnings:[^]*Field Ref: +spec.validations\[0\].expression[^]*apps\/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'replicaz'/,
    );
    await k().apply(policy());
    await until(async () => {
      const { observedGeneration, typeChecking } = (await status()) ?? {};
      return observedGeneration === 3 && typeChecking?.expressionWarnings === undefined;
    });
  });

  it('is told what is wrong with an expression, and where', async () => {
    const { code, stderr } = await k().run(
      ['apply', '-f', '-'],
      input(policy('object.spec.replicas')),
    );
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(
        'The ValidatingAdmissionPolicy "replica-limit" is invalid: spec.validations[0].expression: Invalid value: "object.spec.replicas": must evaluate to bool but got dyn',
      ),
    ]);
  });

  it('sees what a policy made of an object, which it can apply again without a change', async () => {
    const found = await k().json(['get', 'deployment', 'small']);
    expect(found.metadata.annotations.owner).toMatch(/admin/);
    await k().apply(deployment('again', 1));
    expect(await k().apply(deployment('again', 1))).toBe('deployment.apps/again unchanged\n');
    expect(await k().ok(['explain', 'mutatingadmissionpolicy.spec.mutations.patchType'])).toMatch(
      /ApplyConfiguration/,
    );
  });
});
