// What sets a flag in a query.
import { expect, it } from 'vitest';
import { isTrue } from './query-flag.ts';

it.each(['watch=true', 'watch=True', 'watch=1', 'watch=yes', 'watch=', 'watch'])(
  'is set by %s',
  (query) => expect(isTrue(new URLSearchParams(query).get('watch'))).toBe(true),
);

it.each(['', 'watch=false', 'watch=False', 'watch=0', 'watching=true'])(
  'is not set by %s',
  (query) => expect(isTrue(new URLSearchParams(query).get('watch'))).toBe(false),
);
