// A true transport whose watches come through lines that are mangled on the way: told twice, again later, or broken off in
// the middle.
// Invariant: what is not mangled passes unchanged; a broken line is met by the real decoder, not by an error made up here.
import type { WatchEventObject } from '../../api/wire/exchange.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { WatchLineDecoder } from '../../client/transport/watch-lines.ts';

/** What becomes of a batch of lines. */
export type Mangling = 'none' | 'twice' | 'late' | 'broken';

const MAX_LINE_BYTES = 1024 * 1024;

/** The transport, with `next` asked what becomes of each batch; `cut` says where a broken line ends, from 0 to 1. */
export function mangledLines(
  inner: Transport,
  next: () => Mangling,
  cut: () => number = () => 0.5,
): Transport {
  return {
    request: (request) => inner.request(request),
    async *watch(request) {
      const decoder = new WatchLineDecoder(MAX_LINE_BYTES);
      let before: readonly WatchEventObject[] = [];
      for await (const batch of inner.watch(request)) {
        const mangling = next();
        const late = before;
        before = batch;
        if (mangling === 'none') yield batch;
        else if (mangling === 'twice') yield [...batch, ...batch];
        else if (mangling === 'late') yield [...batch, ...late];
        else {
          const { events, error } = decoder.push(brokenOff(batch, cut()));
          if (events.length > 0) yield events;
          const failure = error ?? decoder.end();
          if (failure) throw failure;
        }
      }
    },
    stream: (request) => inner.stream(request),
    close: () => inner.close(),
  };
}

/** The batch as it goes on the wire, the last line cut within. */
function brokenOff(batch: readonly WatchEventObject[], at: number): Buffer {
  const lines = batch.map((event) => JSON.stringify(event));
  const last = lines.pop() ?? '';
  const end = 1 + Math.floor(at * (last.length - 2));
  return Buffer.from([...lines, last.slice(0, end)].join('\n'));
}
