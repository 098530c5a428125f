// Bearer tokens of all sorts behind one question: whose is it, for which audiences.
// Invariant: a token that is wrong has a reason, and no reader of tokens takes another's.
import type { UserInfo } from '../../api/wire/exchange.ts';

/** What a token came to. `audiences`: those of the asked ones that it is good for. */
export type TokenVerdict =
  | { readonly kind: 'known'; readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads tokens, for one of these audiences; undefined where the token is none of this reader's. */
export type TokenReader = (token: string, audiences: readonly string[]) => TokenVerdict | undefined;

/** Tokens that somebody listed by their text; they are for the API server itself. */
export function listedTokens(
  tokens: ReadonlyMap<string, UserInfo>,
  own: readonly string[],
): TokenReader {
  return (token, audiences) => {
    const user = tokens.get(token);
    if (!user) return undefined;
    const shared = own.filter((each) => audiences.includes(each));
    if (shared.length > 0) return { kind: 'known', user, audiences: shared };
    return { kind: 'refused', why: 'the token is for the API server alone' };
  };
}

/** The first reader that knows the token answers. */
export function anyOf(readers: readonly TokenReader[]): TokenReader {
  return (token, audiences) => {
    for (const read of readers) {
      const verdict = read(token, audiences);
      if (verdict) return verdict;
    }
    return undefined;
  };
}
