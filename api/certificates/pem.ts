// The outer form of PEM blocks: label, base64, and one whole DER sequence of three parts inside, as certificates and
// requests for them have. Invariant: pure; what lies deeper is not looked at.

/** Why base64 text is not PEM of that label, or undefined. Several blocks are fine where each is whole. */
export function pemFault(base64: string, label: string): string | undefined {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN ([^-]+)-----([^-]*)-----END \1-----/g)];
  const [first] = blocks;
  if (first === undefined || blocks.some(([, found]) => found !== label)) {
    return `PEM block type must be ${label}`;
  }
  const whole = blocks.every(([, , body = '']) => isSigned(Buffer.from(body, 'base64')));
  return whole ? undefined : 'asn1: structure error: not a signed sequence';
}

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const LONG_FORM = 0x80;

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** A sequence of what is signed, how, and the signature, with nothing behind it. */
function isSigned(der: Buffer): boolean {
  const outer = elementAt(der, 0);
  if (outer?.tag !== SEQUENCE || outer.end !== der.length) return false;
  let at = outer.start;
  for (const tag of [SEQUENCE, SEQUENCE, BIT_STRING]) {
    const part = elementAt(der, at);
    if (part?.tag !== tag) return false;
    at = part.end;
  }
  return at === outer.end;
}

/** The element that begins there; undefined when it does not fit into what there is. */
function elementAt(der: Buffer, at: number): Element | undefined {
  const [tag, first] = [der[at], der[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const bytes = first < LONG_FORM ? 0 : first - LONG_FORM;
  const start = at + 2 + bytes;
  if (bytes > 4 || start > der.length) return undefined;
  const length = bytes === 0 ? first : der.readUIntBE(at + 2, bytes);
  if (first === LONG_FORM || start + length > der.length) return undefined;
  return { tag, start, end: start + length };
}
