// Autoscalers: defaults, rules, and the Targets cell.
import { describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscalerSpecV2,
  HorizontalPodAutoscalerStatusV2,
  HorizontalPodAutoscalerV2,
  MetricSpecV2,
  MetricTargetV2,
} from '../generated/types.ts';
import { horizontalPodAutoscalerDefinition as definition } from './horizontal-pod-autoscaler.ts';

function anAutoscaler(
  spec: Partial<HorizontalPodAutoscalerSpecV2> = {},
  status?: HorizontalPodAutoscalerStatusV2,
): HorizontalPodAutoscalerV2 {
  const autoscaler: HorizontalPodAutoscalerV2 = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', namespace: 'default' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 5, ...spec },
    status,
  };
  definition.defaults?.(autoscaler);
  return autoscaler;
}

const cpu = (target: MetricTargetV2): MetricSpecV2 => ({
  type: 'Resource',
  resource: { name: 'cpu', target },
});
const percent = (averageUtilization: number) => cpu({ type: 'Utilization', averageUtilization });

describe('defaults of an autoscaler', () => {
  it('aim at 80 % of CPU with at least one pod', () => {
    expect(anAutoscaler().spec).toMatchObject({ minReplicas: 1, metrics: [percent(80)] });
    expect(anAutoscaler().spec.behavior).toBeUndefined();
  });

  it('complete a behavior that is stated in part', () => {
    const policies = [{ type: 'Pods', value: 1, periodSeconds: 5 }];
    const { behavior } = anAutoscaler({ behavior: { scaleDown: { policies } } }).spec;
    expect(behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: { selectPolicy: 'Max', policies },
    });
  });

  it('write amounts in canonical form', () => {
    const target = { type: 'AverageValue', averageValue: '0.5' };
    expect(anAutoscaler({ metrics: [cpu(target)] }).spec.metrics?.[0]?.resource?.target).toEqual({
      type: 'AverageValue',
      averageValue: '500m',
    });
  });
});

