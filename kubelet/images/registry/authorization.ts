// Proves to a registry who asks: Basic, or Bearer tokens that its token server gives for a scope.
// Invariants: a password goes only to the registry itself and to the token server that it names, and never from TLS to plain HTTP;
// a token is used until it expires, and asked for once for each scope.
import type { Clock } from '../../../base/clock.ts';
import type { RegistryCredential } from '../../runtime/runtime.ts';
import { asRecord, parseRecord } from '../image-config.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { exchange, type Outgoing, readBody, type RegistryPatience } from './exchange.ts';
import { RegistryError } from './registry-error.ts';

/** A token holds at least this long where its server does not say, as the token specification has it. */
const DEFAULT_TOKEN_SECONDS = 60;
/** Used no more this long before it expires. */
const EXPIRY_MARGIN_MS = 5_000;
const MAX_TOKEN_REPLY_BYTES = 256 * 1024;
const CLIENT_ID = 'pinnace';

/** What authorization needs. */
export interface AuthorizationDoors {
  readonly clock: Clock;
  readonly patience: RegistryPatience;
  readonly agentFor: (url: URL) => Outgoing['agent'];
}

/** The header values for one registry and one credential. */
export class Authorization {
  readonly #doors: AuthorizationDoors;
  readonly #credential: RegistryCredential;
  readonly #tokens = new Map<string, { header: string; untilMs: number }>();
  #basic: string | undefined;

  constructor(doors: AuthorizationDoors, credential: RegistryCredential = {}) {
    this.#doors = doors;
    this.#credential = credential;
  }

  /** What to send without having been asked; undefined for nothing. */
  known(scope: string): string | undefined {
    const { registryToken } = this.#credential;
    if (registryToken !== undefined) return `Bearer ${registryToken}`;
    const token = this.#tokens.get(scope);
    if (token && token.untilMs > this.#doors.clock.monotonic()) return token.header;
    return this.#basic;
  }

  /** What to send after a 401 with this header, when this was sent before; undefined where nothing more can be said. */
  async answer(
    asked: { header: string; url: URL; scope: string; sent: string | undefined },
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    if (this.#credential.registryToken !== undefined) return undefined;
    const challenges = parseChallenges(asked.header);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) return this.#token(bearer, asked, signal);
    const { username, password } = this.#credential;
    const wantsBasic = challenges.some(({ scheme }) => scheme === 'basic');
    if (!wantsBasic || username === undefined) return undefined;
    this.#basic = basicOf(username, password);
    return asked.sent === this.#basic ? undefined : this.#basic;
  }

  async #token(
    { parameters }: Challenge,
    { url, scope }: { url: URL; scope: string },
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = URL.parse(parameters.get('realm') ?? '');
    if (!realm || !['http:', 'https:'].includes(realm.protocol))
      throw new RegistryError('refused', `${url.host}: it names no token server (realm)`);
    if (url.protocol === 'https:' && realm.protocol === 'http:')
      throw new RegistryError(
        'refused',
        `${url.host}: its token server ${realm.host} is without TLS`,
      );
    const fields = { service: parameters.get('service') ?? '', scope };
    const request = this.#tokenRequest(realm, fields);
    const reply = await exchange(
      { ...request, agent: this.#doors.agentFor(realm), signal },
      this.#doors,
    );
    const { clock, patience } = this.#doors;
    const limits = { clock, stallMs: patience.stallMs, maxBytes: MAX_TOKEN_REPLY_BYTES };
    const body = await readBody(reply, { ...limits, what: 'the reply of the token server' });
    if (reply.status === 401 || reply.status === 403 || reply.status === 400)
      throw new RegistryError('denied', `${realm.host}: it gives no token (${reply.status})`);
    if (reply.status !== 200)
      throw new RegistryError(
        'unavailable',
        `${realm.host}: the token server answers ${reply.status}`,
        {
          passing: reply.status >= 500 || reply.status === 429,
        },
      );
    return this.#keep(scope, realm.host, body);
  }

  /** A refresh token is posted (OAuth 2), anything else is asked for by GET. */
  #tokenRequest(
    realm: URL,
    { service, scope }: { service: string; scope: string },
  ): Pick<Outgoing, 'method' | 'url' | 'headers' | 'body'> {
    const { username, password, identityToken } = this.#credential;
    if (identityToken !== undefined) {
      const form = { grant_type: 'refresh_token', service, scope, client_id: CLIENT_ID };
      const text = new URLSearchParams({ ...form, refresh_token: identityToken }).toString();
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return { method: 'POST', url: realm, headers, body: Buffer.from(text) };
    }
    const url = new URL(realm);
    if (service !== '') url.searchParams.set('service', service);
    url.searchParams.set('scope', scope);
    if (username === undefined) return { method: 'GET', url, headers: {} };
    url.searchParams.set('account', username);
    return { method: 'GET', url, headers: { authorization: basicOf(username, password) } };
  }

  #keep(scope: string, host: string, body: Buffer): string {
    const reply = tokenReply(body);
    const token = reply?.['token'] ?? reply?.['access_token'];
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new RegistryError('refused', `${host}: the token server answers no token`);
    const told = reply?.['expires_in'];
    const seconds = typeof told === 'number' && told > 0 ? told : DEFAULT_TOKEN_SECONDS;
    const untilMs = this.#doors.clock.monotonic() + seconds * 1000 - EXPIRY_MARGIN_MS;
    const header = `Bearer ${token}`;
    this.#tokens.set(scope, { header, untilMs });
    return header;
  }
}

function tokenReply(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return asRecord(parseRecord(body.toString(), 'token'));
  } catch {
    return undefined;
  }
}

function basicOf(username: string, password = ''): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
