// The webhooks of one step have so long together, on a clock that the test moves: many slow ones hold nobody for minutes.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { MAX_STEP_MS } from '../../apiserver/admission/webhooks/webhook-caller.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { until } from '../support/until.ts';
import { aConfigMap, aHookedServer, type Hooked, NS } from '../support/webhook-configuration.ts';

const HOOK_MS = 30_000;

let on: Hooked;
const clock = new VirtualClock();
beforeAll(async () => {
  on = await aHookedServer({ clock });
  for (const path of ['/one', '/two']) on.hook.on(path, () => undefined);
});
afterAll(() => on.close());
afterEach(() => on.clear());

/** A create that two webhooks, one after the other, leave without an answer. */
async function created(name: string, failurePolicy: string) {
  const slow = { timeoutSeconds: HOOK_MS / 1000, failurePolicy };
  await on.configure('mutating', 'm', [
    { ...slow, name: 'one.test.local', failurePolicy: 'Ignore' },
    { ...slow, name: 'two.test.local' },
  ]);
  const seen = ['/one', '/two'].map((path) => on.hook.reviews(path).length);
  const answer = on.ask(`POST ${NS}/configmaps`, aConfigMap(name));
  await until(() => on.hook.reviews('/one').length > (seen[0] ?? 0));
  await clock.advance(HOOK_MS);
  await until(() => on.hook.reviews('/two').length > (seen[1] ?? 0));
  await clock.advance(MAX_STEP_MS - HOOK_MS);
  return answer;
}

it('a webhook gets what those before it left of the time', async () => {
  const answer = await created('failed', 'Fail');
  expect(answer.status).toBe(500);
  expect(answer.json().message).toMatch(/two\?timeout=4s": context deadline exceeded$/);
});

it('a request whose time is over does not go on, even where the webhook may be ignored', async () => {
  const answer = await created('late', 'Ignore');
  expect(answer.status).toBe(504);
  expect(answer.json()).toMatchObject({
    reason: 'Timeout',
    message:
      'Timeout: request did not complete within requested timeout - context deadline exceeded',
  });
  expect((await on.ask(`GET ${NS}/configmaps/late`)).status).toBe(404);
});
