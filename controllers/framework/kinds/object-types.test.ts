// The static types of a kind: of what is read, of what is written, and of what converters take and give.
// What is wrong here fails the type check; the test itself only shows that values are of these types.
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { KubeObject, ObjectMeta } from '../../../api/meta/object.ts';
import type { Client } from '../../../client/rest/client.ts';
import { controllerFor } from '../builder.ts';
import { defineKind } from './define-kind.ts';
import { conditions, listMap, quantity } from './fields.ts';
import type { ObjectOf, SpecOf, StatusOf } from './object-types.ts';
import { z } from './zod.ts';

const GROUP = { group: 'example.com', kind: 'Backup' } as const;
const Older = defineKind({ ...GROUP, version: 'v1alpha1', spec: z.object({ cron: z.string() }) });
const Backups = defineKind({
  ...GROUP,
  version: 'v1',
  spec: z.object({
    schedule: z.string(),
    keep: z.int32().default(3),
    size: quantity().optional(),
    targets: listMap(z.object({ name: z.string(), port: z.int32().default(80) }), 'name').default(
      [],
    ),
  }),
  status: z.object({ last: z.string().optional(), conditions: conditions().optional() }),
  versions: [
    {
      kind: Older,
      up: (old) => ({ spec: { schedule: old.spec.cron, keep: 3, targets: [] } }),
      down: (now) => ({ spec: { cron: now.spec.schedule } }),
    },
  ],
});
type Backup = ObjectOf<typeof Backups>;

const Plain = defineKind({
  ...GROUP,
  version: 'v1',
  spec: {
    type: 'object',
    properties: {
      mode: { type: 'string', enum: ['on', 'off'] },
      size: { type: 'integer', default: 1 },
      ports: { type: 'array', items: { type: 'integer' } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      note: { type: ['string', 'null'] },
      either: { 'x-kubernetes-int-or-string': true },
    },
    required: ['mode'],
  },
});

describe('Static types', () => {
  it('of what is read have defaults filled in, and a status that may be missing', () => {
    expectTypeOf<SpecOf<typeof Backups>>().toEqualTypeOf<{
      schedule: string;
      keep: number;
      size?: number | string | undefined;
      targets: { name: string; port: number }[];
    }>();
    expectTypeOf<Backup['metadata']>().toEqualTypeOf<ObjectMeta>();
    expectTypeOf<StatusOf<typeof Backups>['last']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Backup>().toExtend<KubeObject>();
    expectTypeOf<ObjectOf<typeof Older>>().not.toHaveProperty('status');
    expect(Backups.object({ metadata: {}, spec: { schedule: 'x' } }).spec.keep).toBe(3);
  });

  it('of what is written may leave out what has a default', () => {
    type Written = Parameters<typeof Backups.manifest>[0];
    expectTypeOf<Written['spec']['keep']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Written['spec']['schedule']>().toEqualTypeOf<string>();
    // @ts-expect-error -- a schedule is required
    Backups.manifest({ metadata: {}, spec: { keep: 3 } });
    // @ts-expect-error -- there is no such field
    Backups.manifest({ metadata: {}, spec: { schedule: 'x', kep: 3 } });
  });

  it('are those of a literal JSON Schema, too', () => {
    expectTypeOf<SpecOf<typeof Plain>>().toEqualTypeOf<{
      mode: 'off' | 'on';
      size: number;
      ports?: number[] | undefined;
      labels?: Record<string, string> | undefined;
      note?: string | null | undefined;
      either?: number | string | undefined;
    }>();
    expectTypeOf<Parameters<typeof Plain.manifest>[0]['spec']['size']>().toEqualTypeOf<
      number | undefined
    >();
  });

  it('reach typed clients and controllers', () => {
    const use = (client: Client) => client.resource(Backups).get({ name: 'a' });
    expectTypeOf<Awaited<ReturnType<typeof use>>>().toEqualTypeOf<Backup>();
    const controller = controllerFor(Backups).reconcile(async ({ spec }) => {
      expectTypeOf(spec.keep).toEqualTypeOf<number>();
    });
    expect(controller).toBeTypeOf('function');
  });

  it('hold converters to both versions', () => {
    const options = { ...GROUP, version: 'v2', spec: z.object({ a: z.int32() }) };
    defineKind({
      ...options,
      versions: [
        {
          kind: Older,
          // @ts-expect-error -- a is a number
          up: (old) => ({ spec: { a: old.spec.cron } }),
          // @ts-expect-error -- cron is a text
          down: (now) => ({ spec: { cron: now.spec.a } }),
        },
      ],
    });
  });
});
