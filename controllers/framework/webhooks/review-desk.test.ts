// Reviews of admission and their answers, without sockets: what handlers are given, and what becomes of what they answer.
import { describe, expect, it } from 'vitest';
import { ConfigMaps } from '../../../api/kinds.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { ask, CONFIG, review } from '../../../test/support/asked-webhook.ts';
import { allow, type AdmissionRequest, deny } from './admission.ts';
import { ReviewDesk } from './review-desk.ts';
import { mutating, validating } from './webhook.ts';

const clock = new VirtualClock();
const never = new AbortController().signal;

const patchOf = (response: { patch?: string }) =>
  JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString());

describe('a validating webhook', () => {
  it('is given the question, typed and frozen', async () => {
    let seen: AdmissionRequest | undefined;
    const webhook = validating(ConfigMaps, {
      admit(request) {
        seen = request;
        // The type follows from the operations: there is an object, always.
        expect(request.object.data?.['key']).toBe('value');
        return allow();
      },
    });
    const { response } = await ask(webhook, review({ dryRun: true }));
    expect(response).toEqual({ uid: 'u1', allowed: true });
    expect(seen).toMatchObject({
      uid: 'u1',
      operation: 'CREATE',
      name: 'a',
      namespace: 'default',
      user: { username: 'jane', groups: ['dev'], extra: { scopes: ['x'] } },
      dryRun: true,
      options: { fieldManager: 'kubectl' },
      object: CONFIG,
    });
    expect(seen?.oldObject).toBeUndefined();
    expect(seen?.subresource).toBeUndefined();
    expect(Object.isFrozen(seen?.object?.metadata.labels)).toBe(true);
  });

  it('is given the old object of a deletion, and no object', async () => {
    const webhook = validating(ConfigMaps, {
      operations: ['DELETE'],
      admit: ({ object, oldObject }) => (object === undefined ? deny(oldObject.kind) : allow()),
    });
    const { response } = await ask(
      webhook,
      review({ operation: 'DELETE', object: null, oldObject: CONFIG }),
    );
    expect(response).toMatchObject({ allowed: false, status: { message: 'ConfigMap' } });
  });

  it('refuses with reason, code and causes, warns and annotates', async () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'data.key', message: 'too short' }];
    const notes = { warnings: ['soon gone'], auditAnnotations: { rule: 'short' } };
    const deciding = (admit: () => ReturnType<typeof deny>) => validating(ConfigMaps, { admit });
    const cases = [
      [
        deny('no'),
        { status: 'Failure', message: 'no', reason: 'Forbidden', code: 403, details: {} },
      ],
      [
        deny('no', { reason: 'Invalid', causes }),
        { reason: 'Invalid', code: 422, details: { causes } },
      ],
      [deny('no', { code: 409 }), { code: 409 }],
      [deny('no', { reason: 'Invalid', code: 400 }), { reason: 'Invalid', code: 400 }],
    ] as const;
    for (const [verdict, status] of cases) {
      const { response } = await ask(
        deciding(() => verdict),
        review(),
      );
      expect(response).toMatchObject({ uid: 'u1', allowed: false, status });
    }
    const { response } = await ask(validating(ConfigMaps, { admit: () => allow(notes) }), review());
    expect(response).toEqual({ uid: 'u1', allowed: true, ...notes });
    expect(() => deny('no', { code: 200 })).toThrow('the code 200 does not refuse anything');
  });
});

describe('a mutating webhook', () => {
  it('answers the changed object, of which a small patch is made', async () => {
    const webhook = mutating(ConfigMaps, {
      admit: ({ object }) => ({ ...object, data: { ...object.data, more: 'x' } }),
    });
    const { response } = await ask(webhook, review());
    expect(response).toMatchObject({ uid: 'u1', allowed: true, patchType: 'JSONPatch' });
    expect(patchOf(response)).toEqual([{ op: 'add', path: '/data/more', value: 'x' }]);
  });

  it('leaves the object by answering nothing, the same, an equal one, or allow()', async () => {
    const answers: readonly ((object: typeof CONFIG) => any)[] = [
      () => undefined,
      (object) => object,
      (object) => structuredClone(object),
      () => allow(),
      () => Promise.resolve(),
    ];
    for (const answer of answers) {
      const webhook = mutating(ConfigMaps, {
        admit: ({ object }) => answer(object as typeof CONFIG),
      });
      const { response } = await ask(webhook, review());
      expect(response).toEqual({ uid: 'u1', allowed: true });
    }
  });

  it('changes and warns, or refuses', async () => {
    const changing = mutating(ConfigMaps, {
      admit: ({ object }) => allow({ object: { ...object, data: {} }, warnings: ['emptied'] }),
    });
    const { response } = await ask(changing, review());
    expect(response).toMatchObject({ allowed: true, warnings: ['emptied'] });
    expect(patchOf(response)).toEqual([{ op: 'remove', path: '/data/key' }]);
    const refusing = mutating(ConfigMaps, { admit: () => deny('no') });
    expect((await ask(refusing, review())).response).toMatchObject({ allowed: false });
  });

  it('keeps whole numbers of 64 bits as they are', async () => {
    const text = JSON.stringify(review({ object: { ...CONFIG, big: 1 } }));
    const webhook = mutating(ConfigMaps, {
      admit: ({ object }) => ({ ...object, copy: [(object as never as { big: bigint }).big] }),
    });
    const desk = new ReviewDesk([webhook], { clock, logger: silentLogger });
    const { body } = await desk.answer({
      target: webhook.path,
      text: text.replace('"big":1', '"big":9007199254740993'),
      signal: never,
    });
    const { patch } = JSON.parse(body).response;
    expect(Buffer.from(patch, 'base64').toString()).toContain('[9007199254740993]');
  });
});
