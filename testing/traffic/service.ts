// What a simulated service is: how its pods are made, and what requests cost them. Pure.
// Invariant: the Deployment that is simulated has nothing that a played container could not have: no volumes, probes or accounts.
import type { Container, Deployment, PodTemplateSpec } from '../../api/generated/types.ts';
import { toMilli, tryParseQuantity } from '../../api/meta/quantity.ts';
import { TrafficError } from './traffic-error.ts';

/** How a service takes its traffic. */
export interface ServiceOptions {
  /** Processor time of one request, in milliseconds. */
  readonly cpuMsPerRequest: number;
  /** Requests that one pod can serve in a second; as many as its limit of CPU allows unless given. */
  readonly capacityPerPod?: number;
  /** From a container's start until its pod is ready; 30 unless given. */
  readonly startSeconds?: number;
  /** CPU that a pod uses until it is ready, as a quantity; `10m` unless given. */
  readonly startCpu?: string;
  /** How long a request waits at most before it is lost; 10 unless given, 300 at most. */
  readonly patienceSeconds?: number;
  /** What each pod asks for; 500m of CPU unless given. Not with `deployment`. */
  readonly requests?: Readonly<Record<string, string>>;
  /** What each pod may have. Not with `deployment`. */
  readonly limits?: Readonly<Record<string, string>>;
  /** The service as it is deployed: of it count name, replicas, selector, labels, minReadySeconds, and its containers' resources. */
  readonly deployment?: Deployment;
}

/** The longest that requests may wait. */
export const MAX_PATIENCE_SECONDS = 300;
/** The longest that pods may take to become ready. */
const MAX_START_SECONDS = 3600;
/** What an idle container uses. */
const IDLE_MILLI = 1;

/** A service, resolved. */
export interface Service {
  readonly name: string;
  /** To be applied. */
  readonly deployment: Deployment;
  readonly matchLabels: Readonly<Record<string, string>>;
  readonly cpuMsPerRequest: number;
  readonly capacityPerPod: number;
  readonly startMs: number;
  readonly startMilli: number;
  readonly idleMilli: number;
  readonly patienceSeconds: number;
  /** CPU that one pod asks for, in thousandths of a core; 0 where it asks for none. */
  readonly requestMilli: number;
}

/** Resolves the options. `name` is the service's where no Deployment is given. Throws TrafficError for what cannot be. */
export function resolveService(options: ServiceOptions, name: string): Service {
  const { cpuMsPerRequest, startSeconds = 30, patienceSeconds = 10, startCpu = '10m' } = options;
  const deployment = deploymentOf(options, name);
  const containers = deployment.spec?.template.spec?.containers ?? [];
  const limitMilli = cpuOf(containers, 'limits');
  within('cpuMsPerRequest', cpuMsPerRequest, { least: 0.001, most: 3_600_000 });
  within('startSeconds', startSeconds, { least: 0, most: MAX_START_SECONDS });
  within('patienceSeconds', patienceSeconds, { least: 0, most: MAX_PATIENCE_SECONDS });
  const capacityPerPod = options.capacityPerPod ?? limitMilli / cpuMsPerRequest;
  if (options.capacityPerPod === undefined && limitMilli === 0)
    throw new TrafficError(
      'how much can one pod serve? Give service.capacityPerPod (requests per second), or the pods a limit of cpu',
    );
  within('capacityPerPod', capacityPerPod, { least: 0.001, most: 1_000_000 });
  const start = tryParseQuantity(startCpu);
  if (!start || toMilli(start) < 0)
    throw new TrafficError(
      `service.startCpu takes a quantity such as 250m, not ${JSON.stringify(startCpu)}`,
    );
  return {
    name: deployment.metadata.name ?? name,
    deployment,
    matchLabels: deployment.spec?.selector.matchLabels ?? {},
    cpuMsPerRequest,
    capacityPerPod,
    startMs: startSeconds * 1000,
    startMilli: toMilli(start),
    idleMilli: IDLE_MILLI,
    patienceSeconds: Math.round(patienceSeconds),
    requestMilli: cpuOf(containers, 'requests'),
  };
}

function within(field: string, value: number, { least, most }: { least: number; most: number }) {
  if (value >= least && value <= most) return;
  throw new TrafficError(`service.${field} is from ${least} to ${most}, not ${value}`);
}

function cpuOf(containers: readonly Container[], of: 'requests' | 'limits'): number {
  const amounts = containers.map(({ resources }) =>
    tryParseQuantity(resources?.[of]?.['cpu'] ?? ''),
  );
  return amounts.reduce((sum, amount) => sum + (amount ? toMilli(amount) : 0), 0);
}

function deploymentOf(options: ServiceOptions, name: string): Deployment {
  const { deployment, requests = { cpu: '500m' }, limits } = options;
  if (!deployment) return madeDeployment(name, { requests, ...(limits && { limits }) });
  const { spec, metadata } = deployment;
  if (deployment.kind !== 'Deployment' || !metadata?.name || !spec?.template?.spec)
    throw new TrafficError(
      'service.deployment takes a Deployment of apps/v1 with a name and a template',
    );
  if (!spec.selector?.matchLabels)
    throw new TrafficError('service.deployment takes a Deployment that selects by matchLabels');
  const { replicas, selector, minReadySeconds, template } = spec;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: metadata.name, namespace: 'default' },
    spec: {
      ...(replicas !== undefined && { replicas }),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector,
      template: bareTemplate(template),
    },
  };
}

function madeDeployment(name: string, resources: Container['resources'] & object): Deployment {
  for (const [of, amounts] of Object.entries(resources))
    for (const [resource, amount] of Object.entries(amounts as Record<string, string>))
      if (!tryParseQuantity(amount))
        throw new TrafficError(
          `service.${of}.${resource} takes a quantity such as 500m, not ${JSON.stringify(amount)}`,
        );
  const labels = { app: name };
  const container = { name: 'main', image: `${name}:simulated`, resources };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      selector: { matchLabels: labels },
      template: bareTemplate({ metadata: { labels }, spec: { containers: [container] } }),
    },
  };
}

/** What of a template counts: `startSeconds` stands for its probes, and nothing is there that its volumes could come from. */
function bareTemplate({ metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const containers = (spec?.containers ?? []).map(
    ({ name, image, resources }): Container => ({
      name,
      ...(image !== undefined && { image }),
      ...(resources && { resources }),
    }),
  );
  return {
    metadata: { ...(metadata?.labels && { labels: metadata.labels }) },
    spec: { containers, automountServiceAccountToken: false },
  };
}
