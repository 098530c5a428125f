// What ConfigMaps and Secrets share: keys that can be file names, a limit of 1 MiB, immutability.
// Pure; wordings are those API clients know.
import type { FieldError } from '../field-error.ts';
import { invalidValue, tooLong } from '../field-error.ts';
import { configKey } from '../meta/names.ts';

/** All values together, decoded, in bytes. */
export const DATA_LIMIT_BYTES = 1024 * 1024;

/** Why an immutable object's data may not change. */
export const IMMUTABLE_DATA = 'field is immutable when `immutable` is set';

/** Each key is one that a file can have. */
export function validateKeys(data: Readonly<Record<string, unknown>>, path: string): FieldError[] {
  return Object.keys(data).flatMap((key) => {
    const why = configKey(key);
    return why === undefined ? [] : [invalidValue(`${path}[${key}]`, key, why)];
  });
}

/** All values together keep the limit; `path` is '' where the object as a whole is meant. */
export function validateSize(
  data: { texts?: Readonly<Record<string, string>>; base64?: Readonly<Record<string, string>> },
  path: string,
): FieldError[] {
  let bytes = 0;
  for (const value of Object.values(data.texts ?? {})) bytes += Buffer.byteLength(value);
  for (const value of Object.values(data.base64 ?? {})) bytes += base64Bytes(value);
  return bytes > DATA_LIMIT_BYTES ? [tooLong(path, DATA_LIMIT_BYTES)] : [];
}

/** How many bytes a base64 text stands for. */
function base64Bytes(text: string): number {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.floor((text.length * 3) / 4) - padding;
}
