// The settings of registries (registries.json): for each registry its mirrors, how it is trusted, and who asks; and limits of images.
// The form is told in docs/guide/images.md. Invariant: a file is taken wholly or not at all: an unknown field, a wrong value or a file
// that cannot be read is refused with the place where it stands.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RegistryCredential } from '../../runtime/runtime.ts';
import { UNPACK_LIMITS, type UnpackLimits } from '../limits.ts';

/** Where a registry, or a mirror of it, is asked. */
export interface RegistryEndpoint {
  /** `https://host[:port][/path]`; `/v2/` follows. */
  readonly url: string;
  /** PEM of the authorities that are trusted instead of the host's. */
  readonly ca?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Its certificate is not checked. */
  readonly insecure: boolean;
  readonly credential?: RegistryCredential;
  /** Of a mirror: the registry that it stands in for. */
  readonly namespace?: string;
}

/** What holds for registries. */
export interface RegistrySettings {
  /** In the order in which they are asked, the registry itself last; empty where nothing may be asked. */
  endpointsOf(registry: string): readonly RegistryEndpoint[];
  /** Where images of the registry are pushed to; undefined where that is not allowed. */
  originOf(registry: string): RegistryEndpoint | undefined;
  readonly limits: Partial<UnpackLimits>;
  /** What they were read from, for another process to read them again; undefined for the defaults. */
  readonly source: SettingsSource | undefined;
}

/** A text of settings, and the file that it stands in. */
export interface SettingsSource {
  readonly text: string;
  readonly file: string;
}

/** Settings that are wrong; the message names the file and the place in it. */
export class RegistrySettingsError extends Error {
  override readonly name = 'RegistrySettingsError';
}

interface RegistryEntry {
  readonly mirrors: readonly RegistryEndpoint[];
  /** Whether the registry itself is asked, and how. */
  readonly origin: boolean;
  readonly plainHttp: boolean | undefined;
  readonly trust: Omit<RegistryEndpoint, 'url' | 'namespace'>;
}

const TRUST_FIELDS = ['ca', 'clientCertificate', 'clientKey', 'insecure', 'credentials'] as const;
const ENTRY_FIELDS = ['mirrors', 'origin', 'plainHttp', ...TRUST_FIELDS];
const CREDENTIAL_FIELDS = ['username', 'password', 'identityToken', 'registryToken'] as const;
const ANY_REGISTRY = '*';
const HOST = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d{1,5})?$/;
const LOOPBACK = /^(localhost|127(\.\d+){3})(:\d+)?$/;
/** Where docker.io is served. */
const DOCKER_HUB = 'registry-1.docker.io';

/** Every registry is asked itself, as upstream's runtimes do: over TLS, but on this host's loopback. */
export const DEFAULT_SETTINGS: RegistrySettings = settingsOf(new Map(), {
  limits: {},
  source: undefined,
});

/** Reads a file of settings. Throws RegistrySettingsError. */
export function readRegistrySettings(file: string): RegistrySettings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RegistrySettingsError(`${file} cannot be read: ${(error as Error).message}`);
  }
  return parseRegistrySettings(text, file);
}

/** Reads settings; files that they name are relative to `file`. Throws RegistrySettingsError. */
export function parseRegistrySettings(text: string, file: string): RegistrySettings {
  const read = new SettingsReader(file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw read.wrong('it', `is not JSON (${(error as Error).message})`);
  }
  const root = read.object('it', value, ['registries', 'limits']);
  const entries = new Map<string, RegistryEntry>();
  const registries = read.object('registries', root['registries'] ?? {});
  for (const [name, entry] of Object.entries(registries)) {
    if (name !== ANY_REGISTRY && !HOST.test(name))
      throw read.wrong(`registries["${name}"]`, 'must be named by a host, host:port, or *');
    entries.set(name, read.entry(`registries["${name}"]`, entry, name));
  }
  const limits = read.limits(root['limits'] ?? {});
  return settingsOf(entries, { limits, source: { text, file } });
}

function settingsOf(
  entries: ReadonlyMap<string, RegistryEntry>,
  more: Pick<RegistrySettings, 'limits' | 'source'>,
): RegistrySettings {
  const entryOf = (registry: string) => entries.get(registry) ?? entries.get(ANY_REGISTRY);
  const originOf = (registry: string): RegistryEndpoint | undefined => {
    const entry = entryOf(registry);
    if (entry && !entry.origin) return undefined;
    const trust = entry?.trust ?? { insecure: false };
    const secured =
      trust.ca !== undefined || trust.clientCertificate !== undefined || trust.insecure;
    const plain = entry?.plainHttp ?? (LOOPBACK.test(registry) && !secured);
    const host = registry === 'docker.io' ? DOCKER_HUB : registry;
    return { ...trust, url: `${plain ? 'http' : 'https'}://${host}` };
  };
  return {
    ...more,
    originOf,
    endpointsOf: (registry) => {
      const origin = originOf(registry);
      const mirrors = entryOf(registry)?.mirrors ?? [];
      const standIns = mirrors.map((mirror) => ({ ...mirror, namespace: registry }));
      return origin ? [...standIns, origin] : standIns;
    },
  };
}

