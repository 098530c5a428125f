// The key that signs ServiceAccounts' tokens, and the tokens' outer form: compact JWS (RFC 7515) with ES256 (RFC 7518).
// Invariant: only what this key signed, by this algorithm, is ever read; the private half never leaves this file but as PEM
// for whoever keeps it.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

const ALGORITHM = 'ES256';
const CURVE = 'P-256';
/** Fixed-length signatures, as JWS has them (RFC 7518, section 3.4). */
const ENCODING = 'ieee-p1363';
/** A token beyond this is none of ours: five times what the longest names make. */
export const MAX_TOKEN_CHARS = 16 * 1024;

/** A key of its own for each cluster. */
export class SigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #head: string;
  /** Names the key in tokens and in the key set: the hash of its public half. */
  readonly id: string;

  /** From a PEM text (PKCS #8). Throws an Error for anything but a P-256 key. */
  constructor(pem: string) {
    this.#private = createPrivateKey(pem);
    if (this.#private.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new Error('the key of ServiceAccount tokens must be an elliptic-curve key on P-256');
    this.#public = createPublicKey(this.#private);
    const der = this.#public.export({ type: 'spki', format: 'der' });
    this.id = createHash('sha256').update(der).digest('base64url');
    this.#head = encoded({ alg: ALGORITHM, kid: this.id });
  }

  /** The PEM text of a new key. */
  static generate(): string {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  }

  /** A token that says `claims`. */
  sign(claims: object): string {
    const signed = `${this.#head}.${encoded(claims)}`;
    const key = { key: this.#private, dsaEncoding: ENCODING } as const;
    return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  }

  /** What a token says; undefined unless this key signed it. */
  read(token: string): Readonly<Record<string, unknown>> | undefined {
    if (token.length > MAX_TOKEN_CHARS) return undefined;
    const [head, body, signature, ...rest] = token.split('.');
    if (head !== this.#head || body === undefined || !signature || rest.length > 0)
      return undefined;
    const key = { key: this.#public, dsaEncoding: ENCODING } as const;
    const signed = Buffer.from(`${head}.${body}`);
    if (!verify('sha256', signed, key, Buffer.from(signature, 'base64url'))) return undefined;
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
  }

  /** The public half as a JSON Web Key Set (RFC 7517). */
  keySet(): { readonly keys: readonly object[] } {
    const { kty, crv, x, y } = this.#public.export({ format: 'jwk' });
    return { keys: [{ use: 'sig', kty, kid: this.id, crv, alg: ALGORITHM, x, y }] };
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
