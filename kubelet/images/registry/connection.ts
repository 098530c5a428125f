// Speaks to one endpoint of a registry as one user: proves who asks when it is asked for, follows redirects, says what failed in words.
// Invariants: what proves who asks goes to the endpoint's own origin only, whatever it redirects to; a redirect never leaves TLS;
// redirects are followed a named number of times.
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Clock } from '../../../base/clock.ts';
import type { Random } from '../../../base/random.ts';
import type { RegistryCredential } from '../../runtime/runtime.ts';
import { Authorization } from './authorization.ts';
import {
  exchange,
  type Incoming,
  type Outgoing,
  readBody,
  type RegistryPatience,
} from './exchange.ts';
import { RegistryError } from './registry-error.ts';
import type { RegistryEndpoint } from './registry-settings.ts';
import { withRetries } from './retries.ts';

const MAX_REDIRECTS = 5;
const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** Connections to one host at once. */
const MAX_SOCKETS = 6;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = 'pinnace';

/** What a connection needs. */
export interface RegistryDoors {
  readonly clock: Clock;
  readonly random: Random;
  readonly patience: RegistryPatience;
}

/** A request to the endpoint. */
export interface RegistryRequest {
  readonly method: Outgoing['method'];
  /** Below `/v2/`, or a whole URL that the registry named. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Outgoing['body'];
  /** As token servers take it: `repository:library/busybox:pull`. */
  readonly scope: string;
  readonly signal?: AbortSignal | undefined;
}

/** One endpoint and one credential. Close it when done. */
export class RegistryConnection {
  readonly endpoint: RegistryEndpoint;
  readonly doors: RegistryDoors;
  readonly #base: URL;
  readonly #authorization: Authorization;
  readonly #agents: { http: HttpAgent; own: HttpsAgent; other: HttpsAgent };

