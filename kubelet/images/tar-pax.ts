// Records of a pax extended header: `LENGTH KEY=VALUE\n`. Pure.
// Invariant: a record that lies about its length is refused, so that no reader after this one sees other records.
import { BadImageError } from './image-config.ts';

/** What of the records changes a member's name, target or size. */
export interface PaxRecords {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  /** Of sparse files: the real name, and the size with its holes. */
  readonly sparsePath?: string;
  readonly realSize?: number;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;
/** Digits of a record's length. */
const MAX_LENGTH_DIGITS = 8;

/** Reads the records; throws BadImageError when they are malformed. */
export function parsePax(content: Buffer): PaxRecords {
  let records: PaxRecords = {};
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(SPACE, at);
    const length = content.toString('latin1', at, space === -1 ? at : space);
    const end = at + Number(length);
    const wellFormed =
      /^[1-9]\d*$/.test(length) &&
      length.length <= MAX_LENGTH_DIGITS &&
      end <= content.length &&
      end > space + 1 &&
      content[end - 1] === NEWLINE;
    const equals = wellFormed ? content.indexOf('=', space) : -1;
    if (!wellFormed || equals === -1 || equals >= end)
      throw new BadImageError('the tar has a malformed extended header');
    const key = content.toString('utf8', space + 1, equals);
    records = { ...records, ...recordOf(key, content.toString('utf8', equals + 1, end - 1)) };
    at = end;
  }
  return records;
}

function recordOf(key: string, value: string): PaxRecords {
  switch (key) {
    case 'path':
      return { path: value };
    case 'linkpath':
      return { linkpath: value };
    case 'size':
      return { size: sizeOf(value) };
    case 'GNU.sparse.name':
      return { sparsePath: value };
    case 'GNU.sparse.realsize':
    case 'GNU.sparse.size':
      return { realSize: sizeOf(value) };
    default:
      return {};
  }
}

function sizeOf(value: string): number {
  const size = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(size))
    throw new BadImageError('the tar has an extended header with a wrong size');
  return size;
}
