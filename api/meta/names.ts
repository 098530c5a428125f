// Rules for names and keys: DNS labels and subdomains, qualified names, port names, ConfigMap keys.
// Each validator answers why a text is not valid, or undefined; wordings are those API clients know.

/** Answers why `value` is not valid, or undefined. */
export type NameRule = (value: string) => string | undefined;

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const DNS1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const HEADER = '[-A-Za-z0-9]+';
const PERCENT = '[0-9]+%';
const URL_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);

/** Longest DNS label. */
export const DNS_LABEL_MAX = 63;
/** Longest DNS subdomain. */
export const DNS_SUBDOMAIN_MAX = 253;

/** `must be no more than N bytes`. */
export const atMostBytes = (max: number): string => `must be no more than ${max} bytes`;

/** A rule's text with examples and its pattern. */
export function patternText(rule: string, pattern: string, ...examples: string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (${shown === '' ? '' : `e.g. ${shown}`}regex used for validation is '${pattern}')`;
}

function byPattern(pattern: string, text: string, max = Number.POSITIVE_INFINITY): NameRule {
  const test = whole(pattern);
  return (value) => {
    if (value.length > max) return atMostBytes(max);
    return test.test(value) ? undefined : text;
  };
}

/** RFC 1123 label: at most 63 of a-z, 0-9 and '-'. */
export const dnsLabel: NameRule = byPattern(
  LABEL,
  patternText(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
      'and must start and end with an alphanumeric character',
    LABEL,
    'my-name',
    '123-abc',
  ),
  DNS_LABEL_MAX,
);

/** RFC 1123 subdomain: labels joined by dots, at most 253 bytes. The rule of most names. */
export const dnsSubdomain: NameRule = byPattern(
  SUBDOMAIN,
  patternText(
    'a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, ' +
      "'-' or '.', and must start and end with an alphanumeric character",
    SUBDOMAIN,
    'example.com',
  ),
  DNS_SUBDOMAIN_MAX,
);

/** As dnsSubdomain, behind a `*.` that stands for the first label. */
export const wildcardSubdomain: NameRule = byPattern(
  `\\*\\.${SUBDOMAIN}`,
  patternText(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which " +
      "must consist of lower case alphanumeric characters, '-' or '.' and end with an " +
      'alphanumeric character',
    `\\*\\.${SUBDOMAIN}`,
    '*.example.com',
  ),
  DNS_SUBDOMAIN_MAX,
);

/** RFC 1035 label: as dnsLabel, but the first is a letter. The rule of Service names. */
export const dns1035Label: NameRule = byPattern(
  DNS1035,
  patternText(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with " +
      'an alphabetic character, and end with an alphanumeric character',
    DNS1035,
    'my-name',
    'abc-123',
  ),
  DNS_LABEL_MAX,
);

const qualifiedPart = patternText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
    'alphanumeric character',
  QUALIFIED,
  'MyName',
  'my.name',
  '123-abc',
);

/** Names that keep the rule, as they are remembered: objects have the same few keys again and again. */
const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_CHARS = 100;
const qualified = new Set<string>();

/** `[prefix/]name`, as label keys, annotation keys, finalizers and resource names are. */
export function qualifiedName(value: string): string | undefined {
  if (qualified.has(value)) return undefined;
  const why = unqualified(value);
  if (why === undefined && value.length <= MAX_REMEMBERED_CHARS) {
    if (qualified.size >= MAX_REMEMBERED) qualified.clear();
    qualified.add(value);
  }
  return why;
}

function unqualified(value: string): string | undefined {
  const parts = value.split('/');
  if (parts.length > 2) {
    return (
      `a qualified name ${qualifiedPart} with an optional DNS subdomain prefix and '/' ` +
      "(e.g. 'example.com/MyName')"
    );
  }
  const [prefix, name] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (prefix === '') return 'prefix part must be non-empty';
  const badPrefix = prefix === undefined ? undefined : dnsSubdomain(prefix);
  if (badPrefix) return `prefix part ${badPrefix}`;
  if (!name) return 'name part must be non-empty';
  if (name.length > DNS_LABEL_MAX) return `name part ${atMostBytes(DNS_LABEL_MAX)}`;
  return QUALIFIED_TEST.test(name) ? undefined : `name part ${qualifiedPart}`;
}
const QUALIFIED_TEST = whole(QUALIFIED);

/** The value of a label: empty, or at most 63 characters of a qualified name's kind. */
export const labelValue: NameRule = byPattern(
  `(${QUALIFIED})?`,
  patternText(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or " +
      "'.', and must start and end with an alphanumeric character",
    `(${QUALIFIED})?`,
    'MyValue',
    'my_value',
    '12345',
  ),
  DNS_LABEL_MAX,
);

/** A name that stands as one segment of a URL path, as those of RBAC kinds. */
export function pathSegmentName(value: string): string | undefined {
  if (value === '.' || value === '..') return `may not be '${value}'`;
  const bad = ['/', '%'].find((character) => value.includes(character));
  return bad === undefined ? undefined : `may not contain '${bad}'`;
}

/** A path under a domain, such as `example.com/controller`. */
export function domainPrefixedPath(value: string): string | undefined {
  const [, domain = '', path = ''] = /^([^/]*)\/(.*)$/s.exec(value) ?? [];
  if (domain === '' || path === '') {
    return 'must be a domain-prefixed path (such as "acme.io/foo")';
  }
  return dnsSubdomain(domain) ?? urlPath(path);
}
const urlPath: NameRule = byPattern(URL_PATH, patternText('Invalid path', URL_PATH));

/** Name of a container's port: RFC 6335 service name. */
export function portName(value: string): string | undefined {
  if (value.length > 15) return atMostBytes(15);
  if (!/^[-a-z0-9]+$/.test(value)) {
    return 'must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)';
  }
  if (!/[a-z]/.test(value)) return 'must contain at least one letter (a-z)';
  if (value.includes('--')) return 'must not contain consecutive hyphens';
  if (value.startsWith('-') || value.endsWith('-')) return 'must not begin or end with a hyphen';
  return undefined;
}

/** A port's number. */
export function portNumber(value: number): string | undefined {
  const fits = Number.isInteger(value) && value >= 1 && value <= 65535;
  return fits ? undefined : 'must be between 1 and 65535, inclusive';
}

/** Key of ConfigMaps and Secrets, and so a file name. */
export function configKey(value: string): string | undefined {
  if (value.length > DNS_SUBDOMAIN_MAX) return atMostBytes(DNS_SUBDOMAIN_MAX);
  if (!CONFIG_KEY_TEST.test(value)) return CONFIG_KEY_TEXT;
  if (value === '.' || value === '..') return `must not be '${value}'`;
  return value.startsWith('..') ? "must not start with '..'" : undefined;
}
const CONFIG_KEY_TEST = whole(CONFIG_KEY);
const CONFIG_KEY_TEXT = patternText(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  CONFIG_KEY,
  'key.name',
  'KEY_NAME',
  'key-name',
);

/** Name of an environment variable: printable ASCII without '='. */
export function envVarName(value: string): string | undefined {
  return /^[ -<>-~]+$/.test(value)
    ? undefined
    : "a valid environment variable name must consist only of printable ASCII characters other than '='";
}

/** Name of an HTTP header. */
export const headerName: NameRule = byPattern(
  HEADER,
  patternText(
    "a valid HTTP header must consist of alphanumeric characters or '-'",
    HEADER,
    'X-Header-Name',
  ),
);

/** A percentage such as `25%`. */
export const percentText: NameRule = byPattern(
  PERCENT,
  patternText(
    "a valid percent string must be a numeric string followed by an ending '%'",
    PERCENT,
    '1%',
    '93%',
  ),
);
