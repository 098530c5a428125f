// Kinds defined in TypeScript beside a whole server: installing them, and whether what is said without a server is what it says.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { expired, isNotFound, StatusError } from '../../api/status.ts';
import { seededRandom } from '../../base/random.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { Client } from '../../client/rest/client.ts';
import type { Transport } from '../../client/transport/transport.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { defineKind } from '../../controllers/framework/kinds/define-kind.ts';
import { ESTABLISHED_TIMEOUT_MS, installKinds } from '../../controllers/framework/kinds/install.ts';
import { checkRoundTrips } from '../../controllers/framework/kinds/round-trips.ts';
import { z } from '../../controllers/framework/kinds/zod.ts';
import { Backups, OldBackups } from '../support/backup-kinds.ts';
import { anApiServer, type ClientServer } from '../support/client-server.ts';
import { intercepted } from '../support/intercepted-transport.ts';
import { until } from '../support/until.ts';

const NONE = { conversion: () => ({ strategy: 'None' }) };
let server: ClientServer;
let client: Client;
beforeEach(async () => {
  server = await anApiServer();
  client = createClient(server.transport);
});
afterEach(() => server.close());

describe('Installing kinds', () => {
  it('ends when objects can be written; once more changes nothing, and a changed kind is changed', async () => {
    const group = { group: 'example.com', version: 'v1', kind: 'Dial' };
    const Dials = defineKind({ ...group, spec: z.object({ size: z.int32().max(3) }) });
    const clock = new VirtualClock();
    await installKinds(client, [Dials, Backups], { ...NONE, clock });
    expect(clock.pendingTimers).toBe(0);
    const dial = Dials.object({ metadata: { name: 'a', namespace: 'default' }, spec: { size: 3 } });
    expect((await client.resource(Dials).create(dial)).spec.size).toBe(3);
    const definitions = client.resource(CustomResourceDefinitions);
    const before = await definitions.get({ name: 'dials.example.com' });
    await installKinds(client, [Dials, Backups], NONE);
    const again = await definitions.get({ name: 'dials.example.com' });
    expect(again.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    const Wider = defineKind({ ...group, spec: z.object({ size: z.int32().max(9) }) });
    await installKinds(client, [Wider]);
    const wide = { ...dial, metadata: { name: 'b', namespace: 'default' }, spec: { size: 9 } };
    expect((await client.resource(Wider).create(wide)).spec.size).toBe(9);
  });

  it('tells what the server refuses, cause by cause', async () => {
    const group = { group: 'example.com', kind: 'Dial', spec: z.object({ a: z.string() }) };
    await installKinds(client, [defineKind({ ...group, version: 'v1' })]);
    const cluster = defineKind({ ...group, version: 'v1', scope: 'Cluster' });
    await expect(installKinds(client, [cluster])).rejects.toThrow(
      /^the server refuses dials\.example\.com:\n {2}spec\.scope: .*field is immutable$/,
    );
  });

  it('tells that the names belong to another definition', async () => {
    const spec = z.object({});
    const group = { group: 'example.com', version: 'v1', spec };
    await installKinds(client, [defineKind({ ...group, kind: 'Dial' })]);
    const other = defineKind({ ...group, kind: 'Dial', plural: 'dialers' });
    await expect(installKinds(client, [other])).rejects.toThrow(
      /does not accept the names of dialers\.example\.com:\n {2}names: \w+: .*already in use; choose other names/,
    );
  });

  it('tells how far it came when the server does not serve the kind in time, or the caller ends it', async () => {
    const withoutStatus = (object: LooseObject) => ({ ...object, status: undefined });
    const slow = createClient(
      intercepted(server.transport, {
        request: async (_request, send) => {
          const reply = await send();
          return { ...reply, object: () => withoutStatus(reply.object()) };
        },
        seen: withoutStatus,
      }),
    );
    const clock = new VirtualClock();
    let failure: unknown;
    const kinds = [
      defineKind({ group: 'example.com', version: 'v1', kind: 'Dial', spec: z.object({}) }),
    ];
    const done = installKinds(slow, kinds, { clock }).catch((error: unknown) => (failure = error));
    const definitions = client.resource(CustomResourceDefinitions);
    await until(() =>
      definitions.get({ name: 'dials.example.com' }).then(
        () => true,
        () => false,
      ),
    );
    expect(failure).toBeUndefined();
    await clock.advance(ESTABLISHED_TIMEOUT_MS);
    await done;
    expect(String(failure)).toMatch(
      /dials\.example\.com is not served in time:\n {2}status: the server has not looked at/,
    );
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(installKinds(slow, kinds, { signal })).rejects.toThrow('enough');
  });
});

describe('A kind that is not served at once', () => {
  const Dials = defineKind({
    group: 'example.com',
    version: 'v1',
    kind: 'Dial',
    spec: z.object({}),
  });
  const name = 'dials.example.com';
  /** Shows definitions without their status until `served` is called, and lets the first watch expire. */
  function slowly() {
    let hidden = true;
    let expires = true;
    const shown = (object: LooseObject) => (hidden ? { ...object, status: undefined } : object);
    const inner = intercepted(server.transport, {
      request: async (_request, send) => {
        const reply = await send();
        return { ...reply, object: () => shown(reply.object()) };
      },
      seen: shown,
    });
    const watch: Transport['watch'] = (request) => {
      if (!expires) return inner.watch(request);
      expires = false;
      throw expired('too old resource version');
    };
    return {
      client: createClient({ ...inner, watch }),
      served: () => (hidden = false),
      begun: () => !expires,
    };
  }

  it('is waited for, over watches that expire', async () => {
    const { begun, client: slow, served } = slowly();
    let done = false;
    const installing = installKinds(slow, [Dials]).then(() => (done = true));
    await until(begun);
    expect(done).toBe(false);
    served();
    const labels = { touched: 'yes' };
    const body = { metadata: { labels } };
    await client.resource(CustomResourceDefinitions).patch({ name }, { type: 'merge', body });
    await installing;
  });

  it('is given up when somebody deletes it', async () => {
    const { begun, client: slow } = slowly();
    const installing = expect(installKinds(slow, [Dials])).rejects.toThrow(
      /^dials\.example\.com is not served:\n {2}somebody deleted it/,
    );
    await until(begun);
    await client.resource(CustomResourceDefinitions).delete({ name });
    await installing;
  });

  it('is given up where it is gone when it is looked at again', async () => {
    const { begun, client: slow } = slowly();
    const definitions = client.resource(CustomResourceDefinitions);
    const late = intercepted(slow.transport, {
      request: async ({ method }, send) => {
        if (method === 'GET' && begun()) {
          await definitions.delete({ name });
          await until(() => definitions.get({ name }).then(() => false, isNotFound));
        }
        return send();
      },
    });
    await expect(installKinds(createClient(late), [Dials])).rejects.toThrow(
      /^dials\.example\.com is not served:\n {2}somebody deleted it/,
    );
  });
});

/** Values that stand where others should. */
const ODD = [
  null,
  '',
  'x'.repeat(60),
  'self',
  'UPPER',
  -1,
  0,
  1.5,
  101,
  2 ** 40,
  true,
  [],
  {},
  [1],
  { a: 1 },
  ['a', 'a'],
];

/** The object with one value replaced, taken out or added, somewhere in its spec. */
function bent(object: LooseObject, random: () => number): LooseObject {
  const made = structuredClone(object);
  let place = made['spec'] as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(place);
    const key = keys[Math.floor(random() * keys.length)];
    const value = key === undefined ? undefined : place[key];
    if (typeof value === 'object' && value !== null && random() < 0.6) {
      place = value as Record<string, unknown>;
      continue;
    }
    const dice = random();
    if (key === undefined || (dice < 0.15 && !Array.isArray(place))) place['added'] = 1;
    else if (dice < 0.35 && !Array.isArray(place)) delete place[key];
    else place[key] = ODD[Math.floor(random() * ODD.length)];
    return made;
  }
}

