// Which form of a document a client wants, by its Accept header.
// Invariant: without a header, or with a wildcard, it gets plain JSON.

/** One range of an Accept header, with its parameters. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Ranges looked at in one header; what comes after them is ignored. */
const MAX_RANGES = 32;

/** The ranges of an Accept header, most wanted first. */
export function parseAccept(header: string | undefined): MediaRange[] {
  const ranges = (header ?? '*/*').split(',').slice(0, MAX_RANGES).map(parseRange);
  return ranges
    .filter(({ parameters }) => weight(parameters['q']) > 0)
    .toSorted((a, b) => weight(b.parameters['q']) - weight(a.parameters['q']));
}

function parseRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  const pairs = rest.map((part) => {
    const [name = '', value = ''] = part.split('=', 2);
    return [name.trim().toLowerCase(), value.trim()] as const;
  });
  return { type: type.toLowerCase(), parameters: Object.fromEntries(pairs) };
}

function weight(q: string | undefined): number {
  if (q === undefined) return 1;
  const parsed = Number.parseFloat(q);
  return Number.isNaN(parsed) ? 0 : parsed;
}

/** Does the range take JSON? */
export function takesJson({ type }: MediaRange): boolean {
  return type === 'application/json' || type === 'application/*' || type === '*/*';
}
