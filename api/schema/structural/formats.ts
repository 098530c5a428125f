// The formats that custom resources may ask of texts and numbers; names that are none of these are let pass, as upstream does.
// Invariant: pure; each rule takes time linear in the text.
import { table } from '../../../base/table.ts';
import { isIP } from 'node:net';
import { tryParseDuration } from '../../meta/duration.ts';
import { cidrBlock } from '../../meta/ip.ts';
import { dnsLabel, dnsSubdomain } from '../../meta/names.ts';
import { isCardNumber, isIsbn10, isIsbn13 } from './number-formats.ts';

/** Does the value have the format? */
export type FormatRule = (value: bigint | number | string) => boolean;

const text =
  (rule: (value: string) => boolean): FormatRule =>
  (value) =>
    typeof value !== 'string' || rule(value);
const pattern = (expression: RegExp): FormatRule => text((value) => expression.test(value));
const whole =
  (bits: number): FormatRule =>
  (value) =>
    typeof value === 'string' || (value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1));

const HEX = '[0-9a-fA-F]';
const uuid = (version: string, variant = HEX): FormatRule =>
  pattern(
    new RegExp(`^${HEX}{8}-?${HEX}{4}-?${version}${HEX}{3}-?${variant}${HEX}{3}-?${HEX}{12}$`),
  );
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/** 0 to 255. */
const CHANNEL = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])';

const FORMATS: Readonly<Record<string, FormatRule>> = table({
  int32: whole(32),
  int64: whole(64),
  byte: pattern(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  date: text(isDate),
  'date-time': text((value) => isDateTime(value)),
  datetime: text((value) => isDateTime(value)),
  duration: text((value) => tryParseDuration(value) !== undefined),
  ipv4: text((value) => isIP(value) === 4),
  // A zone is no part of an address.
  ipv6: text((value) => isIP(value) === 6 && !value.includes('%')),
  cidr: text((value) => cidrBlock(value) === undefined),
  mac: pattern(/^(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$/),
  email: pattern(/^[^\s@<>]+@[^\s@<>]+$/),
  hostname: pattern(
    /^(?=.{1,255}$)[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?)*\.?$/,
  ),
  uri: text(isUri),
  uuid: uuid(HEX),
  uuid3: uuid('3'),
  uuid4: uuid('4', '[89abAB]'),
  uuid5: uuid('5', '[89abAB]'),
  hexcolor: pattern(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: pattern(
    new RegExp(`^rgb\\(\\s*${CHANNEL}\\s*,\\s*${CHANNEL}\\s*,\\s*${CHANNEL}\\s*\\)$`),
  ),
  // Says how to show a text, and nothing of what is in it.
  password: () => true,
  isbn: text((value) => isIsbn10(value) || isIsbn13(value)),
  isbn10: text(isIsbn10),
  isbn13: text(isIsbn13),
  creditcard: text(isCardNumber),
  ssn: pattern(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  bsonobjectid: pattern(/^[0-9a-fA-F]{24}$/),
  'k8s-short-name': text((value) => dnsLabel(value) === undefined),
  'k8s-long-name': text((value) => dnsSubdomain(value) === undefined),
});

/** The rule of a format; undefined for one that is not known. */
export function formatRule(name: string): FormatRule | undefined {
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
}

/** Formats of numbers, which say nothing of a text. */
const NUMBERS: ReadonlySet<string> = new Set(['int32', 'int64']);

/** Is it a format that texts are held to? Others are let pass without a look at the text. */
export function isTextFormat(name: string): boolean {
  return formatRule(name) !== undefined && !NUMBERS.has(name);
}

function isDate(value: string): boolean {
  const [, year = '', month = '', day = ''] = DATE.exec(value) ?? [];
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return (
    year !== '' && date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
  );
}

function isDateTime(value: string): boolean {
  const date = DATE_TIME.exec(value)?.[1];
  return date !== undefined && isDate(date) && !Number.isNaN(Date.parse(value));
}

function isUri(value: string): boolean {
  return value.startsWith('/') || URL.canParse(value);
}
