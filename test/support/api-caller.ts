// Calls of the API in this process, as any user, with what came back as plain values: for tests of the server's rules.
// Invariant: each server is a cluster of its own; bodies pass through bytes, so that nothing is shared with the test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApiServer } from '../../apiserver/api-server.ts';
import type { ApiServerOptions } from '../../apiserver/options.ts';
import { openLmdbStorage } from '../../apiserver/storage/lmdb/lmdb-storage.ts';
import { createMemoryStorage } from '../../apiserver/storage/memory/memory-storage.ts';
import type { Storage } from '../../apiserver/storage/storage.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Method, Reply, UserInfo, WatchEventObject } from '../../api/wire/exchange.ts';
import { type Clock, systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { systemRandom } from '../../base/random.ts';

const ADMIN: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] };

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

/** What a call sends. */
export interface CallOptions {
  readonly body?: unknown;
  readonly type?: string;
  readonly accept?: string;
  readonly as?: string;
  /** The user agent: who owns what is written, unless the path says so. */
  readonly agent?: string;
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

/** What the server stores into, and its clock. */
export interface ApiCallerOptions extends Partial<ApiServerOptions> {
  readonly backend?: 'memory' | 'lmdb';
  readonly clock?: Clock;
}

/** Starts a server. */
export async function anApiCaller(options: ApiCallerOptions = {}): Promise<ApiCaller> {
  const { backend = 'memory', clock = systemClock, ...rest } = options;
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
  const gone = new AbortController();
  const send = (method: Method, path: string, sent: Sent) =>
    server.handler(requestOf(method, path, sent), userOf(sent.call.as));
  return {
    storage,
    call: async (method, path, call = {}) =>
      read(await send(method, path, { call, signal: gone.signal })),
    watch: async (path, call = {}) => {
      const ending = new AbortController();
      const reply = await send('GET', withWatch(path), { call, signal: ending.signal });
      if (reply.kind !== 'watch') throw new Error(`no watch: ${(await read(reply)).text}`);
      return watching(reply.frames, ending);
    },
    async close() {
      gone.abort();
      await server.close();
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function userOf(name: string | undefined): UserInfo {
  return name === undefined ? ADMIN : { username: name, groups: ['system:authenticated'] };
}

const withWatch = (path: string) => `${path}${path.includes('?') ? '&' : '?'}watch=1`;

interface Sent {
  readonly call: CallOptions;
  readonly signal: AbortSignal;
}

function requestOf(method: Method, path: string, { call, signal }: Sent) {
  const url = new URL(path, 'http://api');
  const { body, type = 'application/json', accept, agent } = call;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    method,
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: {
      ...(text === undefined ? {} : { 'content-type': type }),
      ...(accept && { accept }),
      ...(agent && { 'user-agent': agent }),
    },
    ...(text === undefined ? {} : { body: new Uint8Array(Buffer.from(text)) }),
    signal,
  };
}

async function read(reply: Reply): Promise<Called> {
  if (reply.kind !== 'body') throw new Error(`the answer is a ${reply.kind}`);
  const text = Buffer.concat(reply.body).toString();
  const { status, headers } = reply;
  return {
    status,
    headers,
    text,
    get json() {
      return JSON.parse(text) as Json;
    },
  };
}

function watching(
  frames: AsyncIterable<readonly { bytes: Uint8Array }[]>,
  ending: AbortController,
): Watching {
  const events = eventsOf(frames);
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

/** Off the bytes, as a remote client reads them. */
async function* eventsOf(
  frames: AsyncIterable<readonly { bytes: Uint8Array }[]>,
): AsyncGenerator<WatchEventObject, void> {
  for await (const batch of frames)
    for (const { bytes } of batch)
      yield JSON.parse(Buffer.from(bytes).toString()) as WatchEventObject;
}
