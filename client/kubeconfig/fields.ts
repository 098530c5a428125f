// The fields of a kubeconfig's entries: texts, and PEM texts that stand in the file or in files beside it.
// Invariant: what cannot be used is refused with the entry's name, the field and what to do.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A kubeconfig that cannot be used; the message says why. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** An entry as it was read. */
export type Fields = Readonly<Record<string, unknown>>;

/** An entry, and where the files that it names are. */
export interface Part {
  readonly fields: Fields;
  readonly directory: string;
  readonly read: (path: string) => Promise<string>;
}

/** Standard base64, white space aside. */
const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/;

/** Reads a file whole. */
export const readText = (path: string): Promise<string> => readFile(path, 'utf8');
/** A name as it is shown in messages. */
export const quote = (text: string): string => JSON.stringify(text);

/** The text of a field; undefined where it is missing or empty. */
export function optionalText(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new KubeconfigError(`${field} is not a text`);
  return value;
}

/** The text of a field that has to be there. */
export function requiredText(fields: Fields, field: string, of: string): string {
  const value = optionalText(fields, field);
  if (value === undefined) throw new KubeconfigError(`${of} has no ${field}; add it`);
  return value;
}

/** A PEM text, from `<field>-data` (base64) or else the file that `<field>` names. */
export async function pem(part: Part, field: string, of: string): Promise<string | undefined> {
  const data = optionalText(part.fields, `${field}-data`);
  const path = optionalText(part.fields, field);
  if (data === undefined && path === undefined) return undefined;
  if (data !== undefined && !BASE64.test(data))
    throw new KubeconfigError(
      `${of}: ${field}-data is not base64; encode the PEM text, or name its file as ${field}`,
    );
  const text =
    data !== undefined
      ? Buffer.from(data, 'base64').toString('utf8')
      : await readPart(part, path as string, `${of}: ${field}`);
  if (!text.includes('-----BEGIN '))
    throw new KubeconfigError(
      `${of}: ${field}${data === undefined ? '' : '-data'} is not PEM; it has to hold a text that begins with -----BEGIN`,
    );
  return text;
}

/** The text of a file that an entry names, relative to the kubeconfig's folder. */
export async function readPart(part: Part, path: string, of: string): Promise<string> {
  try {
    return await part.read(resolve(part.directory, path));
  } catch (error) {
    throw new KubeconfigError(`${of}: ${(error as Error).message}`, { cause: error });
  }
}
