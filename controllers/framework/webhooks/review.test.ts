// Questions that are none, and hostile ones, without sockets: they are refused as such and reach no handler.
import { describe, expect, it } from 'vitest';
import { ConfigMaps } from '../../../api/kinds.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { ask, CONFIG, review } from '../../../test/support/asked-webhook.ts';
import { fc } from '../../../test/support/properties.ts';
import { allow } from './admission.ts';
import { converting } from './conversion.ts';
import { MAX_DEPTH } from './plain-json.ts';
import { ReviewDesk, type Webhook } from './review-desk.ts';
import { mutating, validating } from './webhook.ts';

const clock = new VirtualClock();
const never = new AbortController().signal;

describe('a question that is none', () => {
  const webhook = validating(ConfigMaps, { name: 'a.test.local', admit: () => allow() });
  const deep = JSON.parse(`${'['.repeat(MAX_DEPTH + 2)}${']'.repeat(MAX_DEPTH + 2)}`);
  const CASES: readonly (readonly [string, object, string])[] = [
    ['of no type', {}, 'expected AdmissionReview of admission.k8s.io/v1, got "" of ""'],
    [
      'of an old version',
      { ...review(), apiVersion: 'admission.k8s.io/v1beta1' },
      'got "AdmissionReview" of "admission.k8s.io/v1beta1"',
    ],
    ['a list', [], 'the body is no object'],
    ['without a request', { ...review(), request: null }, 'request is no object'],
    ['without a uid', review({ uid: '' }), 'request.uid has to be a text'],
    ['with another uid', review({ uid: 7 }), 'request.uid has to be a text'],
    [
      'about another operation',
      review({ operation: 'DELETE' }),
      'is not about the operation DELETE',
    ],
    [
      'about another resource',
      review({ resource: { group: 'apps', version: 'v1', resource: 'deployments' } }),
      'the webhook a.test.local is not about deployments of apps/v1: compare the rules',
    ],
    ['about a subresource', review({ subResource: 'status' }), 'not about configmaps/status of v1'],
    ['about what is no object', review({ object: { metadata: {} } }), 'lacks apiVersion, kind or'],
    ['without its object', review({ object: null }), 'lacks the object'],
    ['of an update without the old object', review({ operation: 'UPDATE' }), 'lacks the object'],
    ['about a user that is none', review({ userInfo: 'jane' }), 'request.userInfo is no object'],
    [
      'nested too deeply',
      review({ object: { ...CONFIG, deep } }),
      `deeper than ${MAX_DEPTH} levels`,
    ],
  ];
  for (const [what, body, words] of CASES)
    it(`is refused: ${what}`, async () => {
      const { code, text } = await ask(webhook, body);
      expect(text).toContain(words);
      expect(code).toBe(400);
    });

  it('is refused: no JSON, and no webhook', async () => {
    const desk = new ReviewDesk([webhook], { clock, logger: silentLogger });
    const broken = await desk.answer({ target: webhook.path, text: '{"a"', signal: never });
    expect(broken).toMatchObject({ code: 400, body: expect.stringContaining('is not JSON: ') });
    const unknown = await desk.answer({ target: '/x?y', text: '{}', signal: never });
    expect(unknown).toMatchObject({
      code: 404,
      body: 'no webhook is served at /x; there are /a.test.local',
    });
  });
});

describe('hostile reviews', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  /** The review with one of its parts, at whatever depth, replaced by anything or taken out. */
  const bent = (whole: object) =>
    fc.tuple(fc.nat(40), fc.option(value, { nil: undefined })).map(([at, put]) => {
      const copy = structuredClone(whole) as Record<string, unknown>;
      const places: (readonly [Record<string, unknown>, string])[] = [];
      const walk = (object: Record<string, unknown>): void => {
        for (const [key, part] of Object.entries(object)) {
          places.push([object, key]);
          if (typeof part === 'object' && part !== null) walk(part as Record<string, unknown>);
        }
      };
      walk(copy);
      const [object, key] = places[at % places.length]!;
      if (put === undefined) delete object[key];
      else object[key] = put;
      return copy;
    });
  const refuses = (webhook: Webhook, whole: object) =>
    fc.assert(
      fc.asyncProperty(fc.oneof(bent(whole), value), async (body) => {
        const { code, response } = await ask(webhook, body as object);
        expect([200, 400]).toContain(code);
        if (code === 200) expect(body).toMatchObject({ request: { uid: response.uid } });
      }),
      { numRuns: 1000 },
    );

  it('are refused as such or answered, never a fault of the handler', async () => {
    await refuses(validating(ConfigMaps, { admit: () => allow() }), review());
    const unchanged = mutating(ConfigMaps, { admit: ({ object }) => ({ ...object }) });
    await refuses(unchanged, review({ operation: 'UPDATE', oldObject: CONFIG }));
    const ref = { group: 'a.io', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const object = { apiVersion: 'a.io/v1', kind: 'A', metadata: { name: 'a' } };
    const request = { uid: 'u', desiredAPIVersion: 'a.io/v2', objects: [object, object] };
    await refuses(converting(ref, { 'v1→v2': (each) => ({ ...each }) }), {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request,
    });
  });

  it('are told by what is odd about them, where that has no text of its own', async () => {
    const odd = { toString: false };
    const ref = { group: 'a.io', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const webhook = converting(ref, { 'v1→v2': (each) => ({ ...each }) });
    const convert = (object: object) =>
      ask(webhook, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        request: { uid: 'u', desiredAPIVersion: 'a.io/v2', objects: [object] },
      });
    const metadata = { name: 'a' };
    const version = await convert({ apiVersion: odd, kind: 'A', metadata });
    expect(version.response.result.message).toContain('has no version an object with');
    const name = await convert({
      apiVersion: 'b.io/v1',
      kind: 'A',
      metadata: { name: odd, namespace: odd },
    });
    expect(name.response.result.message).toContain('has no version "b.io/v1"');
  });
});
