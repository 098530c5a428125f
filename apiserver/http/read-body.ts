// Reads the bodies of requests. Invariant: no more than the limit is held of any, and what is beyond it is refused as soon as that is known.
import type { IncomingMessage } from 'node:http';
import { StatusError } from '../../api/status.ts';

const BODILESS: readonly (string | undefined)[] = ['GET', 'HEAD'];
const NOTHING = Buffer.alloc(0);

/**
 * All of a request's body; undefined where there is none, and empty where a type is named though. Nobody else reads it. Rejects with
 * RequestEntityTooLarge, and with BadRequest where the body breaks off.
 */
export function readBody(
  message: IncomingMessage,
  limitBytes: number,
): Promise<Buffer> | Buffer | undefined {
  const { method, headers } = message;
  if (BODILESS.includes(method)) return undefined;
  const length = headers['content-length'] ?? '0';
  if (length === '0' && headers['transfer-encoding'] === undefined)
    return headers['content-type'] === undefined ? undefined : NOTHING;
  // It would never end.
  if (message.destroyed) return Promise.reject(new StatusError('BadRequest', 'aborted'));
  return Number(length) > limitBytes ? Promise.reject(tooLarge()) : collected(message, limitBytes);
}

function collected(message: IncomingMessage, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    message.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    message.on('end', () => {
      const [only = NOTHING] = chunks;
      resolve(chunks.length > 1 ? Buffer.concat(chunks, size) : only);
    });
    message.on('error', (cause) => reject(new StatusError('BadRequest', cause.message, { cause })));
  });
}

const tooLarge = () => new StatusError('RequestEntityTooLarge', 'the request body is too large');
