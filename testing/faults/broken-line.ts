// What a reader makes of a watch's line that came broken: told by the decoder of the HTTPS transport itself.
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import { ConnectionError } from '../../client/transport/connection-error.ts';
import { WatchLineDecoder } from '../../client/transport/watch-lines.ts';

/** The error that ends the watch: `truncate` ends the body in the middle of the line, `garble` breaks the line itself. */
export function brokenLine(how: 'truncate' | 'garble', event: WatchEventObject): ConnectionError {
  const line = Buffer.from(JSON.stringify(event));
  const half = line.subarray(0, Math.ceil(line.length / 2));
  const decoder = new WatchLineDecoder(line.length);
  const ended = () => decoder.push(half).error ?? decoder.end();
  const broken = () => decoder.push(Buffer.concat([half.subarray(1), Buffer.from('\n')])).error;
  const error = how === 'truncate' ? ended() : broken();
  return error ?? new ConnectionError('malformed', 'the line came broken');
}
