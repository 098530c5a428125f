// Autoscalers over an hour or two of traffic do what upstream documents of `behavior`: windows, policies, selectPolicy, tolerance.
import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscalerBehaviorV2 } from '../../api/generated/types.ts';
import {
  simulateTraffic,
  TrafficError,
  trafficHtml,
  type TrafficOptions,
  trafficTable,
  type VariantReport,
  type VariantSpec,
} from '../../testing/index.ts';

const MINUTE = 60;

/** 10 ms each, at 250m a pod: 25 requests per second for each pod that is wanted, and each can serve 50. */
const service = { cpuMsPerRequest: 10, capacityPerPod: 50, startSeconds: 20 };

const autoscaler = (
  behavior?: HorizontalPodAutoscalerBehaviorV2,
  more: Partial<VariantSpec> = {},
): VariantSpec => ({
  minReplicas: 1,
  maxReplicas: 20,
  metrics: [
    {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
    },
  ],
  ...(behavior && { behavior }),
  ...more,
});

/** So many requests per second, and from `second` on so many. */
const step = (before: number, after: number, second: number) => ({
  hours: 0.75,
  requestsPerSecond: (at: number) => (at < second ? before : after),
});

async function played(
  curve: TrafficOptions['curve'],
  variants: TrafficOptions['variants'],
): Promise<Record<string, VariantReport>> {
  const report = await simulateTraffic({ curve, service, variants });
  return Object.fromEntries(report.variants.map((variant) => [variant.name, variant]));
}

const sizes = (variant: VariantReport | undefined) =>
  variant?.scalings.map(({ from, to }) => [from, to]);
const times = (variant: VariantReport | undefined) =>
  variant?.scalings.map(({ atSeconds }) => atSeconds) ?? [];
const pauses = (variant: VariantReport | undefined) =>
  times(variant).flatMap((at, i, all) => (i === 0 ? [] : [at - (all[i - 1] ?? 0)]));

describe('an autoscaler whose traffic falls to a fifth', () => {
  it('follows its window, its policies and what it chooses among them', async () => {
    const pods = (value: number, periodSeconds: number) =>
      ({ type: 'Pods', value, periodSeconds }) as const;
    const down = (rules: object) =>
      autoscaler({ scaleDown: { stabilizationWindowSeconds: 0, ...rules } });
    const variants = await played(step(200, 40, 10 * MINUTE), {
      usual: autoscaler(),
      steps: down({ policies: [pods(2, 60)] }),
      most: down({ policies: [pods(1, 60), { type: 'Percent', value: 50, periodSeconds: 60 }] }),
      least: down({
        policies: [pods(1, 60), { type: 'Percent', value: 50, periodSeconds: 60 }],
        selectPolicy: 'Min',
      }),
      never: down({ selectPolicy: 'Disabled' }),
    });
    // The highest of five minutes holds; then all at once.
    expect(sizes(variants['usual'])).toEqual([[8, 2]]);
    const [at = 0] = times(variants['usual']);
    expect(at).toBeGreaterThanOrEqual(15 * MINUTE);
    expect(at).toBeLessThanOrEqual(15 * MINUTE + 45);
    expect(sizes(variants['steps'])).toEqual([
      [8, 6],
      [6, 4],
      [4, 2],
    ]);
    expect(sizes(variants['most'])).toEqual([
      [8, 4],
      [4, 2],
    ]);
    expect(sizes(variants['least'])).toEqual([8, 7, 6, 5, 4, 3].map((size) => [size, size - 1]));
    for (const name of ['steps', 'most', 'least']) {
      expect(times(variants[name])[0]).toBeLessThanOrEqual(10 * MINUTE + 45);
      for (const pause of pauses(variants[name])) {
        expect(pause).toBeGreaterThanOrEqual(60);
        expect(pause).toBeLessThanOrEqual(75);
      }
    }
    expect(sizes(variants['never'])).toEqual([]);
  });
});

describe('an autoscaler whose traffic grows', () => {
  it('by less than its tolerance stays, and by more moves', async () => {
    const variants = await played(step(100, 107, 10 * MINUTE), {
      usual: autoscaler(),
      narrow: autoscaler({ scaleUp: { tolerance: '0.05' } }),
    });
    expect(sizes(variants['usual'])).toEqual([]);
    expect(sizes(variants['narrow'])).toEqual([[4, 5]]);
  });

  it('fourfold loses and delays requests until its pods are ready, more of them where it may grow but slowly', async () => {
    const variants = await played(step(100, 400, 10 * MINUTE), {
      usual: autoscaler(),
      slow: autoscaler({ scaleUp: { policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] } }),
      doubtful: autoscaler({ scaleUp: { stabilizationWindowSeconds: 300 } }),
      small: autoscaler(undefined, { maxReplicas: 6 }),
    });
    const { usual, slow, doubtful, small } = variants;
    expect(usual?.summary.peakReplicas).toBeGreaterThanOrEqual(16);
    expect(usual?.summary.lost).toBeGreaterThan(0);
    expect(usual?.summary.delayed).toBeGreaterThan(0);
    expect(usual?.summary.longestWaitSeconds).toBe(10);
    expect(slow?.summary.lost).toBeGreaterThan(2 * (usual?.summary.lost ?? 0));
    for (const pause of pauses(slow)) expect(pause).toBeGreaterThanOrEqual(120);
    expect(times(doubtful)[0]).toBeGreaterThanOrEqual(15 * MINUTE);
    // 6 pods serve 300 of 400: for half an hour and more, a quarter is lost.
    expect(small?.summary.peakReplicas).toBe(6);
    expect(small?.summary.overloadedMinutes).toBe(35);
    expect(small?.summary.lost).toBeGreaterThan(35 * MINUTE * 100 * 0.99);
    for (const { summary, minutes } of Object.values(variants)) {
      const served = minutes.reduce((sum, row) => sum + row.served, 0);
      const waiting = summary.requests - summary.lost - served;
      expect(waiting).toBeGreaterThanOrEqual(-1);
      expect(waiting).toBeLessThanOrEqual(10 * 400);
    }
  });
});

