// LimitRanges: the least, the most and the default that pods, containers and claims of a namespace may ask for.
import { ALL_VERBS, defineResource } from '../definition.ts';
import type { FieldError } from '../field-error.ts';
import { duplicate, forbiddenField, invalidValue, required } from '../field-error.ts';
import type { LimitRange, LimitRangeItem } from '../generated/types.ts';
import { LimitRanges } from '../kinds.ts';
import { createdAtColumn, nameColumn } from '../meta/columns.ts';
import { obeys } from '../meta/field-rules.ts';
import { qualifiedName } from '../meta/names.ts';
import type { Quantity } from '../meta/quantity.ts';
import {
  compareQuantities,
  formatQuantity,
  quantityOf,
  toNumber,
  tryParseQuantity,
} from '../meta/quantity.ts';
import { canonicalResources } from './pod-template-defaults.ts';
import {
  isOvercommitAllowed,
  validateContainerResourceName,
  validateResourceName,
} from './resource-names.ts';

const BOUNDS = ['max', 'min'] as const;
const DEFAULTS = ['default', 'defaultRequest'] as const;
const ALL_BOUNDS = [...BOUNDS, ...DEFAULTS, 'maxLimitRequestRatio'] as const;
const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];

type Bound = (typeof ALL_BOUNDS)[number];

/** What LimitRanges are. */
export const limitRangeDefinition = defineResource<LimitRange>({
  ref: LimitRanges,
  singular: 'limitrange',
  listKind: 'LimitRangeList',
  shortNames: ['limits'],
  categories: [],
  schemaName: 'io.k8s.api.core.v1.LimitRange',
  verbs: ALL_VERBS,
  hasStatus: false,
  hasGeneration: false,
  createdByPut: true,
  subresources: [],
  columns: [nameColumn, createdAtColumn],
  selectableFields: {},
  defaults: ({ spec }) => {
    for (const item of spec?.limits ?? []) defaultItem(item);
  },
  validate: ({ spec }) => {
    const limits = spec?.limits ?? [];
    return limits.flatMap((item, i) => {
      const at = `spec.limits[${i}]`;
      const twice = limits.findIndex(({ type }) => type === item.type) < i;
      return [
        ...validateType(item.type ?? '', `${at}.type`),
        ...(twice ? [duplicate(`${at}.type`, item.type)] : []),
        ...validateItem(item, at),
      ];
    });
  },
});

/** Of a container's bounds, each gives the next looser one where that is not said. */
function defaultItem(item: LimitRangeItem): void {
  for (const bound of ALL_BOUNDS) canonicalResources(item[bound]);
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(limits).length > 0) item.default = limits;
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function validateType(type: string, path: string): FieldError[] {
  const errors = obeys(qualifiedName, type, path);
  if (errors.length > 0 || type.includes('/') || TYPES.includes(type)) return errors;
  return [invalidValue(path, type, 'must be a standard limit type or fully qualified')];
}

function validateItem(item: LimitRangeItem, path: string): FieldError[] {
  const ofPod = item.type === 'Pod';
  const names = ALL_BOUNDS.filter((bound) => !ofPod || !isDefault(bound)).flatMap((bound) =>
    Object.keys(item[bound] ?? {}).map((name) => ({ bound, name })),
  );
  const ofContainers = ofPod || item.type === 'Container';
  const nameRule = ofContainers ? validateContainerResourceName : validateResourceName;
  const errors = names.flatMap(({ bound, name }) => nameRule(name, `${path}.${bound}[${name}]`));
  const why = "may not be specified when `type` is 'Pod'";
  const misplaced = DEFAULTS.filter(
    (bound) => ofPod && Object.keys(item[bound] ?? {}).length > 0,
  ).map((bound) => forbiddenField(`${path}.${bound}`, why));
  const bounded = BOUNDS.some((bound) => item[bound]?.['storage'] !== undefined);
  if (item.type === 'PersistentVolumeClaim' && !bounded) {
    const none = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${path}.limits`, none));
  }
  return [
    ...errors,
    ...misplaced,
    ...[...new Set(names.map(({ name }) => name))].flatMap((name) =>
      validateAmounts(item, name, path),
    ),
  ];
}

const isDefault = (bound: Bound): boolean => bound === 'default' || bound === 'defaultRequest';

/** The bounds of one resource fit each other. */
function validateAmounts(item: LimitRangeItem, name: string, path: string): FieldError[] {
  const of = (bound: Bound): Quantity | undefined => tryParseQuantity(item[bound]?.[name] ?? '');
  const [min, max, limit, request] = [of('min'), of('max'), of('default'), of('defaultRequest')];
  const ordered = (
    [low, lowName]: readonly [Quantity | undefined, string],
    [high, highName]: readonly [Quantity | undefined, string],
    [at, shown]: readonly [Bound, Quantity | undefined],
  ): FieldError[] => {
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return [];
    const [lowText, highText] = [formatQuantity(low), formatQuantity(high)];
    const why = `${lowName} value ${lowText} is greater than ${highName} value ${highText}`;
    return [invalidValue(`${path}.${at}[${name}]`, shown && formatQuantity(shown), why)];
  };
  return [
    ...ordered([min, 'min'], [max, 'max'], ['min', min]),
    ...ordered([min, 'min'], [request, 'default request'], ['defaultRequest', request]),
    ...ordered([request, 'default request'], [max, 'max'], ['defaultRequest', request]),
    ...ordered([request, 'default request'], [limit, 'default limit'], ['defaultRequest', request]),
    ...ordered([min, 'min'], [limit, 'default'], ['default', min]),
    ...ordered([limit, 'default'], [max, 'max'], ['default', max]),
    ...validateRatio({ ratio: of('maxLimitRequestRatio'), min, max }, name, path),
    ...validateSame({ limit, request }, name, path),
  ];
}

function validateRatio(
  { ratio, min, max }: Record<'ratio' | 'min' | 'max', Quantity | undefined>,
  name: string,
  path: string,
): FieldError[] {
  if (ratio === undefined) return [];
  const at = `${path}.maxLimitRequestRatio[${name}]`;
  const text = formatQuantity(ratio);
  const errors =
    compareQuantities(ratio, quantityOf(1)) < 0
      ? [invalidValue(at, text, `ratio ${text} is less than 1`)]
      : [];
  if (min === undefined || max === undefined) return errors;
  const most = toNumber(max) / toNumber(min);
  if (toNumber(ratio) <= most) return errors;
  const why = `ratio ${text} is greater than max/min = ${most.toFixed(6)}`;
  return [...errors, invalidValue(at, text, why)];
}

/** What cannot be shared out twice is asked for as it is limited. */
function validateSame(
  { limit, request }: Record<'limit' | 'request', Quantity | undefined>,
  name: string,
  path: string,
): FieldError[] {
  if (isOvercommitAllowed(name) || limit === undefined || request === undefined) return [];
  if (compareQuantities(limit, request) === 0) return [];
  const [limitText, requestText] = [formatQuantity(limit), formatQuantity(request)];
  const why = `default value ${limitText} must equal to defaultRequest value ${requestText} in ${name}`;
  return [invalidValue(`${path}.defaultRequest[${name}]`, requestText, why)];
}
