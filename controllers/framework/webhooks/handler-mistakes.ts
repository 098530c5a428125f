// Mistakes that authors of webhooks make, and what to do instead.
// Invariant: pure; what is no known mistake is told as it is.

/** What V8 says where a frozen value is written to. Its errors have no code to go by. */
const FROZEN =
  /read only property|object is not extensible|Cannot (delete|redefine|assign to read only) property/;

/** What to do instead, where the error is that of writing to what is frozen. */
export function mistakeIn(error: unknown): string | undefined {
  if (!(error instanceof TypeError) || !FROZEN.test(error.message)) return undefined;
  return `it changes the object it was given, which is frozen (${error.message}): return a changed copy, as { ...object, spec: { … } } or of structuredClone(object)`;
}

/** How a value that is no answer is named in a message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return `an object with ${fieldsOf(value)}`;
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  return `the ${typeof value} ${String(value as string | number).slice(0, MAX_SHOWN_CHARS)}`;
}

const MAX_SHOWN_CHARS = 40;
const MAX_SHOWN_FIELDS = 5;

function fieldsOf(value: object): string {
  const fields = Object.keys(value);
  if (fields.length === 0) return 'no fields';
  const more = fields.length > MAX_SHOWN_FIELDS ? ', …' : '';
  return `the fields ${fields.slice(0, MAX_SHOWN_FIELDS).join(', ')}${more}`.slice(0, 200);
}
