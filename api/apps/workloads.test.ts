// Deployments and ReplicaSets: defaults, rules, scale, cells.
import { describe, expect, it } from 'vitest';
import type { Deployment, DeploymentSpec, ReplicaSet } from '../generated/types.ts';
import { deploymentDefinition } from './deployment.ts';
import { replicaSetDefinition } from './replica-set.ts';

const template = () => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image: 'web:1' }] },
});

function aDeployment(spec: Partial<DeploymentSpec> = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } }, template: template(), ...spec },
  };
}

function defaulted(deployment: Deployment): Deployment {
  const copy = structuredClone(deployment);
  deploymentDefinition.defaults?.(copy);
  return copy;
}

function textsOf(deployment: Deployment, old?: Deployment): string[] {
  const errors = deploymentDefinition.validate?.(defaulted(deployment), old && defaulted(old));
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

describe('defaults of a Deployment', () => {
  it('are those of the documentation', () => {
    expect(defaulted(aDeployment()).spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' },
      },
      template: {
        spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'IfNotPresent' }] },
      },
    });
  });

  it('leave the template free of what pods alone get', () => {
    const spec = { containers: [{ name: 'a', image: 'a', resources: { limits: { cpu: '1' } } }] };
    const filled = defaulted(aDeployment({ template: { ...template(), spec } })).spec?.template
      .spec;
    expect(filled?.enableServiceLinks).toBeUndefined();
    expect(filled?.containers[0]?.resources).toEqual({ limits: { cpu: '1' } });
  });

  it('leave what the writer said', () => {
    const spec: Partial<DeploymentSpec> = {
      replicas: 0,
      revisionHistoryLimit: 0,
      strategy: { type: 'Recreate' },
    };
    expect(defaulted(aDeployment(spec)).spec).toMatchObject(spec);
    expect(defaulted(aDeployment(spec)).spec?.strategy?.rollingUpdate).toBeUndefined();
  });
});

describe('rules of a Deployment', () => {
  it('pass an ordinary one', () => {
    expect(textsOf(aDeployment())).toEqual([]);
  });

  const rolling = (maxUnavailable: number | string, maxSurge: number | string) => ({
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
  });
  it.each<[string, Partial<DeploymentSpec>, string]>([
    ['no selector', { selector: undefined as never }, 'spec.selector: Required value'],
    [
      'an empty selector',
      { selector: {} },
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ],
    [
      'a selector of other labels',
      { selector: { matchLabels: { app: 'api' } } },
      'spec.template.metadata.labels: Invalid value: {"app":"web"}: ' +
        '`selector` does not match template `labels`',
    ],
    ['no template', { template: undefined as never }, 'spec.template: Required value'],
    [
      'a template of nothing',
      { template: { metadata: { labels: { app: 'web' } } } },
      'spec.template.spec.containers: Required value',
    ],
    [
      'a template that ends',
      { template: { ...template(), spec: { ...template().spec, restartPolicy: 'Never' } } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      'fewer than no replicas',
      { replicas: -1 },
      'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      'a deadline before pods count',
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
      'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
    ],
    [
      'an odd strategy',
      { strategy: { type: 'Odd' } },
      'spec.strategy.type: Unsupported value: "Odd"',
    ],
    [
      'a rolling Recreate',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      'no room to move',
      rolling('0%', 0),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      'more than all',
      rolling('101%', 1),
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      'a share that is none',
      rolling(1, 'some'),
      'spec.strategy.rollingUpdate.maxSurge: Invalid value: "some": a valid percent string must be',
    ],
  ])('refuse %s', (...[, spec, text]) => {
    expect(textsOf(aDeployment(spec)).join('\n')).toContain(text);
  });

  it('keep the selector', () => {
    const next = aDeployment({
      selector: { matchLabels: { app: 'b' } },
      template: { ...template(), metadata: { labels: { app: 'b' } } },
    });
    expect(textsOf(next, aDeployment())).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ]);
    const same = aDeployment({ selector: { matchLabels: { app: 'web' }, matchExpressions: [] } });
    expect(textsOf(same, aDeployment())).toEqual([]);
  });

  it('refuse a status that does not add up', () => {
    const status = { replicas: 1, readyReplicas: 2, updatedReplicas: -1 };
    const errors = deploymentDefinition.validateStatus?.(
      { ...aDeployment(), status },
      aDeployment(),
    );
    expect(errors?.map(({ field }) => field)).toEqual([
      'status.updatedReplicas',
      'status.readyReplicas',
    ]);
  });
});

describe('scale and cells of a Deployment', () => {
  const deployment = {
    ...defaulted(aDeployment({ replicas: 3 })),
    status: { replicas: 2, readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
  };

  it('read and set replicas without touching the object', () => {
    const { scale } = deploymentDefinition;
    expect(scale?.specReplicas(deployment)).toBe(3);
    expect(scale?.statusReplicas(deployment)).toBe(2);
    expect(scale?.selector(deployment)).toBe('app=web');
    expect(scale?.withReplicas(deployment, 5).spec?.replicas).toBe(5);
    expect(deployment.spec?.replicas).toBe(3);
  });

  it('show counts, images and the selector', () => {
    const cells = Object.fromEntries(
      deploymentDefinition.columns.map((c) => [c.name, c.value(deployment, 0)]),
    );
    expect(cells).toMatchObject({
      Name: 'web',
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 1,
      Age: '<unknown>',
      Containers: 'web',
      Images: 'web:1',
      Selector: 'app=web',
    });
  });
});

describe('ReplicaSets', () => {
  const aSet = (): ReplicaSet => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'web' } }, template: template() },
  });

  it('are filled in, pass, and start with no pods', () => {
    const set = aSet();
    replicaSetDefinition.defaults?.(set);
    replicaSetDefinition.prepareForCreate?.(set);
    expect(set).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 0 } });
    expect(replicaSetDefinition.validate?.(set, undefined)).toEqual([]);
    expect(replicaSetDefinition.selectableFields['status.replicas']?.(set)).toBe('0');
    expect(replicaSetDefinition.columns.slice(0, 4).map((c) => c.value(set, 0))).toEqual([
      'web',
      1,
      0,
      0,
    ]);
  });

  it('refuse counts beyond all pods', () => {
    const status = { replicas: 1, readyReplicas: 2 };
    expect(replicaSetDefinition.validateStatus?.({ ...aSet(), status }, aSet())).toMatchObject([
      { field: 'status.readyReplicas', message: expect.stringContaining('cannot be greater') },
    ]);
  });
});
