// Reviews of conversion and their answers, without sockets: which steps are taken, and that all is converted or nothing.
import { describe, expect, it } from 'vitest';
import { ask } from '../../../test/support/asked-webhook.ts';
import { converting } from './conversion.ts';
import type { Webhook } from './review-desk.ts';

describe('a conversion', () => {
  const Backups = {
    group: 'example.com',
    version: 'v1',
    kind: 'Backup',
    plural: 'backups',
    namespaced: true,
  };
  const backup = (version: string, spec: object, name = 'b') => ({
    apiVersion: `example.com/${version}`,
    kind: 'Backup',
    metadata: { name, namespace: 'default', uid: 'u', labels: { a: 'b' } },
    spec,
  });
  const question = (objects: readonly unknown[], desired = 'v2') => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: { uid: 'c1', desiredAPIVersion: `example.com/${desired}`, objects },
  });
  type AnySpec = { spec: any }; // oxlint-disable-line no-explicit-any
  const webhook = converting(Backups, {
    'v1alpha1→v1': (object) => ({
      ...object,
      spec: { hours: (object as never as AnySpec).spec.h },
    }),
    'v1->v2': (object) => ({
      ...object,
      spec: { minutes: (object as never as AnySpec).spec.hours * 60 },
    }),
    'v2→v1': (object) => {
      if ((object as never as AnySpec).spec.minutes === undefined) throw new Error('no minutes');
      return { ...object, spec: { hours: (object as never as AnySpec).spec.minutes / 60 } };
    },
  });

  it('takes the steps that there are, one after the other', async () => {
    const objects = [backup('v1', { hours: 1 }), backup('v1alpha1', { h: 2 }), backup('v2', {})];
    const { response } = await ask(webhook, question(objects));
    expect(response).toEqual({
      uid: 'c1',
      result: { status: 'Success' },
      convertedObjects: [
        backup('v2', { minutes: 60 }),
        backup('v2', { minutes: 120 }),
        backup('v2', {}),
      ],
    });
  });

  it('converts all or nothing, and says which object and step', async () => {
    const objects = [backup('v2', { minutes: 60 }), backup('v2', {}, 'bad')];
    const { response } = await ask(webhook, question(objects, 'v1'));
    expect(response).toEqual({
      uid: 'c1',
      result: {
        status: 'Failure',
        message: 'default/bad: the converter v2→v1 failed: no minutes',
      },
    });
  });

  const bad = (
    convert: (object: any) => any, // oxlint-disable-line no-explicit-any
  ) => converting(Backups, { 'v1→v2': convert });
  const CASES: readonly (readonly [string, Webhook, object, string])[] = [
    [
      'no way there',
      webhook,
      backup('v2', {}),
      "no converter leads from v2 to v1alpha1: give backups.example.com a converter 'v2→v1alpha1'",
    ],
    ['nothing answered', bad(() => undefined), backup('v1', {}), 'answered no object'],
    [
      'another name',
      bad((o) => ({ ...o, metadata: { ...o.metadata, name: 'c' } })),
      backup('v1', {}),
      'the converter v1→v2 changed metadata.name: of metadata only labels',
    ],
    ['no metadata', bad(({ spec }) => ({ spec })), backup('v1', {}), 'changed metadata:'],
    [
      'a change in place',
      bad((o) => Object.assign(o, { spec: 1 })),
      backup('v1', {}),
      'it changes the object it was given, which is frozen',
    ],
    ['a date', bad((o) => ({ ...o, spec: new Date(0) })), backup('v1', {}), 'spec is a Date'],
    ['another group', webhook, { ...backup('v1', {}), apiVersion: 'v1' }, 'has no version "v1"'],
    [
      'another kind',
      webhook,
      { ...backup('v1', {}), kind: 'Pod' },
      'has no objects of the kind Pod',
    ],
    ['no object', webhook, [1], 'is no object'],
  ];
  for (const [what, asked, object, words] of CASES)
    it(`fails with the mend: ${what}`, async () => {
      const { response } = await ask(
        asked,
        question([object], asked === webhook ? 'v1alpha1' : 'v2'),
      );
      expect(response.result.status).toBe('Failure');
      expect(response.result.message).toContain(words);
      expect(response.convertedObjects).toBeUndefined();
    });

  it('may change labels and annotations', async () => {
    const labelled = bad((o) => ({
      ...o,
      metadata: { ...o.metadata, labels: undefined, annotations: { from: 'v1' } },
    }));
    const { response } = await ask(labelled, question([backup('v1', {})]));
    const [{ metadata }] = response.convertedObjects;
    expect(metadata).toEqual({
      name: 'b',
      namespace: 'default',
      uid: 'u',
      annotations: { from: 'v1' },
    });
  });
});
