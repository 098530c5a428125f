// Names of images as the OCI distribution and Docker references write them. Pure.
// Invariant: two spellings of one image have one normal form: `shop/payment:1` and `docker.io/shop/payment:1`.

/** A name in its parts. Exactly one image is meant when `digest` is given; the tag is then only a remark. */
export interface ImageName {
  /** With registry and, for official images, `library/`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_TAG = 'latest';
const MAX_NAME_LENGTH = 255;
const REGISTRY = /^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?$/;
const PART = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Undefined when the text is no image name. */
export function parseImageName(text: string): ImageName | undefined {
  const [beforeDigest = '', digest, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = beforeDigest.lastIndexOf(':');
  const hasTag = colon > beforeDigest.lastIndexOf('/');
  const tag = hasTag ? beforeDigest.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const repository = fullRepository(hasTag ? beforeDigest.slice(0, colon) : beforeDigest);
  if (repository === undefined || repository.length > MAX_NAME_LENGTH) return undefined;
  return { repository, tag: tag ?? (digest === undefined ? DEFAULT_TAG : undefined), digest };
}

/** Why a text is no image name, in the words that people search for. */
export function imageNameRefusal(text: string): string {
  const refusal = 'invalid reference format';
  const lower = parseImageName(text.toLowerCase());
  if (!lower || text === text.toLowerCase()) return refusal;
  const [beforeDigest = ''] = text.split('@');
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash);
  const whole = colon === -1 ? beforeDigest : beforeDigest.slice(0, colon);
  if (whole === whole.toLowerCase()) return refusal;
  // A first part that has capitals can only be meant for a registry's name.
  const [first = '', ...rest] = whole.split('/');
  const named = rest.length > 0 && first !== first.toLowerCase() ? rest.join('/') : whole;
  const path = named === named.toLowerCase() ? whole : named;
  return `${refusal}: repository name (${slash === -1 ? `library/${path}` : path}) must be lowercase`;
}

function fullRepository(text: string): string | undefined {
  const parts = text.split('/');
  const [first = ''] = parts;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const registry = hasRegistry ? first : DEFAULT_REGISTRY;
  const path = hasRegistry ? parts.slice(1) : parts;
  if (!REGISTRY.test(registry) || !path.every((part) => PART.test(part))) return undefined;
  if (registry === DEFAULT_REGISTRY && path.length === 1) path.unshift('library');
  return [registry, ...path].join('/');
}

/** `docker.io/shop/payment:1` for `shop/payment:1`; undefined when the text is no image name. */
export function normalizeImageName(text: string): string | undefined {
  const name = parseImageName(text);
  if (!name) return undefined;
  if (name.digest !== undefined) return `${name.repository}@${name.digest}`;
  return `${name.repository}:${name.tag}`;
}
