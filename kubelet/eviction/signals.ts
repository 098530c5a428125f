// Signals that evictions rest on, by upstream's names, and the values that thresholds take. Pure.
// Invariant: a percentage counts of the signal's capacity; 0% and 100% mean no threshold, as upstream.
import { tryParseQuantity } from '../../api/meta/quantity.ts';

/** Names of the signals (Kubernetes docs: Node-pressure Eviction). */
export const SIGNALS = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'containerfs.available',
  'containerfs.inodesFree',
  'pid.available',
] as const;
/** One of them. */
export type Signal = (typeof SIGNALS)[number];

/** Is it a signal's name? */
export const isSignal = (name: string): name is Signal =>
  (SIGNALS as readonly string[]).includes(name);

/** A threshold's value: an amount, or a share of the capacity. */
export type ThresholdValue =
  | { readonly kind: 'amount'; readonly amount: number; readonly text: string }
  | { readonly kind: 'share'; readonly share: number };

/** The value of a text; undefined when it is neither a quantity nor a percentage from 0% to 100%. */
export function tryParseThreshold(text: string): ThresholdValue | undefined {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined)
    return Number(percent) <= 100 ? { kind: 'share', share: Number(percent) / 100 } : undefined;
  const quantity = tryParseQuantity(text);
  if (!quantity || quantity.nanos < 0n) return undefined;
  return { kind: 'amount', amount: Number(quantity.nanos / 1_000_000_000n), text };
}

/** Does a threshold of that value never come about? */
export const isIdle = (value: ThresholdValue): boolean =>
  value.kind === 'share' && (value.share === 0 || value.share === 1);

/** The amount that the value stands for, of that capacity. */
export const amountOf = (value: ThresholdValue, capacity: number): number =>
  value.kind === 'amount' ? value.amount : Math.floor(capacity * value.share);
