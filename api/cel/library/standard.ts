// All functions that every expression may use, whatever it is for.
// Invariant: what upstream offers to rules and policies alike; the authorizer and its kin are declared by policies.
import type { Library } from '../overload.ts';
import { ADDRESSES } from './addresses.ts';
import { CONVERSIONS } from './conversions.ts';
import { FORMAT_TEXT } from './format-text.ts';
import { LISTS } from './lists.ts';
import { NAMED_FORMATS } from './named-formats.ts';
import { OPERATORS } from './operators.ts';
import { OPTIONALS } from './optionals.ts';
import { QUANTITIES } from './quantities.ts';
import { REGEX } from './regex.ts';
import { SEMVER_LIBRARY } from './semver.ts';
import { SETS } from './sets.ts';
import { STRINGS } from './strings.ts';
import { TEXTS } from './texts.ts';
import { TIME_PARTS } from './time-parts.ts';
import { URLS } from './urls.ts';

export const STANDARD: Library = [
  ...OPERATORS,
  ...CONVERSIONS,
  ...TEXTS,
  ...TIME_PARTS,
  ...OPTIONALS,
  ...STRINGS,
  ...FORMAT_TEXT,
  ...LISTS,
  ...SETS,
  ...REGEX,
  ...URLS,
  ...QUANTITIES,
  ...ADDRESSES,
  ...NAMED_FORMATS,
  ...SEMVER_LIBRARY,
];