  constructor(
    endpoint: RegistryEndpoint,
    credential: RegistryCredential | undefined,
    doors: RegistryDoors,
  ) {
    this.endpoint = endpoint;
    this.doors = doors;
    this.#base = new URL(`${endpoint.url.replace(/\/$/, '')}/v2/`);
    const keep = { keepAlive: true, maxSockets: MAX_SOCKETS };
    const trust = {
      ...(endpoint.ca !== undefined && { ca: endpoint.ca }),
      rejectUnauthorized: !endpoint.insecure,
    };
    const client = { cert: endpoint.clientCertificate, key: endpoint.clientKey };
    this.#agents = {
      http: new HttpAgent(keep),
      own: new HttpsAgent({ ...keep, ...trust, ...client }),
      other: new HttpsAgent({ ...keep, ...trust }),
    };
    const agentFor = (url: URL) => this.#agentFor(url);
    this.#authorization = new Authorization({ ...doors, agentFor }, credential);
  }

  /** The registry's host, as people know it. */
  get host(): string {
    return this.#base.host;
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  /** One request, authorized and redirected as it takes; tried once. The reply's status is the caller's to judge. */
  async send(request: RegistryRequest): Promise<Incoming> {
    const url = new URL(request.path, this.#base);
    if (this.endpoint.namespace !== undefined && typeof request.path === 'string')
      url.searchParams.set('ns', this.endpoint.namespace);
    const sent = this.#authorization.known(request.scope);
    const first = await this.#once(request, url, sent);
    if (first.status !== 401) return this.#follow(request, first);
    const header = first.header('www-authenticate') ?? '';
    first.body.resume();
    const asked = { header, url, scope: request.scope, sent };
    const proof = await this.#authorization.answer(asked, request.signal);
    if (proof === undefined) throw denied(this.host, 401);
    return this.#follow(request, await this.#once(request, url, proof));
  }

  /** A request that may be repeated, until it is answered with one of the statuses. Throws RegistryError for any other. */
  ask(request: RegistryRequest, expected: readonly number[]): Promise<Incoming> {
    return withRetries(this.doors, request.signal, async () => {
      const reply = await this.send(request);
      if (expected.includes(reply.status)) return reply;
      throw await this.failureOf(reply);
    });
  }

  /** What an unwanted reply means. Reads its body. */
  async failureOf(reply: Incoming): Promise<RegistryError> {
    const { status } = reply;
    const words = await this.#wordsOf(reply);
    const said = words === '' ? `${status}` : `${status}: ${words}`;
    const host = reply.url.host;
    if (status === 401 || status === 403) return denied(host, status, words);
    if (status === 404) return new RegistryError('missing', `${host} does not have it (${said})`);
    if (status === 429)
      return new RegistryError('unavailable', `${host} asks for fewer requests (${said})`, {
        passing: true,
        retryAfterMs: retryAfterMs(reply, this.doors.clock),
      });
    const passing = status >= 500;
    const failure = passing ? 'unavailable' : 'refused';
    return new RegistryError(failure, `${host} answers ${said}`, { passing });
  }

  async #wordsOf(reply: Incoming): Promise<string> {
    const { clock, patience } = this.doors;
    const limits = { clock, stallMs: patience.stallMs, maxBytes: MAX_ERROR_BODY_BYTES };
    const body = await readBody(reply, { ...limits, what: 'its error' }).catch(() => undefined);
    return body ? errorWords(body.toString()) : '';
  }

  #once(request: RegistryRequest, url: URL, authorization: string | undefined): Promise<Incoming> {
    const headers: Record<string, string> = { 'user-agent': USER_AGENT, ...request.headers };
    if (authorization !== undefined && url.origin === this.#base.origin)
      headers['authorization'] = authorization;
    const { method, body, signal } = request;
    return exchange({ method, url, headers, body, signal, agent: this.#agentFor(url) }, this.doors);
  }

  async #follow(request: RegistryRequest, first: Incoming): Promise<Incoming> {
    let reply = first;
    if (!['GET', 'HEAD'].includes(request.method)) return reply;
    for (let hops = 0; REDIRECTS.has(reply.status); hops++) {
      const { host, protocol } = reply.url;
      const location = URL.parse(reply.header('location') ?? '', reply.url.href);
      reply.body.resume();
      if (hops >= MAX_REDIRECTS)
        throw new RegistryError(
          'refused',
          `${host}: it redirects more than ${MAX_REDIRECTS} times`,
        );
      if (!location || !['http:', 'https:'].includes(location.protocol))
        throw new RegistryError('refused', `${host}: it redirects to no URL`);
      if (protocol === 'https:' && location.protocol === 'http:' && !this.endpoint.insecure)
        throw new RegistryError('refused', `${host}: it redirects to ${location.host} without TLS`);
      reply = await this.#once(request, location, this.#authorization.known(request.scope));
    }
    return reply;
  }

  #agentFor(url: URL): Outgoing['agent'] {
    if (url.protocol === 'http:') return this.#agents.http;
    return url.origin === this.#base.origin ? this.#agents.own : this.#agents.other;
  }
}

function denied(host: string, status: number, words = ''): RegistryError {
  const said = words === '' ? '' : `: ${words}`;
  return new RegistryError(
    'denied',
    `${host}: authentication failed or access is denied (${status}${said})`,
  );
}

/** Seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(reply: Incoming, clock: Clock): number | undefined {
  const told = reply.header('retry-after');
  if (told === undefined) return undefined;
  if (/^\d{1,9}$/.test(told)) return Number(told) * 1000;
  const date = Date.parse(told);
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now());
}

/** The first error of the distribution specification's list, as one short line. */
function errorWords(body: string): string {
  let first: { code?: unknown; message?: unknown } | undefined;
  try {
    const { errors } = JSON.parse(body) as { errors?: { code?: unknown; message?: unknown }[] };
    first = Array.isArray(errors) ? errors[0] : undefined;
  } catch {
    return '';
  }
  const text = typeof first?.message === 'string' ? first.message : first?.code;
  // What a stranger says goes into events: one line, no control characters.
  return typeof text === 'string' ? text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 200) : '';
}
