// What reads texts of users takes time linear in them: each of these takes a few milliseconds, and minutes where it does not.
import { describe, expect, it } from 'vitest';
import { formatRule } from '../schema/structural/formats.ts';
import { tryParseDuration } from './duration.ts';
import { parseFieldSelector } from './field-selector.ts';
import { canonicalAddress, cidrBlock } from './ip.ts';
import { parseJsonPath } from './json-path.ts';
import { parseLabelSelector } from './labels.ts';
import * as names from './names.ts';
import { tryParseQuantity } from './quantity.ts';
import { parseTime } from './time.ts';
import { cpuMs } from '../../test/support/cpu.ts';

const LENGTH = 100_000;
/** For all texts of one reader: some hundred times what they take on a quiet machine. */
const CEILING_MS = 10_000;

const repeated = (part: string): string => part.repeat(Math.ceil(LENGTH / part.length));

/** What such expressions repeat, and ends that make them try it all again. */
const PARTS = '1 0 a aA1 1. 1- a- - . : a: a@ / a/../ 1h 1m 1.1h a= a, ! \\ \\, ( ä'.split(' ');
const AROUND = [
  ['', ''],
  ['', '!'],
  ['1.', 'x'],
  ['rgb(', ''],
  ['http://', ''],
  ['http://[', ''],
  ['2026-01-01T00:00:00.', 'Z'],
  ['a in (', ''],
  ['a', '/8'],
] as const;
const TEXTS = [...PARTS, ' ', '\n'].flatMap((part) =>
  AROUND.map(([before, after]) => before + repeated(part) + after),
);

const FORMATS = (
  'byte date date-time duration ipv4 ipv6 cidr mac email hostname uri uuid uuid4 hexcolor rgbcolor ' +
  'isbn isbn10 isbn13 creditcard ssn bsonobjectid k8s-short-name k8s-long-name'
).split(' ');

type Read = (text: string) => unknown;
const READERS: readonly (readonly [string, Read])[] = [
  ['durations', tryParseDuration],
  ['quantities', tryParseQuantity],
  ['times', parseTime],
  ['blocks of addresses', cidrBlock],
  ['addresses', canonicalAddress],
  ['selectors of fields', parseFieldSelector],
  ['selectors of labels', parseLabelSelector],
  ['paths in JSON', parseJsonPath],
  ['subdomains', names.dnsSubdomain],
  ['qualified names', names.qualifiedName],
  ['labels', names.labelValue],
  ['paths of domains', names.domainPrefixedPath],
  ['names of variables', names.envVarName],
  ['names of headers', names.headerName],
  ['percentages', names.percentText],
  ...FORMATS.map((name) => [`the format ${name}`, (text: string) => ruleOf(name)(text)] as const),
];

function ruleOf(name: string) {
  const rule = formatRule(name);
  if (rule === undefined) throw new Error(`there is no format ${name}`);
  return rule;
}

describe('Long texts are read at once', () => {
  it.each(READERS)('as %s', (_, read) => {
    const readAll = () => {
      for (const text of TEXTS)
        try {
          read(text);
        } catch (error) {
          // Texts that are refused, in words: nothing of the engine's.
          expect(error).not.toBeInstanceOf(TypeError);
        }
    };
    expect(cpuMs(readAll)).toBeLessThan(CEILING_MS);
  });
});
