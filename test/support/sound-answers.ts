// What every answer of the server is held to, whatever was asked.
// Invariant: a failure comes as a Status whose code is the answer's, with a reason and a message in words.
import { expect } from 'vitest';
import type { Answer } from './server.ts';

/** No answer about so few objects is larger. */
const MAX_ANSWER_BYTES = 20 * 1024 * 1024;
/** The one place for that word: what upstream says of schemas. */
const SAYS_UNDEFINED = /must be (undefined to be structural|true or undefined)/g;

/** Fails with `about` unless the answer is as all are. */
export function expectSound(answer: Answer, method: string, about: string): void {
  // As upstream answers who asks for a state that is yet to come.
  if (answer.status !== 504 || !answer.text.includes('Too large resource version'))
    expect(answer.status, about).toBeLessThan(500);
  expect(answer.text.length, about).toBeLessThan(MAX_ANSWER_BYTES);
  const type = answer.headers['content-type'] ?? '';
  if (answer.status < 400 || method === 'HEAD' || !type.includes('json')) return;
  const status = answer.json();
  expect(status, about).toMatchObject({ kind: 'Status', code: answer.status });
  expect(status.reason, about).toMatch(/^[A-Z]\w+$/);
  const message = status.message?.replaceAll(SAYS_UNDEFINED, '');
  expect(message, about).not.toMatch(/undefined|\[object|is not a function|of null/);
}
