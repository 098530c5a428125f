// Request bodies: JSON, YAML or protobuf bytes, or an object of a caller in this process, into a value.
// Invariant: nothing of a broken body is used; what is wrong with it is told in one line.
import { parseExactJson } from '../base/exact-json.ts';
import type { Request } from '../api/wire/exchange.ts';
import { PROTOBUF_TYPE, readProtobuf } from '../api/schema/protobuf.ts';
import { checkEntries } from '../api/schema/body-entries.ts';
import { scanJson } from '../api/schema/json-scan.ts';
import { duplicateFields } from '../api/schema/strict-json.ts';
import { badRequest, StatusError } from '../api/status.ts';
import { yamlBody } from './yaml-bodies.ts';

/** A body as a value, and the fields that it has twice. */
export interface ParsedBody {
  readonly value: unknown;
  /** Is the value JSON that was parsed for this alone? Whoever decodes it may use its parts. */
  readonly given?: boolean;
  /** To be asked before the value is decoded. */
  readonly duplicates: () => readonly string[];
}

const NONE = () => [];
/** Keeps nothing between calls; making one costs more than most bodies take to decode. */
const UTF8 = new TextDecoder();
/** Bodies that the API takes for objects. */
export const BODY_TYPES = ['application/json', 'application/yaml', PROTOBUF_TYPE];

/** The media type without parameters; JSON where none is named. */
export function mediaType(request: Pick<Request, 'headers'>): string {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  return type === '' ? 'application/json' : type;
}

/** Parses the body of a write. Throws BadRequest, UnsupportedMediaType, RequestEntityTooLarge. An absent body is undefined. */
export function parseBody(request: Request): ParsedBody {
  const { body } = request;
  if (body === undefined) return { value: undefined, duplicates: NONE };
  if (!(body instanceof Uint8Array)) return { value: body, duplicates: NONE };
  if (body.length === 0) return { value: undefined, duplicates: NONE };
  switch (mediaType(request)) {
    case 'application/json':
      return parseJson(body);
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return yamlBody(body);
    case PROTOBUF_TYPE: {
      const value = readProtobuf(body);
      checkEntries(value, body.length);
      return { value, duplicates: NONE };
    }
    default:
      throw unsupported(mediaType(request), BODY_TYPES);
  }
}

/** 415, naming what is taken. */
export function unsupported(type: string, known: readonly string[]): StatusError {
  return new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${known.join(', ')} (got ${type})`,
  );
}

/** Parses JSON bytes. Throws BadRequest, in words that begin with `what` they are, and RequestEntityTooLarge. */
export function parseJson(body: Uint8Array, what = 'the body'): ParsedBody {
  const text = UTF8.decode(body);
  const { members, doubtful } = scanJson(body);
  const value = parsed(text, doubtful, what);
  checkEntries(value, body.length);
  // Of a field that comes twice one member is left: most bodies need no search for them, which is many times slower.
  const duplicates = () => (membersOf(value) === members ? [] : duplicateFields(text));
  return { value, given: true, duplicates };
}

/** Members of all objects in a value. Not recursive: nesting is up to the client. */
function membersOf(value: unknown): number {
  const rest: unknown[] = [value];
  let members = 0;
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const parts = Object.values(one) as readonly unknown[];
    if (!Array.isArray(one)) members += parts.length;
    for (const part of parts) if (typeof part === 'object' && part !== null) rest.push(part);
  }
  return members;
}

function parsed(text: string, doubtful: boolean, what: string): unknown {
  try {
    return parseExactJson(text, doubtful);
  } catch (error) {
    throw badRequest(`${what} is not valid JSON: ${(error as Error).message}`);
  }
}
