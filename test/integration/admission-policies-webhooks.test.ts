// Policies and webhooks about the same write: who is asked first, and who is asked again when others changed the object.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  aMutatingPolicy,
  aValidatingBinding,
  ADMISSION,
  aValidatingPolicy,
  patching as policyPatching,
} from '../support/policies.ts';
import {
  aConfigMap,
  aHookedServer,
  type Hooked,
  NS,
  patching,
  setting,
} from '../support/webhook-configuration.ts';

let on: Hooked;
beforeAll(async () => {
  on = await aHookedServer();
});
afterAll(() => on.close());
afterEach(async () => {
  await on.clear();
  for (const sort of ['validatingadmissionpolic', 'mutatingadmissionpolic'])
    for (const ending of ['ybindings', 'ies']) await on.ask(`DELETE ${ADMISSION}/${sort}${ending}`);
});

const create = (name: string) => on.ask(`POST ${NS}/configmaps`, aConfigMap(name));

async function stored(plural: string, ...objects: object[]): Promise<void> {
  for (const object of objects) {
    const { status, text } = await on.ask(`POST ${ADMISSION}/${plural}`, object);
    expect(status, text).toBe(201);
  }
}

/** A policy that writes a letter behind the trace. */
async function tracing(name: string, letter: string, reinvocationPolicy: string): Promise<void> {
  const path = '"/data/trace"';
  const value = `(has(object.data.trace) ? object.data.trace : "") + "${letter}"`;
  const mutations = [policyPatching(`[JSONPatch{op: "add", path: ${path}, value: ${value}}]`)];
  await stored(
    'mutatingadmissionpolicies',
    aMutatingPolicy(name, { mutations, reinvocationPolicy }),
  );
  await stored('mutatingadmissionpolicybindings', {
    metadata: { name },
    spec: { policyName: name },
  });
}

it('policies change an object before webhooks, and again after those where they want to', async () => {
  await tracing('often', 'o', 'IfNeeded');
  await tracing('once', '1', 'Never');
  on.hook.on('/a', ({ request }) => patching(setting('trace', `${request.object.data['trace']}w`)));
  await on.configure('mutating', 'hook', [{}]);
  expect((await create('both')).json().data.trace).toBe('o1wo');
});

it('policies see what webhooks made, and refuse before other webhooks are asked', async () => {
  on.hook.on('/a', () => patching(setting('bad', 'yes')));
  await on.configure('mutating', 'hook', [{}]);
  await on.configure('validating', 'last', [{}]);
  const validations = [{ expression: '!has(object.data.bad)', message: 'nothing bad' }];
  await stored('validatingadmissionpolicies', aValidatingPolicy('good', { validations }));
  await stored('validatingadmissionpolicybindings', aValidatingBinding('good'));
  const before = on.hook.reviews('/a').length;
  const refused = await create('bad');
  expect([refused.status, refused.json().message]).toEqual([
    422,
    expect.stringMatching(/'good' with binding 'good' denied request: nothing bad$/),
  ]);
  // The mutating one alone.
  expect(on.hook.reviews('/a').length - before).toBe(1);
});
