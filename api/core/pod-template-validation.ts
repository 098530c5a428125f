// Rules of pod specs, in pods and in the templates of workloads alike. Containers, volumes, probes and
// placement have files of their own; this one joins them. Paths start where the caller says.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts';
import type { PodSpec, PodTemplateSpec } from '../generated/types.ts';
import { ipAddress } from '../meta/ip.ts';
import type { NameRule } from '../meta/names.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from '../meta/names.ts';
import { between, notNegative, oneOf, requiredOneOf } from '../meta/numbers.ts';
import { repeats } from '../meta/repeats.ts';
import { validateLabels } from '../meta/validate-labels.ts';
import { validateAnnotations } from '../meta/validate-meta.ts';
import { validateConfinement } from './confinement-validation.ts';
import { validateContainers } from './container-validation.ts';
import { validatePodLevelResources } from './pod-level-resources.ts';
import { validateAffinity, validateSpread, validateTolerations } from './placement-validation.ts';
import { validateVolumes } from './volume-validation.ts';

const MAX_INT32 = 2 ** 31 - 1;
const MAX_NAMESERVERS = 3;

/** A template's labels, annotations and spec. */
export function validatePodTemplate(
  template: PodTemplateSpec | undefined,
  path: string,
): FieldError[] {
  return [
    ...validateTemplateMeta(template, path),
    ...validatePodSpec(template?.spec, `${path}.spec`),
    ...((template?.spec?.ephemeralContainers ?? []).length === 0
      ? []
      : [
          forbiddenField(
            `${path}.spec.ephemeralContainers`,
            'ephemeral containers not allowed in pod template',
          ),
        ]),
  ];
}

/** A template's labels and annotations. */
export function validateTemplateMeta(
  template: PodTemplateSpec | undefined,
  path: string,
): FieldError[] {
  const { labels, annotations } = template?.metadata ?? {};
  return [
    // Upstream's paths leave the metadata out.
    ...validateLabels(labels, `${path}.labels`),
    ...validateAnnotations(annotations, `${path}.annotations`),
  ];
}

/** What a pod must satisfy to be created. */
export function validatePodSpec(spec: PodSpec | undefined, path: string): FieldError[] {
  if (spec === undefined) return [required(`${path}.containers`)];
  return [
    ...validateVolumes(spec.volumes ?? [], `${path}.volumes`),
    ...validateContainers(spec, path),
    ...validatePodLevelResources(spec, path),
    ...validatePolicies(spec, path),
    ...validateSecurity(spec, path),
    ...validateConfinement(spec, path),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validateNamesIn(spec, path),
    ...validateDns(spec, path),
    ...validateTolerations(spec.tolerations ?? [], `${path}.tolerations`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
  ];
}

function validatePolicies(spec: PodSpec, path: string): FieldError[] {
  return [
    ...requiredOneOf(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...requiredOneOf(
      spec.dnsPolicy,
      ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'],
      `${path}.dnsPolicy`,
    ),
    ...oneOf(spec.preemptionPolicy, ['Never', 'PreemptLowerPriority'], `${path}.preemptionPolicy`),
    ...notNegative(spec.terminationGracePeriodSeconds, `${path}.terminationGracePeriodSeconds`),
    ...between(spec.activeDeadlineSeconds, [1, MAX_INT32], `${path}.activeDeadlineSeconds`),
    ...(spec.os === undefined
      ? []
      : requiredOneOf(spec.os.name, ['linux', 'windows'], `${path}.os.name`)),
  ];
}

function validateSecurity(spec: PodSpec, path: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const at = `${path}.securityContext`;
  const errors = [
    ...between(context.runAsUser, [0, MAX_INT32], `${at}.runAsUser`),
    ...between(context.runAsGroup, [0, MAX_INT32], `${at}.runAsGroup`),
    ...between(context.fsGroup, [0, MAX_INT32], `${at}.fsGroup`),
    ...gather(context.supplementalGroups, (group, i) =>
      between(group, [0, MAX_INT32], `${at}.supplementalGroups[${i}]`),
    ),
    ...oneOf(
      context.fsGroupChangePolicy,
      ['Always', 'OnRootMismatch'],
      `${at}.fsGroupChangePolicy`,
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      invalidValue(
        `${path}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  }
  return errors;
}

/** A set name keeps its rule. */
function named(value: string | undefined, rule: NameRule, path: string): FieldError[] {
  if (!value) return [];
  const why = rule(value);
  return why === undefined ? [] : [invalidValue(path, value, why)];
}

function validateNamesIn(spec: PodSpec, path: string): FieldError[] {
  const gates = (spec.schedulingGates ?? []).map((gate) => gate.name);
  const twice = repeats(gates);
  return [
    ...named(spec.serviceAccountName, dnsSubdomain, `${path}.serviceAccountName`),
    ...named(spec.nodeName, dnsSubdomain, `${path}.nodeName`),
    ...named(spec.hostname, dnsLabel, `${path}.hostname`),
    ...named(spec.subdomain, dnsLabel, `${path}.subdomain`),
    ...named(spec.schedulerName, dnsSubdomain, `${path}.schedulerName`),
    ...named(spec.priorityClassName, dnsSubdomain, `${path}.priorityClassName`),
    ...named(spec.runtimeClassName, dnsSubdomain, `${path}.runtimeClassName`),
    ...gather(spec.imagePullSecrets, (secret, i) =>
      secret.name ? [] : [required(`${path}.imagePullSecrets[${i}].name`)],
    ),
    ...gather(spec.readinessGates, (gate, i) =>
      named(gate.conditionType, qualifiedName, `${path}.readinessGates[${i}].conditionType`),
    ),
    ...gather(gates, (gate, i) => [
      ...named(gate, qualifiedName, `${path}.schedulingGates[${i}].name`),
      ...(twice.has(i) ? [duplicate(`${path}.schedulingGates[${i}].name`, gate)] : []),
    ]),
    ...gather(spec.hostAliases, (alias, i) => [
      ...named(alias.ip, ipAddress, `${path}.hostAliases[${i}].ip`),
      ...(alias.ip ? [] : [required(`${path}.hostAliases[${i}].ip`)]),
      ...gather(alias.hostnames, (host, j) =>
        named(host, dnsSubdomain, `${path}.hostAliases[${i}].hostnames[${j}]`),
      ),
    ]),
  ];
}

function validateDns(spec: PodSpec, path: string): FieldError[] {
  const servers = spec.dnsConfig?.nameservers ?? [];
  const at = `${path}.dnsConfig.nameservers`;
  const errors = gather(servers, (server, i) => named(server, ipAddress, `${at}[${i}]`));
  if (servers.length > MAX_NAMESERVERS) {
    const why = `must not have more than ${MAX_NAMESERVERS} nameservers`;
    errors.push(invalidValue(at, servers, why));
  }
  if (spec.dnsPolicy === 'None' && servers.length === 0) {
    const why = "must provide at least one DNS nameserver when `dnsPolicy` is 'None'";
    errors.push(required(at, why));
  }
  return errors;
}
