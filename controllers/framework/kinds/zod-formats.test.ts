// What zod takes and refuses is what the definition makes a server take and refuse: both are asked of thousands of odd objects.
import { expect, it } from 'vitest';
import type { LooseObject } from '../../../api/meta/object.ts';
import { seededRandom } from '../../../base/random.ts';
import { defineKind } from './define-kind.ts';
import { listMap, listSet } from './fields.ts';
import { oneOf } from './matching-text.ts';
import { z } from './zod.ts';

const spec = z.object({
  text: z.string().min(1).max(8),
  patterns: z
    .string()
    .regex(/^[a-c]+$/)
    .regex(/b/)
    .optional(),
  affixes: z
    .string()
    .startsWith('a')
    .endsWith('z')
    .meta({ examples: ['abz'] })
    .optional(),
  lower: z.string().lowercase().optional(),
  template: z.templateLiteral(['a', z.int()]).optional(),
  int32: z.int32().min(-3).max(9).default(2),
  uint32: z.uint32().optional(),
  number: z.number().gt(1).lt(5).optional(),
  multiple: z.int().multipleOf(3).optional(),
  float: z.float32().optional(),
  enum: z.enum(['x', 'y']).default('x'),
  literals: z.literal([1, 2]).optional(),
  literalOrNull: z.union([z.literal('q'), z.null()]).optional(),
  nullable: z.string().nullable(),
  nullish: z.boolean().nullish(),
  either: z.union([z.string(), z.int()]).optional(),
  date: z.iso.date().optional(),
  moment: z.iso.datetime().optional(),
  anyMoment: z.iso.datetime({ offset: true }).optional(),
  clock: z.iso.time().optional(),
  email: z.email().optional(),
  uuid: z.uuid().optional(),
  url: z.url().optional(),
  ipv4: z.ipv4().optional(),
  ipv6: z.ipv6().optional(),
  cidrv4: z.cidrv4().optional(),
  cidrv6: z.cidrv6().optional(),
  mac: z.mac().optional(),
  base64: z.base64().optional(),
  hostname: z.hostname().optional(),
  nanoid: z.nanoid().optional(),
  map: z.record(z.string(), z.int()).optional(),
  nullsInMap: z.record(z.string(), z.string().nullable()).optional(),
  nullsInList: z.array(z.int32().nullable()).optional(),
  filled: z.array(z.string()).nonempty().optional(),
  open: z.looseObject({ r: z.string() }).optional(),
  nested: z.object({ y: z.int32().default(1) }).prefault({}),
  objects: z
    .array(z.object({ p: z.boolean().default(true), q: z.string().nullish() }))
    .max(3)
    .optional(),
  set: listSet(z.int32()).optional(),
  keyed: listMap(z.object({ n: z.string(), v: z.int32().default(3) }), 'n').optional(),
});
const Dials = defineKind({ group: 'example.com', version: 'v1', kind: 'Dial', spec });

const ODD: readonly unknown[] = [
  null,
  '',
  'x'.repeat(60),
  'a',
  'b',
  'x',
  'azz',
  'azz\nz',
  'İ',
  '😀',
  'q',
  'A',
  'a1',
  'a01',
  'a-1',
  -1,
  0,
  1,
  1.5,
  3,
  101,
  2 ** 31,
  2 ** 40,
  true,
  [],
  {},
  [1],
  { a: 1 },
  [null],
  { a: null },
  '2026-01-02T03:04:05+02:00',
  '2026-01-02T03:04:05.123456Z',
  '2026-01-02',
  '2026-02-30',

  '2026-01-02t03:04:05z',
  '2026-01-02T24:00:00Z',
  '24:00',
  '23:59:59',
  'a@b',
  'A@B.com',
  'http://x',
  'ftp://u:p@h/',
  '/x',
  '1.2.3.4',
  '01.2.3.4',
  '::1',
  '::ffff:1.2.3.4',
  'fe80::1%eth0',
  '10.0.0.1/8',
  '1.2.3.4/33',
  '2001:db8::/32',
  '123E4567-e89b-42d3-a456-426614174000',
  '123e4567e89b42d3a456426614174000',
  'YQ==',
  'YQ',
  '00:1A:2B:3C:4D:5E',
  '00-1a-2b-3c-4d-5e',
  'ex_ample',
  'a.b',
  'a.b.',
  '-a',
];

/** A valid object with one value replaced, somewhere in its spec. */
function bentSpec(random: ReturnType<typeof seededRandom>): Record<string, unknown> {
  const sample = structuredClone(Dials.sample(random)) as unknown as LooseObject;
  const bent = sample['spec'] as Record<string, unknown>;
  const value = structuredClone(oneOf(random, ODD));
  const key = oneOf(random, Object.keys(spec.shape));
  const part = bent[key];
  if (
    typeof part === 'object' &&
    part !== null &&
    Object.keys(part).length > 0 &&
    random.next() < 0.5
  )
    (part as Record<string, unknown>)[oneOf(random, Object.keys(part))] = value;
  else bent[key] = value;
  return bent;
}

it('agrees with zod about odd objects, once nulls that stand for nothing are gone', () => {
  const random = seededRandom(5);
  const counts = { taken: 0, refused: 0 };
  for (let i = 0; i < 1_500; i++) {
    const odd = bentSpec(random);
    const object = {
      apiVersion: 'example.com/v1',
      kind: 'Dial',
      metadata: { name: 'a' },
      spec: odd,
    };
    const errors = Dials.validate(object);
    const taken = errors.length === 0;
    const parsed = spec.safeParse(taken ? Dials.object(object as never).spec : odd);
    const { error, success } = parsed;
    const told = { odd, errors, zod: error?.issues.map(({ path, message }) => [path, message]) };
    expect({ ...told, success }).toEqual({ ...told, success: taken });
    counts[taken ? 'taken' : 'refused'] += 1;
  }
  expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(200);
});
