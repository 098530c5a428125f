// What an agent is told of how to run its node: the fields of kubelet.config.k8s.io/v1beta1 that it honours, spelled as upstream.
// Invariant: resolved once, whole, with upstream's defaults; a value or a field that it cannot honour is refused in words.
import {
  amountMap,
  durationText,
  flag,
  integer,
  optional,
  parts,
  quantityText,
  type Rule,
  systemPath,
  texts,
  thresholdMap,
} from './configuration-rules.ts';
import { isSignal, type Signal } from './eviction/signals.ts';
import { tryParseDuration } from '../api/meta/duration.ts';

/** A duration as Go's, such as `1m30s`. */
export type DurationText = string;
/** A quantity, such as `10Mi`. */
export type QuantityText = string;
/** Quantities, or percentages of what there is, by signal. */
export type Thresholds = Readonly<Partial<Record<Signal, string>>>;
/** Amounts by resource: `cpu`, `memory`, `ephemeral-storage`, `pid`. */
export type Reservation = Readonly<Record<string, QuantityText>>;

/** The fields, resolved. What each means is told in upstream's reference of KubeletConfiguration. */
export interface KubeletConfiguration {
  readonly maxPods: number;
  /** Processes of one pod at most; -1 for no limit of the agent's own. */
  readonly podPidsLimit: number;
  readonly systemReserved: Reservation;
  readonly kubeReserved: Reservation;
  /** Given at all, it replaces all the defaults, unless mergeDefaultEvictionSettings is set. */
  readonly evictionHard: Thresholds;
  readonly evictionSoft: Thresholds;
  readonly evictionSoftGracePeriod: Readonly<Partial<Record<Signal, DurationText>>>;
  /** Seconds; what a pod is given at most when a soft threshold ends it. */
  readonly evictionMaxPodGracePeriod: number;
  readonly evictionPressureTransitionPeriod: DurationText;
  readonly evictionMinimumReclaim: Thresholds;
  readonly mergeDefaultEvictionSettings: boolean;
  readonly imageGCHighThresholdPercent: number;
  readonly imageGCLowThresholdPercent: number;
  readonly imageMinimumGCAge: DurationText;
  /** `0s` for images that never grow too old. */
  readonly imageMaximumGCAge: DurationText;
  readonly serializeImagePulls: boolean;
  /** No limit unless given; heeded where pulls are not serialized. */
  readonly maxParallelImagePulls: number | undefined;
  readonly containerLogMaxSize: QuantityText;
  readonly containerLogMaxFiles: number;
  /** '' for none. */
  readonly staticPodPath: string;
  readonly shutdownGracePeriod: DurationText;
  /** The last part of shutdownGracePeriod. */
  readonly shutdownGracePeriodCriticalPods: DurationText;
  readonly seccompDefault: boolean;
  /** Names, or beginnings of names with a `*` at their end. */
  readonly allowedUnsafeSysctls: readonly string[];
  readonly crashLoopBackOff: { readonly maxContainerRestartPeriod?: DurationText };
  readonly streamingConnectionIdleTimeout: DurationText;
  readonly enableDebuggingHandlers: boolean;
}

/** Upstream's thresholds on Linux. */
export const DEFAULT_EVICTION_HARD: Thresholds = {
  'memory.available': '100Mi',
  'nodefs.available': '10%',
  'nodefs.inodesFree': '5%',
  'imagefs.available': '15%',
  'imagefs.inodesFree': '5%',
};

const DEFAULTS: KubeletConfiguration = {
  maxPods: 110,
  podPidsLimit: -1,
  systemReserved: {},
  kubeReserved: {},
  evictionHard: DEFAULT_EVICTION_HARD,
  evictionSoft: {},
  evictionSoftGracePeriod: {},
  evictionMaxPodGracePeriod: 0,
  evictionPressureTransitionPeriod: '5m0s',
  evictionMinimumReclaim: {},
  mergeDefaultEvictionSettings: false,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  imageMinimumGCAge: '2m0s',
  imageMaximumGCAge: '0s',
  serializeImagePulls: true,
  maxParallelImagePulls: undefined,
  containerLogMaxSize: '10Mi',
  containerLogMaxFiles: 5,
  staticPodPath: '',
  shutdownGracePeriod: '0s',
  shutdownGracePeriodCriticalPods: '0s',
  seccompDefault: false,
  allowedUnsafeSysctls: [],
  crashLoopBackOff: {},
  streamingConnectionIdleTimeout: '4h0m0s',
  enableDebuggingHandlers: true,
};

const RESOURCES = ['cpu', 'memory', 'ephemeral-storage', 'pid'];

