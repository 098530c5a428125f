// Rules of probes and of lifecycle handlers: one action each, and its parts.
// Pure; wordings are those API clients know.
import { gather } from '../../base/gather.ts';
import type { FieldError } from '../field-error.ts';
import { forbiddenField, invalidValue, required } from '../field-error.ts';
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from '../generated/types.ts';
import { headerName, portName, portNumber } from '../meta/names.ts';
import { notNegative, positive, requiredOneOf } from '../meta/numbers.ts';

/** Which probe it is; the rules differ a little. */
export type ProbeRole = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

/** Rules of one probe. */
export function validateProbe(
  probe: Probe | undefined,
  role: ProbeRole,
  path: string,
): FieldError[] {
  if (probe === undefined) return [];
  const { successThreshold = 1, terminationGracePeriodSeconds: grace } = probe;
  const errors = [
    ...validateHandler(probe, PROBE_ACTIONS, path),
    ...notNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`),
    ...notNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`),
    ...notNegative(probe.periodSeconds, `${path}.periodSeconds`),
    ...notNegative(probe.successThreshold, `${path}.successThreshold`),
    ...notNegative(probe.failureThreshold, `${path}.failureThreshold`),
  ];
  if (role === 'readinessProbe') {
    if (grace !== undefined) {
      const at = `${path}.terminationGracePeriodSeconds`;
      errors.push(invalidValue(at, grace, 'must not be set for readinessProbes'));
    }
    return errors;
  }
  if (successThreshold !== 1) {
    errors.push(invalidValue(`${path}.successThreshold`, successThreshold, 'must be 1'));
  }
  return [...errors, ...positive(grace, `${path}.terminationGracePeriodSeconds`)];
}

/** Rules of `lifecycle`. */
export function validateLifecycle(lifecycle: Lifecycle | undefined, path: string): FieldError[] {
  return gather(['postStart', 'preStop'] as const, (hook) => {
    const handler = lifecycle?.[hook];
    return handler ? validateHandler(handler, HOOK_ACTIONS, `${path}.${hook}`) : [];
  });
}

const PROBE_ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;
const HOOK_ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;

/** All actions that a handler of either sort can have. */
type Handler = Pick<Probe, 'exec' | 'grpc' | 'httpGet' | 'tcpSocket'> &
  Pick<LifecycleHandler, 'sleep'>;

function validateHandler(
  handler: Handler,
  actions: readonly (keyof Handler)[],
  path: string,
): FieldError[] {
  const [first, ...others] = actions.filter((action) => handler[action] !== undefined);
  if (first === undefined) return [required(path, 'must specify a handler type')];
  return [
    ...others.map((other) =>
      forbiddenField(`${path}.${other}`, 'may not specify more than 1 handler type'),
    ),
    ...validateAction(handler, first, `${path}.${first}`),
  ];
}

function validateAction(handler: Handler, action: keyof Handler, path: string): FieldError[] {
  switch (action) {
    case 'exec':
      return (handler.exec?.command ?? []).length > 0 ? [] : [required(`${path}.command`)];
    case 'httpGet':
      return handler.httpGet ? validateHttpGet(handler.httpGet, path) : [];
    case 'tcpSocket':
      return validatePort(handler.tcpSocket?.port, `${path}.port`);
    case 'grpc':
      return validatePort(handler.grpc?.port, `${path}.port`);
    case 'sleep':
      // How long depends on the pod: see restart-validation.ts.
      return [];
  }
}

function validateHttpGet(get: HTTPGetAction, path: string): FieldError[] {
  return [
    ...(get.path ? [] : [required(`${path}.path`)]),
    ...validatePort(get.port, `${path}.port`),
    ...requiredOneOf(get.scheme, ['HTTP', 'HTTPS'], `${path}.scheme`),
    ...gather(get.httpHeaders, (header) => {
      const why = headerName(header.name ?? '');
      return why === undefined ? [] : [invalidValue(`${path}.httpHeaders`, header.name, why)];
    }),
  ];
}

/** A port's number, or the name of one. */
export function validatePort(port: number | string | undefined, path: string): FieldError[] {
  const why = typeof port === 'string' ? portName(port) : portNumber(port ?? 0);
  return why === undefined ? [] : [invalidValue(path, port ?? 0, why)];
}
