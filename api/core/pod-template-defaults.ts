// Defaults of pod specs, in pods and in the templates of workloads alike.
// Invariant: fills only what the writer left out, and running it again changes nothing.
import type {
  Container,
  EnvVarSource,
  EphemeralContainer,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
  VolumeProjection,
} from '../generated/types.ts';
import { canonicalQuantity } from '../meta/quantity.ts';

/** Permissions of files in projected volumes: 0644. */
const FILE_MODE = 0o644;

/** Fills a workload's template. */
export function defaultPodTemplate(template: PodTemplateSpec | undefined): void {
  if (template?.spec) defaultPodSpec(template.spec);
}

/** Fills a pod spec. What pods alone get is in pod.ts. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always';
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ??= 'default-scheduler';
  spec.securityContext ??= {};
  mirrorServiceAccount(spec);
  for (const volume of spec.volumes ?? []) {
    defaultVolume(volume);
    if (volume.image) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference ?? '');
  }
  for (const container of allContainers(spec)) defaultContainer(container);
  if (spec.hostNetwork) defaultHostPorts(spec);
}

/** Init, ordinary and ephemeral containers, in that order. */
export function allContainers(spec: PodSpec): (Container | EphemeralContainer)[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
}

/** `serviceAccount` is the old name of `serviceAccountName`; both show the same. */
export function mirrorServiceAccount(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount;
  if (!name) return;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.resources ??= {};
  canonicalResources(container.resources.requests);
  canonicalResources(container.resources.limits);
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const env of container.env ?? []) if (env.valueFrom) defaultRefs(env.valueFrom);
  defaultProbes(container);
}

function defaultProbes(container: Container | EphemeralContainer): void {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  for (const probe of [livenessProbe, readinessProbe, startupProbe]) {
    if (probe) defaultProbe(probe);
  }
  for (const handler of [lifecycle?.postStart, lifecycle?.preStop]) {
    if (handler) defaultHandler(handler);
  }
}

/** References to the pod's own fields and resources. */
function defaultRefs(source: Pick<EnvVarSource, 'fieldRef' | 'resourceFieldRef'>): void {
  if (source.fieldRef) source.fieldRef.apiVersion ||= 'v1';
  if (source.resourceFieldRef) source.resourceFieldRef.divisor ||= '0';
}

/** Latest, said or meant, may change at any time; any other tag and every digest is taken to stay. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= '';
  defaultHandler(probe);
}

function defaultHandler(handler: Pick<LifecycleHandler, 'httpGet'>): void {
  if (!handler.httpGet) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}

/** A pod on the host's network has the host's ports. */
function defaultHostPorts(spec: PodSpec): void {
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

function defaultVolume(volume: Volume): void {
  const isSet = ([key, value]: [string, unknown]) =>
    key !== 'name' && value !== undefined && value !== null;
  // A volume that names no source is an empty directory.
  if (!Object.entries(volume).some(isSet)) volume.emptyDir = {};
  const { configMap, secret, downwardAPI, projected, emptyDir, hostPath } = volume;
  for (const source of [configMap, secret, downwardAPI, projected]) {
    if (source) source.defaultMode ??= FILE_MODE;
  }
  if (emptyDir?.sizeLimit !== undefined) emptyDir.sizeLimit = canonicalQuantity(emptyDir.sizeLimit);
  if (hostPath) hostPath.type ??= '';
  defaultOwnClaim(volume);
  for (const item of downwardAPI?.items ?? []) defaultRefs(item);
  for (const source of projected?.sources ?? []) defaultProjection(source);
}

function defaultOwnClaim({ ephemeral }: Volume): void {
  const claim = ephemeral?.volumeClaimTemplate?.spec;
  if (!claim) return;
  claim.volumeMode ??= 'Filesystem';
  canonicalResources(claim.resources?.requests);
  canonicalResources(claim.resources?.limits);
}

function defaultProjection({ downwardAPI, serviceAccountToken }: VolumeProjection): void {
  for (const item of downwardAPI?.items ?? []) defaultRefs(item);
  if (serviceAccountToken) serviceAccountToken.expirationSeconds ??= 3600;
}

/** Writes each amount in its canonical form, as readers will see it. */
export function canonicalResources(list: Record<string, string> | undefined): void {
  if (!list) return;
  for (const name of Object.keys(list)) list[name] = canonicalQuantity(list[name] ?? '');
}