describe('a report', () => {
  const options: TrafficOptions = {
    curve: step(50, 150, 5 * MINUTE),
    service,
    variants: { a: autoscaler(), '<b>': autoscaler({ scaleUp: { selectPolicy: 'Disabled' } }) },
    seed: 7,
  };

  it('is the same to the byte for one seed, as figures, as a table and as a page', async () => {
    const [first, second] = [await simulateTraffic(options), await simulateTraffic(options)];
    expect(JSON.stringify(second)).toBe(JSON.stringify(first));
    const html = trafficHtml(first);
    expect(trafficHtml(second)).toBe(html);
    expect(html.match(/<svg /g)).toHaveLength(5);
    expect(html.match(/<polyline /g)).toHaveLength(1 + 4 + 2 + 2 + 2);
    expect(html).not.toContain('<b>');
    expect(html).not.toMatch(/NaN|Infinity|undefined|https?:/);
    const table = trafficTable(first);
    expect(table).toMatch(/^service, 45 min, seed 7 +a +<b>$/m);
    expect(table).toMatch(/^requests +375,000 +375,000$/m);
    expect(first.variants[0]?.minutes).toHaveLength(45);
  });

  it('says why an autoscaler did nothing', async () => {
    const { variants } = await simulateTraffic({
      ...options,
      curve: { requestsPerSecond: () => 50, hours: 0.1 },
      service: { ...service, requests: { memory: '64Mi' } },
      variants: { blind: autoscaler() },
    });
    expect(variants[0]?.complaint).toMatch(/missing request for cpu in container main/);
    expect(trafficTable({ service: 's', seconds: 360, seed: 1, variants })).toContain(
      'blind does not scale: the HPA was unable',
    );
  });

  it('is given up when its signal aborts', async () => {
    const signal = AbortSignal.abort(new Error('no time for this'));
    await expect(simulateTraffic({ ...options, signal })).rejects.toThrow('no time for this');
  });
});

describe('a simulation', () => {
  const options: TrafficOptions = {
    curve: { requestsPerSecond: () => 1, hours: 0.1 },
    service,
    variants: { a: autoscaler() },
  };
  const target = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', name });
  const metric = { type: 'External', external: {} } as never;

  it.each<[string, Partial<TrafficOptions>, string]>([
    ['no variant', { variants: {} }, 'there is no variant: give one autoscaler at least'],
    [
      'an autoscaler that the server refuses',
      { variants: { a: autoscaler({ scaleDown: { stabilizationWindowSeconds: 4000 } }) } },
      'the autoscaler of variant "a" is refused: HorizontalPodAutoscaler.autoscaling "service" is invalid: spec.behavior.scaleDown.stabilizationWindowSeconds',
    ],
    [
      'another target',
      {
        service: {
          ...service,
          deployment: {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            metadata: { name: 'shop' },
            spec: {
              selector: { matchLabels: { app: 'shop' } },
              template: { metadata: { labels: { app: 'shop' } }, spec: { containers: [] } },
            },
          },
        },
        variants: { a: autoscaler(undefined, { scaleTargetRef: target('web') }) },
      },
      'scales Deployment web, and what is simulated is Deployment shop: let its scaleTargetRef name that',
    ],
    [
      'a metric that nobody tells',
      { variants: { a: autoscaler(undefined, { metrics: [metric] }) } },
      'has a metric of type External, which no simulated node tells: use type Resource (cpu)',
    ],
    [
      'too many replicas',
      { variants: { a: autoscaler(undefined, { maxReplicas: 1001 }) } },
      'has maxReplicas 1001: 1000 at most are simulated',
    ],
    [
      'too many variants',
      {
        variants: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`v${i}`, autoscaler()])),
      },
      '11 variants are too many: 10 at once at most',
    ],
    ['no capacity', { service: { cpuMsPerRequest: 10 } }, 'Give service.capacityPerPod'],
    [
      'no quantity',
      { service: { ...service, requests: { cpu: 'much' } } },
      'service.requests.cpu takes a quantity such as 500m, not "much"',
    ],
    [
      'free requests',
      { service: { ...service, cpuMsPerRequest: 0 } },
      'service.cpuMsPerRequest is',
    ],
    ['stale figures', { figuresSeconds: 60 }, 'figuresSeconds is from 1 to 30, not 60'],
    ['patience without end', { service: { ...service, patienceSeconds: 301 } }, 'from 0 to 300'],
  ])('of %s is refused, with what mends it', async (_, more, message) => {
    const asked = simulateTraffic({ ...options, ...more });
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(TrafficError);
  });
});