const unreadable = (message: string) => ({
  reason: 'FieldValueInvalid',
  field: '<nil>',
  message: `Invalid value: ${message}`,
});

describe('What a kind says of objects without a server', () => {
  it('is what the server says: the same causes, the same defaults, the same fields dropped', async () => {
    await installKinds(client, [Backups], NONE);
    const random = seededRandom(7);
    const resource = client.resource(Backups);
    const outcomes = { stored: 0, refused: 0 };
    for (let i = 0; i < 300; i++) {
      const sample = Backups.sample(random) as unknown as LooseObject;
      const { status: _, ...object } = i % 4 === 0 ? sample : bent(sample, () => random.next());
      object.metadata = { name: `b${i}`, namespace: 'default' };
      const said = Backups.validate(object);
      try {
        const stored = await resource.create(object as never);
        expect({ object, said }).toEqual({ object, said: [] });
        expect(stored.spec).toEqual((Backups.object(object as never) as { spec: unknown }).spec);
        outcomes.stored += 1;
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        outcomes.refused += 1;
        const causes = said.map(({ type, field, message }) => ({ reason: type, message, field }));
        // What cannot be read at all has one cause: all that the server says of it.
        const wanted = error.details?.causes ?? [unreadable(error.message)];
        expect({ object, causes }).toEqual({ object, causes: wanted });
        expect(() => Backups.assertValid(object)).toThrow(error.message);
      }
    }
    // Neither of them all.
    expect(Math.min(outcomes.stored, outcomes.refused)).toBeGreaterThan(50);
  });

  it('goes for changes, too: what was wrong before and is untouched is let pass', async () => {
    const old = Backups.object({ metadata: { name: 'a' }, spec: { schedule: '* * * * *' } });
    const worse = { ...old, spec: { ...old.spec, keep: 60 } };
    expect(Backups.validate(worse, old).map(({ field }) => field)).toEqual(['spec']);
    expect(
      Backups.validate({ ...worse, metadata: { name: 'a', labels: { a: 'b' } } }, worse),
    ).toEqual([]);
  });

  it('names fields that would be dropped', () => {
    const object = { metadata: { name: 'a' }, spec: { schedule: '* * * * *', kep: 3 } };
    expect(Backups.unknownFields(object)).toEqual(['spec.kep']);
  });
});

