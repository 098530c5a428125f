// What a server behind an APIService says of itself, read into a cache: its kinds, and how they look.
// Invariants: a reader never waits for the server, the last good answer is shown as Stale instead; each document has a limit of
// size and time, so that parsing one never holds the event loop for long; what did not change is not read twice.
import { createHash } from 'node:crypto';
import type { OpenApiV2Document } from '../../../api/schema/openapi-v2.ts';
import { openApiV3Of } from '../../../api/schema/openapi-v2-to-v3.ts';
import type { OpenApiV3Document } from '../../../api/schema/openapi-v3.ts';
import type { RemoteApiService } from './api-service-table.ts';
import { openApiV2Of } from './openapi-merge.ts';
import {
  DISCOVERY_ACCEPT,
  type DiscoveredResource,
  fromAggregated,
  fromResourceList,
} from './remote-discovery.ts';
import type { RemoteServers } from './remote-server.ts';

/** Bytes of one document of another server; parsing as much takes 20 ms. */
export const MAX_DOCUMENT_BYTES = 2 * 1024 * 1024;
/** How long a document may take, as upstream. */
export const DOCUMENT_TIMEOUT_MS = 5_000;

/** What is known of a server's kinds. */
export interface RemoteDocuments {
  readonly freshness: 'Current' | 'Stale';
  readonly resources: readonly DiscoveredResource[];
  /** Where its document of OpenAPI v3 is, as its own index has it; undefined where it has none. */
  readonly openApiV3Url: string | undefined;
  /** The part of its OpenAPI v2 document that is about the group and version. */
  readonly openApiV2: OpenApiV2Document | undefined;
  /** That part in v3, where it has no such document itself. */
  readonly openApiV3: OpenApiV3Document | undefined;
}

/** Of a server that nobody has heard of yet. */
export const UNKNOWN_DOCUMENTS: RemoteDocuments = {
  freshness: 'Stale',
  resources: [],
  openApiV3Url: undefined,
  openApiV2: undefined,
  openApiV3: undefined,
};

/** What ends a reading, and who is told of what cannot be had. */
export interface Reading {
  readonly signal: AbortSignal;
  readonly failed: (what: string, error: Error) => void;
}

interface Kept {
  readonly etag: string | undefined;
  readonly digest: string;
  readonly value: unknown;
}

/** Reads the documents of one APIService, again and again. */
export class DocumentReader {
  readonly #servers: RemoteServers;
  readonly #remote: RemoteApiService;
  /** What was made of each path's last answer. */
  readonly #kept = new Map<string, Kept>();
  #lastTurned: { readonly part: OpenApiV2Document; readonly v3: OpenApiV3Document } | undefined;

  constructor(servers: RemoteServers, remote: RemoteApiService) {
    this.#servers = servers;
    this.#remote = remote;
  }

  /** The kinds as they are now; those of `before`, Stale, where they cannot be had. Never rejects, but tells `failed` why. */
  async readKinds(before: RemoteDocuments, reading: Reading): Promise<RemoteDocuments> {
    const resources = await or(reading, undefined, {
      what: 'discovery',
      read: (signal) => this.#discover(signal),
    });
    return {
      ...before,
      freshness: resources ? 'Current' : 'Stale',
      resources: resources ?? before.resources,
    };
  }

  /** How the kinds look now; as in `before` where that cannot be had. As `readKinds` otherwise. */
  async readSchemas(before: RemoteDocuments, reading: Reading): Promise<RemoteDocuments> {
    const openApiV3Url = await or(reading, before.openApiV3Url, {
      what: 'OpenAPI v3',
      read: (signal) => this.#v3Url(signal),
    });
    const openApiV2 = await or(reading, before.openApiV2, {
      what: 'OpenAPI v2',
      read: (signal) => this.#v2(signal),
    });
    const openApiV3 = openApiV3Url === undefined ? this.#turned(openApiV2) : undefined;
    return { ...before, openApiV3Url, openApiV2, openApiV3 };
  }

  /** In v3; the same one again for the same part. */
  #turned(part: OpenApiV2Document | undefined): OpenApiV3Document | undefined {
    if (part !== this.#lastTurned?.part) this.#lastTurned = part && { part, v3: openApiV3Of(part) };
    return this.#lastTurned?.v3;
  }

  async #discover(signal: AbortSignal): Promise<readonly DiscoveredResource[]> {
    const { group, version } = this.#remote;
    const whole = await this.#document('/apis', DISCOVERY_ACCEPT, {
      signal,
      make: (answer) => fromAggregated(answer, { group, version }),
    });
    if (whole) return whole;
    const list = await this.#document(`/apis/${group}/${version}`, 'application/json', {
      signal,
      make: (answer) => fromResourceList(answer, { group, version }),
    });
    if (list) return list;
    throw new Error('the server does not list its resources');
  }

  /** Its own URL of the document where that is about the group and version, as it has the digest. */
  async #v3Url(signal: AbortSignal): Promise<string | undefined> {
    const { group, version } = this.#remote;
    const name = `apis/${group}/${version}`;
    return this.#document('/openapi/v3', 'application/json', {
      signal,
      make: (answer) => {
        const { paths } = answer as { paths?: Record<string, { serverRelativeURL?: unknown }> };
        const entry = paths?.[name];
        if (!entry) return undefined;
        const plain = `/openapi/v3/${name}`;
        const url = String(entry.serverRelativeURL);
        return url === plain || url.startsWith(`${plain}?`) ? url : plain;
      },
    });
  }

  #v2(signal: AbortSignal): Promise<OpenApiV2Document | undefined> {
    return this.#document('/openapi/v2', 'application/json', {
      signal,
      make: (answer) => openApiV2Of(answer, this.#remote),
    });
  }

  /** What `make` makes of an answer; undefined where the server has no such document. */
  async #document<T>(
    path: string,
    accept: string,
    { signal, make }: { signal: AbortSignal; make: (answer: unknown) => T | undefined },
  ): Promise<T | undefined> {
    const before = this.#kept.get(path);
    const document = await this.#servers.read(this.#remote, {
      path,
      accept,
      etag: before?.etag,
      maxBytes: MAX_DOCUMENT_BYTES,
      timeoutMs: DOCUMENT_TIMEOUT_MS,
      signal,
    });
    const { status, text, etag } = document;
    const digest = digestOf(text);
    if (before && (status === 304 || (status === 200 && digest === before.digest)))
      return before.value as T;
    if (status === 404 || status === 406) return undefined;
    if (status !== 200) throw new Error(`${path} was answered with ${status}`);
    const value = make(parsed(text, path));
    this.#kept.set(path, { etag, digest, value });
    return value;
  }
}

async function or<T>(
  { signal, failed }: Reading,
  before: T,
  { what, read }: { what: string; read: (signal: AbortSignal) => Promise<T> },
): Promise<T> {
  try {
    return await read(signal);
  } catch (error) {
    failed(what, error as Error);
    return before;
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64');

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error(`the answer to ${path} is not JSON`);
  }
}
