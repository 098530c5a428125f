// Calls of the API as any user, in process or over HTTPS, with what came back as plain values: for tests of the server's rules.
// Invariant: each server is a cluster of its own, and nothing is shared with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '../../apiserver/api-server.ts';
import type { ApiServerOptions } from '../../apiserver/options.ts';
import { openLmdbStorage } from '../../apiserver/storage/lmdb/lmdb-storage.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Method, WatchEventObject } from '../../api/wire/exchange.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';
import { type CallOptions, inProcess, type Opened, overHttps } from './api-connection.ts';

export type { CallOptions } from './api-connection.ts';

/** JSON of whatever shape: tests look into it with expect. */
export interface Json extends LooseObject {
  metadata: LooseObject['metadata'] & { continue?: string; remainingItemCount?: number };
  spec: Record<string, never>;
  status: Record<string, never>;
  items: Json[];
  code: number;
  reason: string;
  message: string;
}

/** An answer with its body parsed. */
export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly text: string;
  readonly json: Json;
}

/** A watch: its events one by one. */
export interface Watching {
  /** The next event; undefined once the watch has ended. */
  next(): Promise<WatchEventObject | undefined>;
  /** `TYPE name` of the next events. */
  take(count: number): Promise<string[]>;
  stop(): void;
}

/** A server to call. */
export interface ApiCaller {
  readonly storage: Storage;
  call(method: Method, path: string, options?: CallOptions): Promise<Called>;
  watch(path: string, options?: CallOptions): Promise<Watching>;
  close(): Promise<void>;
}

/** What the server stores into, how it is reached, and its clock. */
export interface ApiCallerOptions extends Partial<ApiServerOptions> {
  readonly backend?: 'memory' | 'lmdb';
  /** WebSocket: as HTTPS, but watches are WebSockets. */
  readonly transport?: 'in process' | 'HTTPS' | 'WebSocket';
  readonly clock?: Clock;
}

/** Starts a server and a way to it: what a contract of the API is run with. */
export type OpenCaller = (options?: ApiCallerOptions) => Promise<ApiCaller>;

/** Every transport over every storage: a contract of the API holds for each. */
export const EVERY_WAY = waysBy('in process', 'HTTPS');

/** Every way, and watches as WebSockets besides. */
export const EVERY_WAY_TO_WATCH = waysBy('in process', 'HTTPS', 'WebSocket');

function waysBy(...transports: readonly NonNullable<ApiCallerOptions['transport']>[]) {
  return transports.flatMap((transport) =>
    (['memory', 'lmdb'] as const).map((backend) => {
      const open: OpenCaller = (options = {}) => anApiCaller({ ...options, transport, backend });
      const way = transport === 'in process' ? transport : `over ${transport}`;
      return [`${way}, ${backend} storage`, open] as const;
    }),
  );
}

/** Starts a server. */
export async function anApiCaller(options: ApiCallerOptions = {}): Promise<ApiCaller> {
  const { backend = 'memory', transport, clock = systemClock, ...rest } = options;
  const directory = mkdtempSync(join(tmpdir(), 'api-caller-'));
  const history = { clock, logger: silentLogger };
  const storage =
    backend === 'lmdb'
      ? await openLmdbStorage({ ...history, directory: join(directory, 'store') })
      : createMemoryStorage(history);
  const server = await createApiServer({
    storage,
    clock,
    random: systemRandom,
    logger: silentLogger,
    serviceCidr: '10.96.0.0/16',
    ...rest,
  });
  const folder = join(directory, 'pki');
  const connection =
    transport === undefined || transport === 'in process'
      ? inProcess(server.handler)
      : await overHttps(server, { folder, webSockets: transport === 'WebSocket' });
  const gone = new AbortController();
  return {
    storage,
    call: async (method, path, call = {}) =>
      read(await connection.open({ method, path, call, signal: gone.signal })),
    watch: async (path, call = {}) => {
      const ending = new AbortController();
      const sending = {
        method: 'GET',
        path: withWatch(path),
        call,
        signal: ending.signal,
      } as const;
      const opened = await (connection.watch ?? connection.open)(sending);
      if (opened.status !== 200) throw new Error(`no watch: ${(await read(opened)).text}`);
      return watching(opened.chunks, ending);
    },
    async close() {
      gone.abort();
      connection.close();
      await server.close();
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const withWatch = (path: string) => `${path}${path.includes('?') ? '&' : '?'}watch=1`;

async function read({ status, headers, chunks }: Opened): Promise<Called> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const text = Buffer.concat(parts).toString();
  return {
    status,
    headers,
    text,
    get json() {
      return JSON.parse(text) as Json;
    },
  };
}

function watching(chunks: AsyncIterable<Uint8Array>, ending: AbortController): Watching {
  const events = eventsOf(chunks);
  const next = async () => {
    const { value, done } = await events.next();
    return done ? undefined : value;
  };
  return {
    next,
    async take(count) {
      const taken: string[] = [];
      while (taken.length < count) {
        const event = await next();
        if (!event) return [...taken, 'END'];
        taken.push(`${event.type} ${event.object.metadata?.name ?? ''}`.trim());
      }
      return taken;
    },
    stop: () => ending.abort(),
  };
}

/** Off the bytes, line by line, as a remote client reads them. */
async function* eventsOf(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEventObject, void> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as WatchEventObject;
  }
}