describe('Converters', () => {
  it('lose nothing, as objects made from the schemas show', () => {
    checkRoundTrips(Backups, { runs: 200 });
  });

  it('that lose something are found, with the field', () => {
    const group = { group: 'example.com', kind: 'Dial' } as const;
    const Old = defineKind({
      ...group,
      version: 'v1',
      spec: z.object({ a: z.int32(), b: z.int32().optional() }),
    });
    const lossy = defineKind({
      ...group,
      version: 'v2',
      spec: z.object({ c: z.int32() }),
      versions: [
        {
          kind: Old,
          up: (old) => ({ spec: { c: old.spec.a } }),
          down: (now) => ({ spec: { a: now.spec.c } }),
        },
      ],
    });
    expect(() => checkRoundTrips(lossy)).toThrow(
      /^Dial v1 -> v2 -> v1 changes spec\.b\nfrom \{.*\nto /,
    );
    const narrow = defineKind({
      ...group,
      version: 'v2',
      spec: z.object({ c: z.int32().max(3) }),
      versions: [
        {
          kind: Old,
          up: (old) => ({ spec: { c: old.spec.a } }),
          down: (now) => ({ spec: { a: now.spec.c } }),
        },
      ],
    });
    expect(() => checkRoundTrips(narrow)).toThrow(/^Dial v1 -> v2 is not valid: spec\.c: /);
  });

  it('keep names and owners, and go by their step', () => {
    const old = OldBackups.object({
      metadata: { name: 'a', uid: 'u', finalizers: ['a.b/c'], labels: { x: 'y' } },
      spec: { cron: '* * * * *', targets: ['a'] },
    });
    const now = Backups.convert(old, 'v1');
    expect(now).toEqual({
      apiVersion: 'example.com/v1',
      kind: 'Backup',
      metadata: old.metadata,
      spec: { schedule: '* * * * *', keep: 3, mode: 'Full', targets: [{ name: 'a', weight: 1 }] },
    });
    expect(Object.keys(Backups.converters)).toEqual(['v1alpha1→v1', 'v1→v1alpha1']);
    expect(Backups.converters['v1→v1alpha1']?.(now)).toEqual(old);
    expect(() => Backups.convert(old, 'v3')).toThrow(
      /no way from example\.com\/v1alpha1 to v3; versions .* v1, v1alpha1/,
    );
  });

  it('are not called where versions differ by name only', () => {
    const group = { group: 'example.com', kind: 'Dial', spec: z.object({ a: z.int32() }) } as const;
    const Old = defineKind({ ...group, version: 'v1' });
    const kind = defineKind({ ...group, version: 'v2', versions: [{ kind: Old, served: false }] });
    const crd: CustomResourceDefinition = kind.definition();
    expect(crd.spec.versions.map(({ name, served }) => [name, served])).toEqual([
      ['v2', true],
      ['v1', false],
    ]);
    const object = Old.object({ metadata: { name: 'a' }, spec: { a: 1 } });
    expect(kind.convert(object, 'v2')).toEqual({ ...object, apiVersion: 'example.com/v2' });
    expect(kind.converters).toEqual({});
  });
});

describe('Samples', () => {
  it('are the same for the same seed, and differ otherwise', () => {
    const made = (seed: number) => Backups.sample(seededRandom(seed));
    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
  });

  it('that rules leave no room for end with what was wrong', () => {
    const kind = defineKind({
      group: 'example.com',
      version: 'v1',
      kind: 'Dial',
      spec: z.object({ a: z.string().max(9) }),
      rules: { 'spec.a': "self == 'quite odd'" },
    });
    expect(() => kind.sample(seededRandom(1))).toThrow(
      /no valid Dial in 500 tries.*\n {2}spec\.a: .*give the field an example/,
    );
  });
});