const RULES: { readonly [Field in keyof KubeletConfiguration]: Rule } = {
  maxPods: integer(0),
  podPidsLimit: integer(-1),
  systemReserved: amountMap(RESOURCES),
  kubeReserved: amountMap(RESOURCES),
  evictionHard: thresholdMap,
  evictionSoft: thresholdMap,
  evictionSoftGracePeriod: parts(isSignal, durationText(0)),
  evictionMaxPodGracePeriod: integer(0),
  evictionPressureTransitionPeriod: durationText(0),
  evictionMinimumReclaim: thresholdMap,
  mergeDefaultEvictionSettings: flag,
  imageGCHighThresholdPercent: integer(0, 100),
  imageGCLowThresholdPercent: integer(0, 100),
  imageMinimumGCAge: durationText(0),
  imageMaximumGCAge: durationText(0),
  serializeImagePulls: flag,
  maxParallelImagePulls: optional(integer(1)),
  containerLogMaxSize: quantityText,
  containerLogMaxFiles: integer(2),
  staticPodPath: systemPath,
  shutdownGracePeriod: durationText(0),
  shutdownGracePeriodCriticalPods: durationText(0),
  seccompDefault: flag,
  allowedUnsafeSysctls: texts(
    /^[a-z0-9][a-z0-9_.-]*\*?$/,
    'names of sysctls, or the beginning of one and a *',
  ),
  crashLoopBackOff: parts(
    (name) => name === 'maxContainerRestartPeriod',
    durationText(1000, 300_000),
  ),
  streamingConnectionIdleTimeout: durationText(0),
  enableDebuggingHandlers: flag,
};

/** A configuration that cannot be honoured; the message says which field, and what it takes. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** All fields, by upstream's defaults where nothing is given. Throws ConfigurationError. */
export function resolveConfiguration(
  given: Partial<KubeletConfiguration> = {},
): KubeletConfiguration {
  for (const [field, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (!isField(field)) throw refused(`${field} is no field that this agent honours`);
    const problem = RULES[field](value);
    if (problem !== undefined) throw refused(`${field} ${JSON.stringify(value)} ${problem}`);
  }
  const stated = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  );
  const whole: KubeletConfiguration = { ...DEFAULTS, ...stated };
  const merged = whole.mergeDefaultEvictionSettings
    ? { ...whole, evictionHard: { ...DEFAULT_EVICTION_HARD, ...whole.evictionHard } }
    : whole;
  checkTogether(merged);
  return Object.freeze(merged);
}

/** The fields of a document: an object of apiVersion kubelet.config.k8s.io/v1beta1 and kind KubeletConfiguration. Throws ConfigurationError. */
export function configurationOf(document: unknown): Partial<KubeletConfiguration> {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw refused('it is not an object');
  const { apiVersion, kind, ...fields } = document as Readonly<Record<string, unknown>>;
  if (apiVersion !== 'kubelet.config.k8s.io/v1beta1')
    throw refused(
      `apiVersion must be kubelet.config.k8s.io/v1beta1, not ${JSON.stringify(apiVersion)}`,
    );
  if (kind !== 'KubeletConfiguration')
    throw refused(`kind must be KubeletConfiguration, not ${JSON.stringify(kind)}`);
  const given = fields as Partial<KubeletConfiguration>;
  resolveConfiguration(given);
  return given;
}

/** Milliseconds of a duration that was checked before. */
export const msOf = (text: DurationText): number => tryParseDuration(text) ?? 0;

const isField = (name: string): name is keyof KubeletConfiguration => Object.hasOwn(RULES, name);

const refused = (why: string): ConfigurationError =>
  new ConfigurationError(`invalid kubelet configuration: ${why}`);

/** What fields say of each other. */
function checkTogether(all: KubeletConfiguration): void {
  if (all.imageGCLowThresholdPercent >= all.imageGCHighThresholdPercent)
    throw refused(
      `imageGCLowThresholdPercent ${all.imageGCLowThresholdPercent} must be less than imageGCHighThresholdPercent ${all.imageGCHighThresholdPercent}`,
    );
  if (msOf(all.shutdownGracePeriodCriticalPods) > msOf(all.shutdownGracePeriod))
    throw refused(
      `shutdownGracePeriodCriticalPods ${all.shutdownGracePeriodCriticalPods} must not be more than shutdownGracePeriod ${all.shutdownGracePeriod}`,
    );
  for (const field of ['shutdownGracePeriod', 'shutdownGracePeriodCriticalPods'] as const)
    if (msOf(all[field]) > 0 && msOf(all[field]) < 1000)
      throw refused(`${field} ${all[field]} must be either 0s or 1s and more`);
  if (all.serializeImagePulls && (all.maxParallelImagePulls ?? 1) > 1)
    throw refused(
      `maxParallelImagePulls ${all.maxParallelImagePulls} cannot be more than 1 unless serializeImagePulls is false`,
    );
  for (const signal of Object.keys(all.evictionSoft))
    if (!Object.hasOwn(all.evictionSoftGracePeriod, signal))
      throw refused(`evictionSoft ${signal} needs a duration in evictionSoftGracePeriod`);
}