describe('rules of an autoscaler', () => {
  const m = 'spec.metrics[0]';
  const up = (more: object) => ({ behavior: { scaleUp: more } });
  const policy = (more: object) =>
    up({ policies: [{ type: 'Pods', value: 1, periodSeconds: 1, ...more }] });

  it('pass ordinary ones', () => {
    const custom = {
      metric: { name: 'rps' },
      target: { type: 'AverageValue', averageValue: '10' },
    };
    const metrics = [
      percent(50),
      { type: 'Pods', pods: custom },
      { type: 'External', external: custom },
    ];
    const autoscaler = anAutoscaler({ metrics, behavior: { scaleUp: { tolerance: '0.05' } } });
    expect(definition.validate?.(autoscaler, undefined)).toEqual([]);
  });

  it.each<[string, Partial<HorizontalPodAutoscalerSpecV2>, string]>([
    [
      'no pods at least',
      { minReplicas: 0 },
      'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
    ],
    [
      'no pods at most',
      { maxReplicas: 0 },
      'spec.maxReplicas: Invalid value: 0: must be greater than 0',
    ],
    [
      'less at most than at least',
      { minReplicas: 6 },
      'spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`',
    ],
    [
      'no target',
      { scaleTargetRef: undefined as never },
      'spec.scaleTargetRef.kind: Required value',
    ],
    ['a metric of no type', { metrics: [{ type: '' }] }, `${m}.type: Required value: must specify`],
    [
      'a metric of an odd type',
      { metrics: [{ type: 'Odd' }] },
      `${m}.type: Unsupported value: "Odd"`,
    ],
    ['a metric of no source', { metrics: [{ type: 'Resource' }] }, `${m}.resource: Required value`],
    [
      'a metric of another source',
      { metrics: [{ ...percent(1), pods: { metric: { name: 'a' }, target: { type: 'Value' } } }] },
      `${m}.pods: Forbidden: must populate the given metric source only`,
    ],
    [
      'no utilization',
      { metrics: [percent(0)] },
      `${m}.resource.target.averageUtilization: Invalid value: 0: must be greater than 0`,
    ],
    [
      'nothing to aim at',
      { metrics: [cpu({ type: 'Utilization' })] },
      `${m}.resource.target.averageUtilization: Required value: must set either`,
    ],
    [
      'two things to aim at',
      { metrics: [cpu({ type: 'Utilization', averageUtilization: 1, averageValue: '1' })] },
      `${m}.resource.target.averageValue: Forbidden: may not set both`,
    ],
    [
      'a negative value',
      { metrics: [cpu({ type: 'AverageValue', averageValue: '-1' })] },
      `${m}.resource.target.averageValue: Invalid value: "-1": must be positive`,
    ],
    [
      'a pods metric without average',
      {
        metrics: [
          { type: 'Pods', pods: { metric: { name: 'a' }, target: { type: 'Value', value: '1' } } },
        ],
      },
      `${m}.pods.target.averageValue: Required value`,
    ],
    [
      'a window too long',
      up({ stabilizationWindowSeconds: 3601 }),
      'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    ],
    [
      'an odd choice',
      up({ selectPolicy: 'Some' }),
      'spec.behavior.scaleUp.selectPolicy: Unsupported value',
    ],
    ['no policies', up({ policies: [] }), 'spec.behavior.scaleUp.policies: Required value'],
    ['an odd policy', policy({ type: 'Odd' }), 'policies[0].type: Unsupported value: "Odd"'],
    [
      'a policy of nothing',
      policy({ value: 0 }),
      'policies[0].value: Invalid value: 0: must be greater than zero',
    ],
    [
      'a policy of no time',
      policy({ periodSeconds: 0 }),
      'policies[0].periodSeconds: Invalid value: 0',
    ],
    ['a policy of too long', policy({ periodSeconds: 1801 }), 'must be less than or equal to 1800'],
  ])('refuse %s', (...[, spec, text]) => {
    const errors = definition.validate?.(anAutoscaler(spec), undefined) ?? [];
    const texts = errors.map(({ field, message }) => `${field}: ${message}`);
    expect(texts.join('\n')).toContain(text);
  });
});

describe('cells of an autoscaler', () => {
  const targets = (autoscaler: HorizontalPodAutoscalerV2) =>
    definition.columns.find(({ name }) => name === 'Targets')?.value(autoscaler, 0);
  const measured = (
    ...currentMetrics: HorizontalPodAutoscalerStatusV2['currentMetrics'] & object
  ) => ({
    desiredReplicas: 1,
    currentMetrics,
  });

  it('show measured and aimed at', () => {
    const current = { averageUtilization: 12, averageValue: '24m' };
    const status = measured({ type: 'Resource', resource: { name: 'cpu', current } });
    expect(targets(anAutoscaler({}, status))).toBe('cpu: 12%/80%');
    expect(targets(anAutoscaler())).toBe('cpu: <unknown>/80%');
    const metrics = [cpu({ type: 'AverageValue', averageValue: '100m' })];
    expect(targets(anAutoscaler({ metrics }, status))).toBe('cpu: 24m/100m');
  });

  it('show two metrics and how many more', () => {
    const target = { type: 'AverageValue', averageValue: '10' };
    const metrics = [
      percent(50),
      { type: 'Pods', pods: { metric: { name: 'rps' }, target } },
      { type: 'External', external: { metric: { name: 'queue' }, target } },
    ];
    expect(targets(anAutoscaler({ metrics }))).toBe('cpu: <unknown>/50%, <unknown>/10 + 1 more...');
    expect(targets(anAutoscaler({ metrics: metrics.slice(2) }))).toBe('<unknown>/10 (avg)');
  });

  it('show bounds and replicas', () => {
    const cells = definition.columns.map((column) =>
      column.value(anAutoscaler({}, { desiredReplicas: 2, currentReplicas: 2 }), 0),
    );
    expect(cells).toEqual(['web', 'Deployment/web', 'cpu: <unknown>/80%', '1', 5, 2, '<unknown>']);
  });
});
