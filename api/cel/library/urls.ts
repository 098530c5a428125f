// URLs and their parts, as Go's net/url reads those of requests: absolute, or an absolute path.
// Invariant: what is read is taken apart as it is written, never normalised; time linear in the text.
import { CelError } from '../cel-error.ts';
import { traversal, walks } from '../costs.ts';
import type { Meter } from '../meter.ts';
import { type CostModel, type Library, method, overload } from '../overload.ts';
import { type CelValue, OpaqueValue, PlainList, PlainMap } from '../values.ts';

interface Parts {
  readonly scheme: string;
  readonly host: string;
  /** As written. */
  readonly path: string;
  readonly query: string;
}

class Url extends OpaqueValue {
  readonly typeName = 'kubernetes.URL';
  readonly text: string;
  readonly parts: Parts;
  /** What was read out of the parts, by the function's name. */
  readonly #read = new Map<string, string>();

  constructor(text: string, parts: Parts) {
    super();
    this.text = text;
    this.parts = parts;
  }
  /** What `of` makes of the parts; made once, and paid for then. */
  part(name: string, of: (parts: Parts) => string, meter: Meter): string {
    let known = this.#read.get(name);
    if (known === undefined) {
      meter.work(traversal(this.text.length, READING));
      known = of(this.parts);
      this.#read.set(name, known);
    }
    return known;
  }
  equals(other: OpaqueValue): boolean {
    return other instanceof Url && other.text === this.text;
  }
}

/** What taking a part apart or writing it anew costs, in walks over the whole. */
const READING = 20;

const URL_SHAPE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?([^]*))?$/;
const CONTROL = /\p{Cc}/u;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const HOST = /^(?:\[[0-9a-fA-F:.%A-Za-z0-9]*\]|[^\s"<>\\^`{|}[\]:#]*)(?::\d*)?$/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;

function tryRead(text: string): Url | undefined {
  if (text === '' || CONTROL.test(text)) return undefined;
  const [, scheme, authority, path = '', query = ''] = URL_SHAPE.exec(text) ?? [];
  if (scheme === undefined) {
    // Without a scheme, two slashes at the beginning are a path.
    const whole = authority === undefined ? path : `//${authority}${path}`;
    if (!whole.startsWith('/') || BAD_ESCAPE.test(whole)) return undefined;
    return new Url(text, { scheme: '', host: '', path: whole, query });
  }
  const host = hostOf(authority ?? '');
  if (host === undefined || BAD_ESCAPE.test(path)) return undefined;
  // `mailto:a@b` has no path.
  const hasPath = authority !== undefined || path.startsWith('/');
  return new Url(text, { scheme: scheme.toLowerCase(), host, path: hasPath ? path : '', query });
}

/** The host of `user@host:port`, with its port; undefined where that is none. */
function hostOf(authority: string): string | undefined {
  const user = authority.lastIndexOf('@');
  const host = authority.slice(user + 1);
  if (!HOST.test(host) || BAD_ESCAPE.test(authority)) return undefined;
  return USER_INFO.test(authority.slice(0, Math.max(user, 0))) ? decoded(host) : undefined;
}

function decoded(text: string): string {
  return Buffer.from(
    text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    /%/.test(text) ? 'latin1' : 'utf8',
  ).toString('utf8');
}

/** Is it a URL, absolute or an absolute path? */
export function isUrl(text: string): boolean {
  return tryRead(text) !== undefined;
}

function read(text: CelValue | undefined): Url {
  const url = tryRead(text as string);
  if (url) return url;
  const shown = JSON.stringify((text as string).slice(0, 100));
  throw new CelError(
    `URL parse error during conversion from string: parse ${shown}: invalid URI for request`,
  );
}

const hostname = ({ host }: Parts): string => {
  const name = host.replace(/:\d*$/, '');
  return name.startsWith('[') ? name.slice(1, -1) : name;
};
const port = ({ host }: Parts): string => /:(\d*)$/.exec(host)?.[1] ?? '';

/** Signs that stand in paths as they are. */
const PLAIN_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu;

function escapedPath({ path }: Parts): string {
  return path.replaceAll(PLAIN_PATH, (sign) => encodeURIComponent(sign.toWellFormed()));
}

function queryOf({ query }: Parts): PlainMap {
  const lists = new Map<string, string[]>();
  for (const part of query.split('&')) {
    if (part === '' || part.includes(';') || BAD_ESCAPE.test(part)) continue;
    const cut = part.indexOf('=');
    const [key, value] = cut < 0 ? [part, ''] : [part.slice(0, cut), part.slice(cut + 1)];
    const name = formDecoded(key);
    const list = lists.get(name);
    if (list) list.push(formDecoded(value));
    else lists.set(name, [formDecoded(value)]);
  }
  const map = new PlainMap();
  for (const [name, values] of lists) map.add(name, new PlainList(values));
  return map;
}

const formDecoded = (text: string): string => decoded(text.replaceAll('+', ' '));

const U = 'kubernetes.URL';
const READS_QUERY: CostModel = {
  cost: () => 1,
  work: ([url]) => traversal((url as Url).parts.query.length, READING),
};

const part = (name: string, of: (parts: Parts) => string): Library => [
  method(`${name}(${U}): string`, ([url], meter) => (url as Url).part(name, of, meter)),
];

export const URLS: Library = [
  overload(`url(string): ${U}`, ([text]) => read(text), walks(0)),
  overload('isURL(string): bool', ([text]) => tryRead(text as string) !== undefined, {
    cost: () => 1,
    work: ([text]) => traversal((text as string).length),
  }),
  ...part('getScheme', ({ scheme }) => scheme),
  ...part('getHost', ({ host }) => host),
  ...part('getHostname', hostname),
  ...part('getPort', port),
  ...part('getEscapedPath', escapedPath),
  method(
    `getQuery(${U}): map(string, list(string))`,
    ([url]) => queryOf((url as Url).parts),
    READS_QUERY,
  ),
];
