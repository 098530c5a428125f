// Named formats of texts: `format.dns1123Label().validate(name)` gives what is wrong, if anything is.
// Invariant: the rules are those that names of objects are held to (api/meta/names.ts) and formats of schemas.
import { table } from '../../../base/table.ts';
import {
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  labelValue,
  type NameRule,
  qualifiedName,
} from '../../meta/names.ts';
import { formatRule } from '../../schema/structural/formats.ts';
import { MATCHES } from '../costs.ts';
import { type CostModel, type Library, method, overload } from '../overload.ts';
import { type CelValue, NONE, OpaqueValue, Optional, PlainList } from '../values.ts';
import { isUrl } from './urls.ts';

class NamedFormat extends OpaqueValue {
  readonly typeName = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly rule: NameRule;

  constructor(name: string, rule: NameRule) {
    super();
    this.name = name;
    this.rule = rule;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

/** What a generated name begins with may end in a dash. */
function prefix(rule: NameRule): NameRule {
  return (value) =>
    rule(value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value);
}

function ofSchema(format: string, message: string): NameRule {
  const rule = formatRule(format);
  return (value) => (rule?.(value) === true ? undefined : message);
}

const RULES: Readonly<Record<string, NameRule>> = table({
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label,
  qualifiedName,
  dns1123LabelPrefix: prefix(dnsLabel),
  dns1123SubdomainPrefix: prefix(dnsSubdomain),
  dns1035LabelPrefix: prefix(dns1035Label),
  labelValue,
  uri: (value) => (isUrl(value) ? undefined : 'invalid URI for request'),
  uuid: ofSchema('uuid', 'does not match the UUID format'),
  byte: ofSchema('byte', 'invalid base64'),
  date: ofSchema('date', 'invalid date'),
  datetime: ofSchema('datetime', 'invalid datetime'),
});

const FORMATS = new Map(
  Object.entries(RULES).map(([name, rule]) => [name, new NamedFormat(name, rule)]),
);

function validated([format, text]: readonly CelValue[]): Optional {
  const why = (format as NamedFormat).rule(text as string);
  return why === undefined ? NONE : new Optional(new PlainList([why]));
}

/** The length of the patterns behind the rules, about. */
const PATTERN_LENGTH = 60;
const VALIDATES: CostModel = {
  cost: ([, text = 0]) => MATCHES.cost([text, PATTERN_LENGTH]),
  size: () => ({ min: 0, max: 1 }),
};

const F = 'kubernetes.NamedFormat';

export const NAMED_FORMATS: Library = [
  overload(`format.named(string): optional_type(${F})`, ([name]) => {
    const format = FORMATS.get(name as string);
    return format === undefined ? NONE : new Optional(format);
  }),
  ...[...FORMATS].map(([name, format]) => overload(`format.${name}(): ${F}`, () => format)),
  method(`validate(${F}, string): optional_type(list(string))`, validated, VALIDATES),
];
