// Requests as the pipeline gets them: cheap to look at, and their caller's leaving known to who asks.
import type { IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Departure } from './departure.ts';
import { incomingRequest } from './incoming.ts';

const message = (url: string) =>
  ({ method: 'POST', url, headers: { host: 'here' } }) as unknown as IncomingMessage;

/** V8's own word on whether looks at an object are quick: at places that its hidden class knows, rather than in a dictionary. */
function isQuick(object: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  try {
    // oxlint-disable-next-line no-implied-eval, typescript/no-unsafe-call
    return new Function('object', 'return %HasFastProperties(object)')(object) as boolean;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

describe('a request off a socket', () => {
  const body = Buffer.from('{}');
  const incoming = () => ({ caller: new Departure(), passedOn: false });

  it('is quick to look at', () => {
    expect(isQuick(incomingRequest(message('/api'), body, incoming()))).toBe(true);
    expect(
      isQuick({
        get signal() {
          return body;
        },
      }),
    ).toBe(false);
  });

  it('says when its caller leaves, whenever it is asked', () => {
    const asked = incoming();
    const { signal } = incomingRequest(message('/api'), body, asked);
    const late = incoming();
    const request = incomingRequest(message('/api'), body, late);
    expect(signal.aborted).toBe(false);
    for (const { caller } of [asked, late]) caller.leave();
    expect([signal.aborted, request.signal.aborted]).toEqual([true, true]);
  });
});
