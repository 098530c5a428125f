// The wire format of protobuf: varints and lengths. Knows nothing of messages.
// Invariant: never reads past the end of its bytes; malformed input throws, whatever it is.

/** Input that is no protobuf. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One field as it stands on the wire: a number, or the bytes of a text, message or packed list. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** The fields of a message in wire order. Fixed-width fields come as their raw bytes. */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const cursor = { bytes, at: 0 };
  while (cursor.at < bytes.length) {
    const tag = Number(readVarint(cursor));
    const number = Math.floor(tag / 8);
    if (number < 1 || number > 2 ** 29 - 1) throw new ProtobufError('a field number out of range');
    yield { number, value: readValue(cursor, tag % 8) };
  }
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readValue(cursor: Cursor, wireType: number): bigint | Uint8Array {
  switch (wireType) {
    case 0:
      return readVarint(cursor);
    case 1:
      return take(cursor, 8);
    case 2:
      return take(cursor, Number(readVarint(cursor)));
    case 5:
      return take(cursor, 4);
    default:
      throw new ProtobufError(`unknown wire type ${wireType}`);
  }
}

function readVarint(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw new ProtobufError('unexpected end');
    cursor.at += 1;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asUintN(64, value);
  }
  throw new ProtobufError('a number of more than 64 bits');
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw new ProtobufError('unexpected end');
  const taken = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return taken;
}
