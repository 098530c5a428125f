// Bytes that are there to stay, as stored values are: in slabs that hold nothing else.
// Invariant: no two values share a byte, and none is moved; a slab goes with the last value in it.

/** Longer values lie alone. */
export const SLAB_VALUE_BYTES = 16 * 1024;
const SLAB_BYTES = 64 * 1024;

let slab = Buffer.alloc(0);
let used = 0;

/**
 * The text in UTF-8. In Node's pool, where `Buffer.from` puts it, values lie among rows, bodies and keys of the moment, and keep
 * those in memory: 1.8 KB for each Pod. A buffer of its own for each value costs more to make, and to collect, than its text.
 */
export function keptBytes(text: string): Buffer {
  const size = Buffer.byteLength(text);
  if (size > SLAB_VALUE_BYTES) {
    const alone = Buffer.allocUnsafeSlow(size);
    alone.write(text);
    return alone;
  }
  if (size > slab.length - used) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
    used = 0;
  }
  const bytes = slab.subarray(used, used + size);
  used += size;
  bytes.write(text);
  return bytes;
}
