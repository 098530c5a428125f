// How an event lies on disk: a head of fixed size, the key, then the value's bytes (none for a delete, whose value
// is the previous one with another revision). Invariant: a row is readable on its own; its revision is its key.

/** First byte of every row; another one means a newer program wrote it. */
const FORMAT = 1;
const PUT = 0;
const DELETE = 1;
const HEAD_BYTES = 28;

/** A row, taken apart. */
export interface EventRow {
  readonly type: 'put' | 'delete';
  readonly key: string;
  /** Offset of the revision gap in `bytes`. */
  readonly revisionAt: number;
  /** Revision of the state that this write replaced; 0n for none. */
  readonly previousRevision: bigint;
  /** Bytes of all rows up to and with this one, ever written: differences measure history. */
  readonly total: number;
  readonly bytes: Uint8Array;
}

/** The bytes of a row. */
export function encodeRow(row: EventRow): Buffer {
  const keyBytes = Buffer.byteLength(row.key);
  const buffer = Buffer.allocUnsafe(HEAD_BYTES + keyBytes + row.bytes.length);
  buffer[0] = FORMAT;
  buffer[1] = row.type === 'put' ? PUT : DELETE;
  buffer.writeUInt32BE(keyBytes, 4);
  buffer.writeUInt32BE(row.revisionAt, 8);
  buffer.writeDoubleBE(Number(row.previousRevision), 12);
  buffer.writeDoubleBE(row.total, 20);
  buffer.fill(0, 2, 4);
  buffer.write(row.key, HEAD_BYTES);
  buffer.set(row.bytes, HEAD_BYTES + keyBytes);
  return buffer;
}

/** Takes a row apart; `bytes` is a view into it. Throws when a newer program wrote it. */
export function decodeRow(buffer: Buffer): EventRow {
  if (buffer[0] !== FORMAT) throw new Error(`unknown format ${buffer[0]} of a stored row`);
  const value = HEAD_BYTES + buffer.readUInt32BE(4);
  return {
    type: buffer[1] === DELETE ? 'delete' : 'put',
    key: buffer.toString('utf8', HEAD_BYTES, value),
    revisionAt: buffer.readUInt32BE(8),
    previousRevision: BigInt(buffer.readDoubleBE(12)),
    total: buffer.readDoubleBE(20),
    bytes: buffer.subarray(value),
  };
}

/** Size of a row with such a key and value. */
export function rowBytes(key: string, valueBytes: number): number {
  return HEAD_BYTES + Buffer.byteLength(key) + valueBytes;
}

/** The key of a row in the table of events: revisions in order. */
export function revisionKey(revision: bigint): Buffer {
  const key = Buffer.allocUnsafe(8);
  key.writeBigUInt64BE(revision);
  return key;
}

/** The key of a row in the index: keys in byte order, then revisions. A key has no NUL, so no key runs into another. */
export function indexKey(key: string, revision: bigint): Buffer {
  const bytes = Buffer.byteLength(key);
  const buffer = Buffer.allocUnsafe(bytes + 9);
  buffer.write(key, 0);
  buffer[bytes] = 0;
  buffer.writeBigUInt64BE(revision, bytes + 1);
  return buffer;
}

/** The inverse of indexKey. */
export function splitIndexKey(buffer: Buffer): { readonly key: string; readonly revision: bigint } {
  const end = buffer.length - 9;
  return { key: buffer.toString('utf8', 0, end), revision: buffer.readBigUInt64BE(end + 1) };
}
