// HorizontalPodAutoscalers as autoscaling/v1 shows them: a second way of writing what is stored as autoscaling/v2.
// Invariant: a write in v1 changes what v1 can say; metrics and behavior that it cannot say stay as they are.
import type { ResourceDefinition } from '../definition.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV2,
  MetricSpecV2,
  MetricStatusV2,
} from '../generated/types.ts';
import type { KindRef } from '../kind-ref.ts';
import { HorizontalPodAutoscalers } from '../kinds.ts';
import type { LooseObject } from '../meta/object.ts';
import { horizontalPodAutoscalerDefinition } from './horizontal-pod-autoscaler.ts';

const ref: KindRef<HorizontalPodAutoscalerV2> = { ...HorizontalPodAutoscalers, version: 'v1' };
const fillIn = (autoscaler: HorizontalPodAutoscalerV2) =>
  horizontalPodAutoscalerDefinition.defaults?.(autoscaler);

/** The v1 of HorizontalPodAutoscalers. Its hooks see the stored form, as those of every further version do. */
export const horizontalPodAutoscalerV1Definition: ResourceDefinition<HorizontalPodAutoscalerV2> = {
  ...horizontalPodAutoscalerDefinition,
  ref,
  schemaName: 'io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler',
  // Defaults wait for the metrics of the stored object, which come in below.
  defaults: () => undefined,
  prepareForCreate(autoscaler) {
    horizontalPodAutoscalerDefinition.prepareForCreate?.(autoscaler);
    fillIn(autoscaler);
  },
  prepareForUpdate: (autoscaler, old) => {
    // The old object is shared and frozen, and defaults write.
    const { metrics = [], behavior } = structuredClone(old.spec ?? {}) as Partial<typeof old.spec>;
    if (autoscaler.spec) {
      const others = metrics.filter((metric) => !isCpuUse(metric));
      autoscaler.spec.metrics = [...(autoscaler.spec.metrics ?? []), ...others];
      if (behavior) autoscaler.spec.behavior = behavior;
    }
    fillIn(autoscaler);
  },
  storedAs: {
    apiVersion: 'autoscaling/v2',
    toStored: (object) => toV2(object as unknown as HorizontalPodAutoscaler) as unknown as Loose,
    fromStored: (object) =>
      toV1(object as unknown as HorizontalPodAutoscalerV2) as unknown as Loose,
  },
};

type Loose = LooseObject;

function isCpuUse({ type, resource }: MetricSpecV2): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.type === 'Utilization';
}

function toV2({ spec, status, ...rest }: HorizontalPodAutoscaler): object {
  const { targetCPUUtilizationPercentage: percent, ...bounds } = spec ?? {};
  const target = { type: 'Utilization', averageUtilization: percent };
  const { currentCPUUtilizationPercentage: current, ...counts } = status ?? {};
  return {
    ...rest,
    apiVersion: 'autoscaling/v2',
    ...(spec && {
      spec: {
        ...bounds,
        ...(percent !== undefined && {
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
        }),
      },
    }),
    ...(status && {
      status: { ...counts, ...(current !== undefined && { currentMetrics: [cpuUse(current)] }) },
    }),
  };
}

function cpuUse(averageUtilization: number): MetricStatusV2 {
  return { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization } } };
}

function toV1({ spec, status, ...rest }: HorizontalPodAutoscalerV2): object {
  const { metrics, behavior: _behavior, ...bounds } = spec ?? {};
  const percent = metrics?.find(isCpuUse)?.resource?.target.averageUtilization;
  const { conditions: _conditions, currentMetrics, ...counts } = status ?? {};
  const current = currentMetrics?.find(({ resource }) => resource?.name === 'cpu');
  const used = current?.resource?.current.averageUtilization;
  return {
    ...rest,
    apiVersion: 'autoscaling/v1',
    ...(spec && {
      spec: {
        ...bounds,
        ...(percent !== undefined && { targetCPUUtilizationPercentage: percent }),
      },
    }),
    ...(status && {
      status: { ...counts, ...(used !== undefined && { currentCPUUtilizationPercentage: used }) },
    }),
  };
}
