// Rules of containers: names, images, ports, mounts, resources, security; init containers' own.
// Environment variables and probes have files of their own. Wordings are those API clients know.
import { gather, gatherMembers } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts';
import type {
  Container,
  ContainerPort,
  PodSpec,
  ResourceRequirements,
} from '../generated/types.ts';
import { dnsLabel, portName, portNumber, qualifiedName } from '../meta/names.ts';
import { between, oneOf, quantityNotNegative, requiredOneOf } from '../meta/numbers.ts';
import { compareQuantities, tryParseQuantity } from '../meta/quantity.ts';
import { repeats } from '../meta/repeats.ts';
import { validateVolumeDevices } from './device-validation.ts';
import { validateEnv, validateEnvFrom } from './env-validation.ts';
import { validateLifecycle, validateProbe } from './probe-validation.ts';
import { validateRestart, validateStop } from './restart-validation.ts';
import { validateMounts } from './mount-validation.ts';

const MAX_INT32 = 2 ** 31 - 1;
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** Rules of all containers of a pod, ordinary and init. */
export function validateContainers(spec: PodSpec, path: string): FieldError[] {
  const { initContainers = [] } = spec;
  const containers: readonly Container[] = spec.containers ?? [];
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const names = new Set<string>();
  const check = (container: Container, at: string) => [
    ...validateName(container.name ?? '', names, `${at}.name`),
    ...validateResizePolicy(container, spec.restartPolicy, at),
    ...validateRestart(container, at),
    ...validateStop(container, spec, at),
    ...validateContainer(container, volumes, at),
  ];
  return [
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...gather(containers, (container, i) => check(container, `${path}.containers[${i}]`)),
    ...gather(initContainers, (container, i) => [
      ...check(container, `${path}.initContainers[${i}]`),
      ...validateInit(container, `${path}.initContainers[${i}]`),
    ]),
    ...validateHostPorts(spec, path),
  ];
}

function validateName(name: string, seen: Set<string>, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const why = dnsLabel(name);
  if (why !== undefined) return [invalidValue(path, name, why)];
  if (seen.has(name)) return [duplicate(path, name)];
  seen.add(name);
  return [];
}

/** Rules of one container of any sort, but for its name; `volumes` are those that the pod has. */
export function validateContainer(
  container: Container,
  volumes: ReadonlySet<string>,
  path: string,
): FieldError[] {
  return [
    ...validateImage(container.image ?? '', `${path}.image`),
    ...requiredOneOf(
      container.imagePullPolicy,
      ['Always', 'IfNotPresent', 'Never'],
      `${path}.imagePullPolicy`,
    ),
    ...requiredOneOf(
      container.terminationMessagePolicy,
      ['FallbackToLogsOnError', 'File'],
      `${path}.terminationMessagePolicy`,
    ),
    ...validatePorts(container.ports ?? [], `${path}.ports`),
    ...validateEnv(container.env ?? [], `${path}.env`),
    ...validateEnvFrom(container.envFrom ?? [], `${path}.envFrom`),
    ...validateMounts(container, volumes, `${path}.volumeMounts`),
    ...validateVolumeDevices(container, volumes, `${path}.volumeDevices`),
    ...gather(PROBES, (role) => validateProbe(container[role], role, `${path}.${role}`)),
    ...validateLifecycle(container.lifecycle, `${path}.lifecycle`),
    ...validateResources(container.resources ?? {}, `${path}.resources`),
    ...validateSecurityContext(container, `${path}.securityContext`),
  ];
}

/** An image's name as it will be pulled; also the rule of a changed image. */
export function validateImage(image: string, path: string): FieldError[] {
  if (image === '') return [required(path)];
  return image === image.trim()
    ? []
    : [invalidValue(path, image, 'must not have leading or trailing whitespace')];
}

/** Init containers run to their end, unless they restart always and stay as sidecars. */
function validateInit(container: Container, path: string): FieldError[] {
  if (container.restartPolicy === 'Always') return [];
  const unfit = [...PROBES, 'lifecycle' as const].filter((field) => container[field] !== undefined);
  const why = 'may not be set for init containers without restartPolicy=Always';
  return unfit.map((field) => forbiddenField(`${path}.${field}`, why));
}

function validatePorts(ports: readonly ContainerPort[], path: string): FieldError[] {
  const names = new Set<string>();
  return gather(ports, (port, i) => {
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (port.name) {
      const why = portName(port.name);
      if (why !== undefined) errors.push(invalidValue(`${at}.name`, port.name, why));
      else if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`));
    else errors.push(...validNumber(port.containerPort, `${at}.containerPort`));
    if (port.hostPort) errors.push(...validNumber(port.hostPort, `${at}.hostPort`));
    return [...errors, ...requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`)];
  });
}

