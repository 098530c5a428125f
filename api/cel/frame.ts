// What a plan runs in: the values of its variables, and the meter.
// Invariant: one frame per evaluation; a slot belongs to one variable of the expression.
import type { Meter } from './meter.ts';
import type { CelValue } from './values.ts';

/** One evaluation. */
export interface Frame {
  readonly slots: (CelValue | undefined)[];
  readonly meter: Meter;
}

/** A part of an expression made ready to run. Throws CelError and CostExceeded. */
export type Plan = (frame: Frame) => CelValue;
