// Links of what is behind a proxy, made to lead through the proxy: redirects, and attributes of HTML on its way.
// Invariants: a link to anywhere else stays as it is; a page is never held, only one tag at a time, up to MAX_TAG_CHARS.
import { table } from '../../base/table.ts';

/** A tag longer than this goes on as it is. */
export const MAX_TAG_CHARS = 64 * 1024;

/** Where a proxied page lives. */
export interface ProxiedRoot {
  /** The path that its root has on this server, without a slash at the end. */
  readonly prefix: string;
  /** `host` and `host:port` by which it may name itself. */
  readonly hosts: ReadonlySet<string>;
}

const LINK = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)([^]*)$/i;

/** The link as the caller must follow it. */
export function proxiedLink(link: string, { prefix, hosts }: ProxiedRoot): string {
  const [, scheme, host, path = '', rest = ''] = LINK.exec(link) ?? [];
  const other = host !== undefined && host !== '' && !hosts.has(host.toLowerCase());
  const schemeless = scheme !== undefined && host === undefined;
  if (other || schemeless || !path.startsWith('/')) return link;
  if (path === prefix || path.startsWith(`${prefix}/`)) return path + rest;
  return prefix + path + rest;
}

/** Attributes with links, by element (HTML Living Standard, and upstream's list of older ones). */
const LINKS: Readonly<Record<string, readonly string[]>> = table({
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
});
/** Elements whose text is no markup. */
const RAW_TEXT = new Set(['script', 'style', 'textarea', 'title']);
const COMMENT_END = '-->';
const ATTRIBUTE = /([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;

/** Rewrites a page as it passes, piece by piece. Bytes outside of links are not touched, whatever the encoding of the text. */
export class LinkRewriter {
  readonly #root: ProxiedRoot;
  /** What the text up to #scanned of #held is part of; `until` ends text that is no markup. */
  #until: string | undefined;
  #held = '';
  #scanned = 0;
  #quote = '';

  constructor(root: ProxiedRoot) {
    this.#root = root;
  }

  /** Takes a piece (each character a byte) and answers what is ready. */
  push(piece: string): string {
    this.#held += piece;
    const ready: string[] = [];
    for (let part = this.#next(); part !== undefined; part = this.#next()) ready.push(part);
    return ready.join('');
  }

  /** What is left when the page has ended. */
  end(): string {
    const left = this.#held;
    this.#held = '';
    return left;
  }

  /** The next part that is ready, taken off what is held; undefined when more must come first. */
  #next(): string | undefined {
    if (this.#held === '') return undefined;
    if (this.#until !== undefined) return this.#rawText(this.#until);
    if (!this.#held.startsWith('<')) {
      const tag = this.#held.indexOf('<');
      return this.#take(tag < 0 ? this.#held.length : tag);
    }
    if (this.#held.length < '<!--'.length && '<!--'.startsWith(this.#held)) return undefined;
    if (this.#held.startsWith('<!--')) {
      this.#until = COMMENT_END;
      return this.#take('<!--'.length);
    }
    return /^<[a-z]/i.test(this.#held) ? this.#tag() : this.#take(1);
  }

  /** Text up to its end, which may be cut by the pieces. */
  #rawText(until: string): string | undefined {
    const at = this.#held.toLowerCase().indexOf(until);
    if (at < 0) {
      const sure = this.#held.length - until.length + 1;
      return sure > 0 ? this.#take(sure) : undefined;
    }
    this.#until = undefined;
    return this.#take(until === COMMENT_END ? at + until.length : at);
  }

  /** A whole tag, its links rewritten. */
  #tag(): string | undefined {
    const end = this.#tagEnd();
    if (end < 0 && this.#held.length <= MAX_TAG_CHARS) return undefined;
    const tag = this.#take(end < 0 ? this.#held.length : end + 1);
    if (end < 0 || tag.length > MAX_TAG_CHARS) return tag;
    const name = (/^<([a-z][^\s/>]*)/i.exec(tag)?.[1] ?? '').toLowerCase();
    if (RAW_TEXT.has(name) && !tag.endsWith('/>')) this.#until = `</${name}`;
    const wanted = LINKS[name];
    return wanted ? this.#rewritten(tag, wanted) : tag;
  }

  /** The place of the tag's own `>`; -1 while it has not come. Each character is looked at once. */
  #tagEnd(): number {
    for (; this.#scanned < this.#held.length; this.#scanned++) {
      const char = this.#held[this.#scanned] ?? '';
      if (this.#quote !== '') {
        if (char === this.#quote) this.#quote = '';
      } else if (char === '"' || char === "'") this.#quote = char;
      else if (char === '>') return this.#scanned;
    }
    return -1;
  }

  #rewritten(tag: string, wanted: readonly string[]): string {
    return tag.replace(
      ATTRIBUTE,
      (...[whole = '', name = '', equals = '', value = '']: string[]) => {
        if (!wanted.includes(name.toLowerCase())) return whole;
        const quote = /^["']/.exec(value)?.[0] ?? '';
        const link = quote === '' ? value : value.slice(1, -1);
        return `${name}${equals}${quote}${proxiedLink(link.trim(), this.#root)}${quote}`;
      },
    );
  }

  #take(length: number): string {
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#scanned = 0;
    this.#quote = '';
    return taken;
  }
}

/** A page with its links rewritten, as it comes. */
export async function* rewrittenPage(
  page: AsyncIterable<Uint8Array>,
  root: ProxiedRoot,
): AsyncGenerator<Uint8Array> {
  const rewriter = new LinkRewriter(root);
  for await (const chunk of page) {
    const ready = rewriter.push(Buffer.from(chunk).toString('latin1'));
    if (ready !== '') yield Buffer.from(ready, 'latin1');
  }
  const left = rewriter.end();
  if (left !== '') yield Buffer.from(left, 'latin1');
}
