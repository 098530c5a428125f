// The key that signs ServiceAccounts' tokens, in the data directory beside the certificates.
// Invariant: made once, readable by its owner alone, and kept: tokens count on after a restart.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SigningKey } from '../../apiserver/auth/signing-key.ts';
import { legacyClaims, type LegacyClaims } from '../../apiserver/auth/token-claims.ts';
import { UsageError, writeAtomically } from './data-directory.ts';

const FILE = 'sa.key';

/** Makes the key where there is none yet. */
export function ensureTokenKey(folder: string): void {
  const path = join(folder, FILE);
  if (!existsSync(path)) writeAtomically(path, SigningKey.generate(), 0o600);
}

/** The key. Throws UsageError when it is gone or not such a key. */
export function loadTokenKey(folder: string): SigningKey {
  const path = join(folder, FILE);
  try {
    return new SigningKey(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `the key of ServiceAccount tokens ${path} cannot be used (${(error as Error).message}); restore it, or delete it for a new one, after which all tokens given out so far are void`,
    );
  }
}

/** Signs tokens that live in Secrets. */
export function tokenSigner(folder: string): (about: LegacyClaims) => string {
  const key = loadTokenKey(folder);
  return (about) => key.sign(legacyClaims(about));
}
