// All functions that every expression may use, whatever it is for.
// Invariant: what upstream offers to rules and policies alike; the authorizer and its kin are declared by policies.
import type { Library } from '../overload.ts';
import { CONVERSIONS } from './conversions.ts';
import { OPERATORS } from './operators.ts';
import { OPTIONALS } from './optionals.ts';
import { TEXTS } from './texts.ts';
import { TIME_PARTS } from './time-parts.ts';

export const STANDARD: Library = [
  ...OPERATORS,
  ...CONVERSIONS,
  ...TEXTS,
  ...TIME_PARTS,
  ...OPTIONALS,
];
