// Rules of what a ResourceClaim asks for: requests, constraints, configuration.
// Pure; wordings are those API clients know. Selectors must have expressions; they are not compiled.
import type { FieldError } from '../field-error.ts';
import {
  duplicate,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../field-error.ts';
import type {
  CELDeviceSelector,
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from '../generated/types.ts';
import { mustObey, obeys } from '../meta/field-rules.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from '../meta/names.ts';
import { repeats } from '../meta/repeats.ts';
import { validateDriver } from '../storage/storage-rules.ts';

/** Most entries of the lists of a claim. */
export const MAX_ENTRIES = 32;
const MAX_ALTERNATIVES = 8;
const MAX_TOLERATIONS = 16;
const MAX_TEXT_BYTES = 10 * 1024;
const MODES = ['All', 'ExactCount'];
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];
const ONE_OF_BOTH = 'exactly one of `exactly` or `firstAvailable` is required';

/** What requests say that leave things out: one device. */
export function defaultDeviceClaim({ requests = [] }: DeviceClaim): void {
  for (const { exactly, firstAvailable = [] } of requests) {
    for (const wanted of [...(exactly ? [exactly] : []), ...firstAvailable]) {
      wanted.allocationMode ??= 'ExactCount';
      if (wanted.allocationMode === 'ExactCount') wanted.count ||= 1;
      for (const toleration of wanted.tolerations ?? []) toleration.operator ||= 'Equal';
    }
  }
}

/** Rules of `spec.devices`. */
export function validateDeviceClaim(claim: DeviceClaim, path: string): FieldError[] {
  const { requests = [], constraints = [], config = [] } = claim;
  const names = new Set(requests.flatMap(namesOf));
  return [
    ...limited(requests, MAX_ENTRIES, `${path}.requests`),
    ...uniqueNames(requests, `${path}.requests`),
    ...requests.flatMap((request, i) => validateRequest(request, `${path}.requests[${i}]`)),
    ...limited(constraints, MAX_ENTRIES, `${path}.constraints`),
    ...constraints.flatMap((one, i) => {
      const at = `${path}.constraints[${i}]`;
      return [...validateConstraint(one, at), ...validateNames(one.requests ?? [], names, at)];
    }),
    ...validateConfigurations(config, `${path}.config`),
    ...config.flatMap(({ requests: chosen = [] }: DeviceClaimConfiguration, i) =>
      validateNames(chosen, names, `${path}.config[${i}]`),
    ),
  ];
}

/** A request is named by its name, and each alternative of it by both. */
function namesOf({ name, firstAvailable = [] }: DeviceRequest): string[] {
  return [name, ...firstAvailable.map((one) => `${name}/${one.name}`)];
}

/** No more than so many. */
export function limited(list: readonly unknown[], max: number, path: string): FieldError[] {
  return list.length > max ? [tooMany(path, list.length, max)] : [];
}

interface Named {
  readonly name?: string;
}

/** Each has a name of its own, which is a DNS label. */
export function uniqueNames(list: readonly Named[], path: string): FieldError[] {
  const repeated = repeats(list.map(({ name }) => name));
  return list.flatMap(({ name = '' }, i) => [
    ...mustObey(dnsLabel, name, `${path}[${i}].name`),
    ...(name !== '' && repeated.has(i) ? [duplicate(`${path}[${i}].name`, name)] : []),
  ]);
}

function validateNames(
  chosen: readonly string[],
  names: ReadonlySet<string>,
  path: string,
): FieldError[] {
  const repeated = repeats(chosen);
  return [
    ...limited(chosen, MAX_ENTRIES, `${path}.requests`),
    ...chosen.flatMap((name, i) => {
      const at = `${path}.requests[${i}]`;
      const why =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
      return [
        ...(names.has(name) ? [] : [invalidValue(at, name, why)]),
        ...(repeated.has(i) ? [duplicate(at, name)] : []),
      ];
    }),
  ];
}

function validateRequest({ exactly, firstAvailable = [] }: DeviceRequest, path: string) {
  if (!exactly && firstAvailable.length === 0) return [required(path, ONE_OF_BOTH)];
  if (exactly && firstAvailable.length > 0) {
    return [invalidValue(path, null, `${ONE_OF_BOTH}, but multiple fields are set`)];
  }
  if (exactly) return validateWanted(exactly, `${path}.exactly`);
  const at = `${path}.firstAvailable`;
  return [
    ...limited(firstAvailable, MAX_ALTERNATIVES, at),
    ...uniqueNames(firstAvailable, at),
    ...firstAvailable.flatMap((one, i) => validateWanted(one, `${at}[${i}]`)),
  ];
}

function validateWanted(wanted: Partial<DeviceSubRequest>, path: string): FieldError[] {
  const { deviceClassName, selectors = [], tolerations = [] } = wanted;
  return [
    ...mustObey(dnsSubdomain, deviceClassName, `${path}.deviceClassName`),
    ...validateSelectors(selectors, `${path}.selectors`),
    ...validateCount(wanted, path),
    ...limited(tolerations, MAX_TOLERATIONS, `${path}.tolerations`),
    ...tolerations.flatMap((one, i) => validateToleration(one, `${path}.tolerations[${i}]`)),
  ];
}

function validateCount(
  { allocationMode: mode, count = 0 }: Partial<DeviceSubRequest>,
  path: string,
) {
  if (mode === 'ExactCount') {
    return count > 0 ? [] : [invalidValue(`${path}.count`, count, 'must be greater than zero')];
  }
  if (mode !== 'All') return [notSupported(`${path}.allocationMode`, mode, MODES)];
  const why = "must not be specified when allocationMode is 'All'";
  return count === 0 ? [] : [invalidValue(`${path}.count`, count, why)];
}

/** Selectors have expressions, which are not too long. */
export function validateSelectors(
  selectors: readonly DeviceSelector[],
  path: string,
): FieldError[] {
  return [
    ...limited(selectors, MAX_ENTRIES, path),
    ...selectors.flatMap(({ cel }, i) => {
      const at = `${path}[${i}].cel`;
      return cel === undefined ? [required(at)] : validateExpression(cel, `${at}.expression`);
    }),
  ];
}

function validateExpression({ expression = '' }: Partial<CELDeviceSelector>, path: string) {
  if (expression === '') return [required(path)];
  const long = Buffer.byteLength(expression) > MAX_TEXT_BYTES;
  return long ? [tooLong(path, MAX_TEXT_BYTES)] : [];
}

function validateToleration(toleration: DeviceToleration, path: string): FieldError[] {
  const { key = '', operator = '', value = '', effect } = toleration;
  const errors = key === '' ? [] : obeys(qualifiedName, key, `${path}.key`);
  if (operator === 'Exists') {
    const why = "must be empty for operator 'Exists'";
    if (value !== '') errors.push(invalidValue(`${path}.value`, value, why));
  } else if (operator === 'Equal') {
    if (key === '') errors.push(required(`${path}.key`, "must not be empty for operator 'Equal'"));
    errors.push(...obeys(labelValue, value, `${path}.value`));
  } else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  if (effect && !EFFECTS.includes(effect)) {
    errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
  }
  return errors;
}

function validateConstraint({ matchAttribute, distinctAttribute }: DeviceConstraint, path: string) {
  if (matchAttribute === undefined && distinctAttribute === undefined) {
    return [required(`${path}.matchAttribute`)];
  }
  const full = (name: string) => (name.includes('/') ? undefined : 'must include a domain');
  return [
    ...obeys(full, matchAttribute, `${path}.matchAttribute`),
    ...obeys(full, distinctAttribute, `${path}.distinctAttribute`),
  ];
}

interface Configured {
  readonly opaque?: OpaqueDeviceConfiguration | undefined;
}

/** Configuration is for a driver, and an object of its own form. */
export function validateConfigurations(config: readonly Configured[], path: string): FieldError[] {
  return [
    ...limited(config, MAX_ENTRIES, path),
    ...config.flatMap(({ opaque }, i) => {
      const at = `${path}[${i}].opaque`;
      if (opaque === undefined) return [required(at)];
      return [
        ...validateDriver(opaque.driver, `${at}.driver`),
        ...validateOpaque(opaque.parameters, `${at}.parameters`),
      ];
    }),
  ];
}

function validateOpaque(parameters: unknown, path: string): FieldError[] {
  if (parameters === undefined) return [required(path)];
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    return [invalidValue(path, '<value omitted>', 'must be a JSON object')];
  }
  const long = Buffer.byteLength(JSON.stringify(parameters)) > MAX_TEXT_BYTES;
  return long ? [tooLong(path, MAX_TEXT_BYTES)] : [];
}