function validNumber(port: number, path: string): FieldError[] {
  const why = portNumber(port);
  return why === undefined ? [] : [invalidValue(path, port, why)];
}

/** A host port stands once per protocol and address; on the host's network it is the container's own. */
function validateHostPorts(spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>();
  return gather(spec.containers, (container, i) =>
    gather(container.ports, (port, j) => {
      const at = `${path}.containers[${i}].ports[${j}]`;
      const errors: FieldError[] = [];
      if (spec.hostNetwork && port.hostPort !== port.containerPort) {
        const why = 'must match `hostPort` when `hostNetwork` is true';
        errors.push(invalidValue(`${at}.containerPort`, port.containerPort, why));
      }
      if (!port.hostPort) return errors;
      const identity = `${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (seen.has(identity)) errors.push(duplicate(`${at}.hostPort`, identity));
      seen.add(identity);
      return errors;
    }),
  );
}

/** Amounts are not negative, and no request is above its limit. */
export function validateResources(resources: ResourceRequirements, path: string): FieldError[] {
  const { limits = {}, requests = {} } = resources;
  const errors = [
    ...validateAmounts(limits, `${path}.limits`),
    ...validateAmounts(requests, `${path}.requests`),
  ];
  for (const name of Object.keys(requests)) {
    const [text = '', limitText] = [requests[name], limits[name]];
    if (limitText === undefined) continue;
    const [request, limit] = [tryParseQuantity(text), tryParseQuantity(limitText)];
    if (request && limit && compareQuantities(request, limit) > 0) {
      const why = `must be less than or equal to ${name} limit of ${limitText}`;
      errors.push(invalidValue(`${path}.requests`, text, why));
    }
  }
  return errors;
}

/** One policy for each resource that can be resized; none restarts what is never restarted. */
function validateResizePolicy(
  { resizePolicy = [], restartPolicy }: Container,
  podPolicy: string | undefined,
  path: string,
): FieldError[] {
  const repeated = repeats(resizePolicy.map((policy) => policy.resourceName));
  return gather(resizePolicy, (policy, i) => {
    const at = `${path}.resizePolicy[${i}]`;
    const never = podPolicy === 'Never' && restartPolicy !== 'Always';
    const errors = [
      ...requiredOneOf(policy.resourceName, ['cpu', 'memory'], `${at}.resourceName`),
      ...requiredOneOf(
        policy.restartPolicy,
        ['NotRequired', 'RestartContainer'],
        `${at}.restartPolicy`,
      ),
      ...(repeated.has(i) ? [duplicate(`${at}.resourceName`, policy.resourceName)] : []),
    ];
    if (!never || policy.restartPolicy !== 'RestartContainer') return errors;
    const why = `must be 'NotRequired' when \`restartPolicy\` is 'Never'`;
    return [...errors, invalidValue(`${at}.restartPolicy`, policy.restartPolicy, why)];
  });
}

/** Resources that are shared out in fractions; all others come whole. */
const DIVISIBLE = /^(cpu|memory|storage|ephemeral-storage|hugepages-.+)$/;

function validateAmounts(list: Readonly<Record<string, string>>, path: string): FieldError[] {
  return gatherMembers(list, (name, text) => {
    const at = `${path}[${name}]`;
    const why = qualifiedName(name);
    const errors = [
      ...(why === undefined ? [] : [invalidValue(at, name, why)]),
      ...quantityNotNegative(text, at),
    ];
    if (DIVISIBLE.test(name)) return errors;
    if (!name.includes('/')) {
      return [...errors, invalidValue(at, name, 'must be a standard resource for containers')];
    }
    const quantity = tryParseQuantity(text);
    const fraction = quantity !== undefined && quantity.nanos % 1_000_000_000n !== 0n;
    return fraction ? [...errors, invalidValue(at, text, 'must be an integer')] : errors;
  });
}

function validateSecurityContext(container: Container, path: string): FieldError[] {
  const context = container.securityContext ?? {};
  const errors = [
    ...between(context.runAsUser, [0, MAX_INT32], `${path}.runAsUser`),
    ...between(context.runAsGroup, [0, MAX_INT32], `${path}.runAsGroup`),
    ...oneOf(context.procMount, ['Default', 'Unmasked'], `${path}.procMount`),
  ];
  if (context.allowPrivilegeEscalation !== false) return errors;
  const why = (what: string) =>
    `cannot set \`allowPrivilegeEscalation\` to false and \`${what}\` to true`;
  if (context.privileged) errors.push(invalidValue(path, context, why('privileged')));
  return errors;
}
