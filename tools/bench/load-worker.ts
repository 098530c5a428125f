// A process that makes load: forked by load-fleet.ts, it does one order at a time and reports on it.
// Invariant: closed loop; each connection asks again only when its last answer is whole, so latency counts from the asking.
import { performance } from 'node:perf_hooks';
import { framed, HttpConnection } from './http-connection.ts';
import type { LoadOrder, LoadReport, WorkerMessage } from './load-order.ts';
import { fanOut } from './watch-readers.ts';

async function load(order: LoadOrder): Promise<LoadReport> {
  const connections = await Promise.all(
    Array.from({ length: order.clients }, () => HttpConnection.open(order.target)),
  );
  try {
    return await exchanges(order, connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Does `count` requests over the connections. */
async function exchanges(
  { request, first, step, count }: LoadOrder,
  connections: readonly HttpConnection[],
): Promise<LoadReport> {
  const latencies = new Float64Array(count);
  let next = 0;
  let bytes = 0;
  const client = async (connection: HttpConnection) => {
    while (next < count) {
      const nth = next++;
      const sent = requestOf(request, first + nth * step);
      const askedAt = performance.now();
      const length = await connection.exchange(sent, request.status);
      bytes += length;
      latencies[nth] = performance.now() - askedAt;
    }
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(connections.map(client));
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, bytes, latencies, cpuMs: (user + system) / 1000 };
}

/** `{i}` in path and body is the number of the request, `{o}` that of the object it is about. */
function requestOf({ method, path, body, type, objects }: LoadOrder['request'], i: number): Buffer {
  const numbered = (text: string) =>
    text.replaceAll('{i}', String(i)).replaceAll('{o}', String(i % objects));
  return framed(
    method,
    numbered(path),
    body === undefined ? undefined : { body: numbered(body), type },
  );
}

process.on('message', (order: WorkerMessage) => {
  const work = order.kind === 'load' ? load(order) : fanOut(order);
  work.then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
