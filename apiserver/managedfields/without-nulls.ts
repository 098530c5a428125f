// What an apply leaves out by saying null, taken out of a value.
// Invariant: pure; the value is never changed, shares its parts with what comes of it, and costs one pass however deep it is.
import { setOwn } from '../../api/schema/decode.ts';

/** The value without nulls, the same where it has none: each part is looked at once. Nulls in lists keep their places. */
export function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const parts = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const key in parts) {
    const part = parts[key];
    const rest = withoutNulls(part);
    const isLeftOut = (rest === null || rest === undefined) && !Array.isArray(value);
    if (rest === part && !isLeftOut) continue;
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<
      string,
      unknown
    >;
    if (isLeftOut) delete copy[key];
    else setOwn(copy, key, rest);
  }
  return copy ?? value;
}
