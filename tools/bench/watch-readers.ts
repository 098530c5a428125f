// Many watchers in one process: counts the events that each sees, and how old they are when they come.
// Invariant: an event carries the monotonic time from which its age counts (MARK), which all processes of a machine share. Of an event
// no more is read than that: neither HTTP's chunks nor JSON, so that the readers' processor is no part of the figure.
import { performance } from 'node:perf_hooks';
import type { TLSSocket } from 'node:tls';
import { framed, HttpConnection } from './http-connection.ts';
import type { FanOutOrder, LoadReport } from './load-order.ts';

/** Before the microseconds of the machine's monotonic clock in an event. */
export const MARK = '"written-at-us":"';
const MARK_BYTES = Buffer.from(MARK);
/** Connections opened at the same time; a thousand handshakes at once would time each other out. */
const OPENING = 50;

/** The machine's monotonic clock in microseconds. */
export const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n);

/** Opens the watches, says that it is ready, and resolves when each watcher has seen all events. */
export async function fanOut(order: FanOutOrder): Promise<LoadReport> {
  const sockets: TLSSocket[] = [];
  const request = framed('GET', order.path);
  while (sockets.length < order.watchers) {
    const batch = Math.min(OPENING, order.watchers - sockets.length);
    const opened = await Promise.all(
      Array.from({ length: batch }, () => HttpConnection.open(order.target)),
    );
    for (const connection of opened) {
      const socket = connection.release();
      sockets.push(socket);
      socket.write(request);
      await new Promise((resolve) => socket.once('data', resolve));
    }
  }
  process.send?.({ ready: true });
  try {
    return await read(sockets, order);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

async function read(sockets: readonly TLSSocket[], { events }: FanOutOrder): Promise<LoadReport> {
  const latencies = new Float64Array(sockets.length * events);
  let seen = 0;
  let bytes = 0;
  let startedAt = 0;
  const cpu = process.cpuUsage();
  await new Promise<void>((resolve, reject) => {
    for (const socket of sockets) {
      socket.on('close', () => reject(new Error('a watch ended early')));
      socket.on('data', (chunk: Buffer) => {
        startedAt ||= performance.now();
        const now = monotonicUs();
        bytes += chunk.length;
        for (let at = chunk.indexOf(MARK_BYTES); at >= 0; at = chunk.indexOf(MARK_BYTES, at)) {
          at += MARK_BYTES.length;
          latencies[seen++] =
            (now - Number(chunk.toString('latin1', at, chunk.indexOf('"', at)))) / 1000;
        }
        if (seen >= latencies.length) resolve();
      });
    }
  });
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - startedAt, bytes, latencies, cpuMs: (user + system) / 1000 };
}