/** Checks values and says where a wrong one stands. */
class SettingsReader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  wrong(place: string, why: string): RegistrySettingsError {
    return new RegistrySettingsError(`${this.#file}: ${place} ${why}`);
  }

  object(
    place: string,
    value: unknown,
    fields?: readonly string[],
  ): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.wrong(place, 'must be an object');
    const unknown = fields && Object.keys(value).find((name) => !fields.includes(name));
    if (unknown !== undefined)
      throw this.wrong(`${place}.${unknown}`, `is no field; there are ${fields?.join(', ')}`);
    return value as Record<string, unknown>;
  }

  entry(place: string, value: unknown, registry: string): RegistryEntry {
    const raw = this.object(place, value, ENTRY_FIELDS);
    const mirrors = raw['mirrors'] ?? [];
    if (!Array.isArray(mirrors)) throw this.wrong(`${place}.mirrors`, 'must be a list');
    const plainHttp = this.#flag(`${place}.plainHttp`, raw['plainHttp']);
    if (plainHttp && registry === ANY_REGISTRY)
      throw this.wrong(`${place}.plainHttp`, 'must be said of each registry by name');
    return {
      mirrors: mirrors.map((mirror: unknown, i) => this.#mirror(`${place}.mirrors[${i}]`, mirror)),
      origin: this.#flag(`${place}.origin`, raw['origin']) ?? true,
      plainHttp,
      trust: this.#trust(place, raw),
    };
  }

  limits(value: unknown): Partial<UnpackLimits> {
    const raw = this.object('limits', value, Object.keys(UNPACK_LIMITS));
    for (const [name, limit] of Object.entries(raw))
      if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0)
        throw this.wrong(`limits.${name}`, 'must be a whole number from 0');
    return raw as Partial<UnpackLimits>;
  }

  #mirror(place: string, value: unknown): RegistryEndpoint {
    const raw =
      typeof value === 'string'
        ? { url: value }
        : this.object(place, value, ['url', ...TRUST_FIELDS]);
    const url = URL.parse(this.#text(`${place}.url`, raw['url']) ?? '');
    if (!url || !['http:', 'https:'].includes(url.protocol) || url.search + url.hash !== '')
      throw this.wrong(`${place}.url`, 'must be a URL: https://host[:port][/path] or http://…');
    if (url.username + url.password !== '')
      throw this.wrong(`${place}.url`, 'must not hold a password; use credentials');
    return { ...this.#trust(place, raw), url: url.href.replace(/\/+$/, '') };
  }

  #trust(place: string, raw: Readonly<Record<string, unknown>>): RegistryEntry['trust'] {
    const pem = (name: 'ca' | 'clientCertificate' | 'clientKey') => {
      const path = this.#text(`${place}.${name}`, raw[name]);
      return path === undefined ? {} : { [name]: this.#pem(`${place}.${name}`, path) };
    };
    if ((raw['clientKey'] === undefined) !== (raw['clientCertificate'] === undefined))
      throw this.wrong(place, 'must have both clientCertificate and clientKey, or none');
    const insecure = this.#flag(`${place}.insecure`, raw['insecure']) ?? false;
    const credential = this.#credential(`${place}.credentials`, raw['credentials']);
    return {
      ...pem('ca'),
      ...pem('clientCertificate'),
      ...pem('clientKey'),
      insecure,
      ...(credential && { credential }),
    };
  }

  #credential(place: string, value: unknown): RegistryCredential | undefined {
    if (value === undefined) return undefined;
    const raw = this.object(place, value, CREDENTIAL_FIELDS);
    for (const name of CREDENTIAL_FIELDS) this.#text(`${place}.${name}`, raw[name]);
    if ((raw['username'] === undefined) !== (raw['password'] === undefined))
      throw this.wrong(place, 'must have both username and password, or none');
    return raw as RegistryCredential;
  }

  #pem(place: string, path: string): string {
    let text: string;
    try {
      text = readFileSync(resolve(dirname(this.#file), path), 'utf8');
    } catch (error) {
      throw this.wrong(place, `names a file that cannot be read: ${(error as Error).message}`);
    }
    if (!text.includes('-----BEGIN '))
      throw this.wrong(place, `names ${path}, which is no PEM file`);
    return text;
  }

  #text(place: string, value: unknown): string | undefined {
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    throw this.wrong(place, 'must be a text');
  }

  #flag(place: string, value: unknown): boolean | undefined {
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.wrong(place, 'must be true or false');
  }
}
