// A token in a file that somebody writes anew before it expires: that of a pod's account, or a kubeconfig's tokenFile.
// Invariant: what is shown is at most a minute older than the file; after a 401, as new as the file.
import type { Clock } from '../../base/clock.ts';
import type { Credential, CredentialSource } from '../transport/credentials.ts';

/** A token that was read is used for this long: those who renew such files do so well before they expire. */
export const TOKEN_KEPT_MS = 60_000;

/** The token that `read` finds in a file. */
export function tokenFileSource(read: () => Promise<string>, clock: Clock): CredentialSource {
  let kept: { readonly credential: Credential; readonly untilMs: number } | undefined;
  return {
    async current() {
      const now = clock.monotonic();
      if (kept && now < kept.untilMs) return kept.credential;
      const credential = { token: (await read()).trim() };
      kept = { credential, untilMs: now + TOKEN_KEPT_MS };
      return credential;
    },
    refused(credential) {
      if (kept?.credential === credential) kept = undefined;
    },
  };
}
