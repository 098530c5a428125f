// Mutating webhooks: order, patches and what they may not change, reinvocation, objects after defaults, owners of fields.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import {
  aConfigMap,
  aHookedServer,
  CONFIG_MAPS,
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
afterEach(() => on.clear());

const create = (name: string, data?: Record<string, string>) =>
  on.ask(`POST ${NS}/configmaps`, aConfigMap(name, data));

const append = (path: string, text: string) =>
  on.hook.on(path, ({ request }) => {
    const { trace = '' } = request.object.data;
    return patching(setting('trace', trace + text));
  });

describe('a mutating webhook', () => {
  it('changes what is stored and answered', async () => {
    on.hook.on('/a', () => patching(setting('b', '2')));
    await on.configure('mutating', 'one', [{}]);
    const answer = await create('changed');
    expect(answer.json().data).toEqual({ a: '1', b: '2' });
    const read = await on.ask(`GET ${NS}/configmaps/changed`);
    expect(read.json().data).toEqual({ a: '1', b: '2' });
  });

  it('is asked by the order of configurations’ names, then as listed', async () => {
    for (const [path, text] of [
      ['/one', '1'],
      ['/two', '2'],
      ['/three', '3'],
    ] as const)
      append(path, text);
    await on.configure('mutating', 'b', [{ name: 'two.test.local' }, { name: 'three.test.local' }]);
    await on.configure('mutating', 'a', [{ name: 'one.test.local' }]);
    expect((await create('ordered')).json().data.trace).toBe('123');
  });

  it('is told what is asked, by whom, and sees no patch of its own kind in a dry run stored', async () => {
    on.hook.on('/a', () => ({ allowed: true }));
    await on.configure('mutating', 'one', [{}]);
    const before = on.hook.reviews('/a').length;
    await on.ask(`POST ${NS}/configmaps?dryRun=All&fieldManager=me`, aConfigMap('told'));
    const [review] = on.hook.reviews('/a').slice(before);
    const resource = { group: '', version: 'v1', resource: 'configmaps' };
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
    expect(review).toMatchObject({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
    expect(review?.request).toEqual({
      uid: expect.stringMatching(/^[\da-f-]{36}$/),
      kind,
      resource,
      requestKind: kind,
      requestResource: resource,
      name: 'told',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: {
        username: 'admin',
        groups: ['system:masters', 'system:authenticated'],
        extra: {
          'authentication.kubernetes.io/credential-id': [
            expect.stringMatching(/^X509SHA256=[\da-f]{64}$/),
          ],
        },
      },
      object: {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'told',
          namespace: 'default',
          managedFields: [expect.objectContaining({ manager: 'me', operation: 'Update' })],
        },
        data: { a: '1' },
      },
      oldObject: null,
      dryRun: true,
      options: {
        kind: 'CreateOptions',
        apiVersion: 'meta.k8s.io/v1',
        dryRun: ['All'],
        fieldManager: 'me',
      },
    });
    expect((await on.ask(`GET ${NS}/configmaps/told`)).status).toBe(404);
  });

  it('sees the object before and after an update, a patch and an apply', async () => {
    on.hook.on('/a', () => ({ allowed: true }));
    await create('seen');
    await on.configure('mutating', 'one', [{}]);
    const before = on.hook.reviews('/a').length;
    const path = `${NS}/configmaps/seen`;
    await on.ask(`PUT ${path}`, aConfigMap('seen', { a: '2' }));
    const patch = { 'content-type': 'application/merge-patch+json' };
    await on.ask(`PATCH ${path}`, { data: { a: '3' } }, patch);
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const config = { apiVersion: 'v1', kind: 'ConfigMap', ...aConfigMap('seen', { b: '1' }) };
    await on.ask(`PATCH ${path}?fieldManager=me`, config, apply);
    const seen = on.hook
      .reviews('/a')
      .slice(before)
      .map(({ request }) => ({
        operation: request.operation,
        options: request.options.kind,
        old: request.oldObject.data,
        now: request.object.data,
        uid: typeof request.object.metadata.uid,
      }));
    const update = { operation: 'UPDATE', options: 'UpdateOptions', uid: 'string' };
    expect(seen).toEqual([
      { ...update, old: { a: '1' }, now: { a: '2' } },
      { ...update, old: { a: '2' }, now: { a: '3' } },
      { ...update, old: { a: '3' }, now: { a: '3', b: '1' } },
    ]);
  });

  it('has what it adds defaulted, and given to nobody', async () => {
    on.hook.on('/a', () =>
      patching({ op: 'add', path: '/spec/ports/-', value: { name: 'b', port: 81 } }),
    );
    const rules = [{ ...CONFIG_MAPS, resources: ['services'] }];
    await on.configure('mutating', 'one', [{ rules }]);
    const spec = { ports: [{ name: 'a', port: 80 }] };
    const answer = await on.ask(`POST ${NS}/services`, { metadata: { name: 'more' }, spec });
    const { ports } = answer.json().spec;
    expect(ports).toEqual([
      { name: 'a', port: 80, protocol: 'TCP', targetPort: 80 },
      { name: 'b', port: 81, protocol: 'TCP', targetPort: 81 },
    ]);
    const owned = JSON.stringify(answer.json().metadata.managedFields);
    expect(owned).toContain('"k:{\\"port\\":80');
    expect(owned).not.toContain('"port\\":81');
  });

  it('is asked once for a name that is generated, and sees none', async () => {
    on.hook.on('/a', () => ({ allowed: true }));
    await on.configure('mutating', 'one', [{}]);
    const before = on.hook.reviews('/a').length;
    const body = { metadata: { generateName: 'made-' }, data: { a: '1' } };
    expect((await on.ask(`POST ${NS}/configmaps`, body)).status).toBe(201);
    const seen = on.hook.reviews('/a').slice(before);
    expect(seen.map(({ request }) => request.name)).toEqual([undefined]);
    expect(seen[0]?.request.object.metadata.name).toBeUndefined();
  });
});

describe('reinvocation', () => {
  it('asks a webhook once more where a later one changed the object, if it wants to', async () => {
    append('/first', 'f');
    append('/second', 's');
    await on.configure('mutating', 'one', [
      { name: 'first.test.local', reinvocationPolicy: 'IfNeeded' },
      { name: 'second.test.local', reinvocationPolicy: 'Never' },
    ]);
    expect((await create('again')).json().data.trace).toBe('fsf');
  });

  it('asks nobody again where nobody after it changed anything', async () => {
    append('/first', 'f');
    on.hook.on('/second', () => ({ allowed: true }));
    await on.configure('mutating', 'one', [
      { name: 'first.test.local', reinvocationPolicy: 'IfNeeded' },
      { name: 'second.test.local', reinvocationPolicy: 'IfNeeded' },
    ]);
    expect((await create('once')).json().data.trace).toBe('f');
  });

  it('has plugins of the house look at what webhooks added', async () => {
    await on.ask(`POST ${NS}/serviceaccounts`, { metadata: { name: 'default' } });
    on.hook.on('/a', () =>
      patching({ op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 's' } }),
    );
    await on.configure('mutating', 'one', [{ rules: [{ ...CONFIG_MAPS, resources: ['pods'] }] }]);
    const spec = { containers: [{ name: 'a', image: 'a' }] };
    const answer = await on.ask(`POST ${NS}/pods`, { metadata: { name: 'p' }, spec });
    expect(answer.status, answer.text).toBe(201);
    const [, side] = answer.json().spec.containers;
    expect(side).toMatchObject({ imagePullPolicy: 'Always', terminationMessagePolicy: 'File' });
    expect(side.volumeMounts).toHaveLength(1);
  });
});

describe('a patch', () => {
  const patched = async (name: string, ...operations: object[]) => {
    on.hook.on('/a', () => patching(...operations));
    await on.configure('mutating', name, [{}]);
    return create(name);
  };

  it('that does not apply fails the request, and says whose it is', async () => {
    const answer = await patched('nowhere', { op: 'replace', path: '/x/y/z', value: 1 });
    expect(answer.status).toBe(500);
    expect(answer.json()).toMatchObject({
      reason: 'InternalError',
      message: expect.stringMatching(
        /^Internal error occurred: admission webhook "a\.test\.local" sent a patch that does not fit: /,
      ),
    });
    expect((await on.ask(`GET ${NS}/configmaps/nowhere`)).status).toBe(404);
  });

  it('may make no other kind of the object', async () => {
    const answer = await patched('kind', { op: 'replace', path: '/kind', value: 'Secret' });
    expect(answer.status).toBe(500);
    expect(answer.json().message).toContain('sent a patch that does not fit');
  });

  it('may bring no value of a wrong type', async () => {
    const answer = await patched('type', { op: 'replace', path: '/data', value: 7 });
    expect(answer.json().message).toContain('sent a patch that does not fit');
  });

  it('that breaks a rule of the kind is refused as if the writer had', async () => {
    const answer = await patched('rule', { op: 'add', path: '/data/a~1b', value: 'x' });
    expect(answer.status).toBe(422);
    expect(answer.json().message).toContain('data[a/b]');
  });

  it('moves no object to another namespace', async () => {
    const answer = await patched('moved', {
      op: 'replace',
      path: '/metadata/namespace',
      value: 'x',
    });
    expect(answer.status).toBe(400);
    expect(answer.json().message).toContain('does not match the namespace sent on the request');
  });

  it.each([
    ['name', 'other'],
    ['uid', 'c0ffee'],
    ['namespace', 'kube-system'],
    ['creationTimestamp', '2001-01-01T00:00:00Z'],
  ])('of an update leaves metadata.%s as it is', async (field, value) => {
    await create(`fixed-${field.toLowerCase()}`);
    on.hook.on('/a', () => patching({ op: 'replace', path: `/metadata/${field}`, value }));
    await on.configure('mutating', 'fixed', [{}]);
    const name = `fixed-${field.toLowerCase()}`;
    const answer = await on.ask(`PUT ${NS}/configmaps/${name}`, aConfigMap(name, { a: '2' }));
    expect(answer.status).toBe(422);
    expect(answer.json().details.causes).toEqual([
      expect.objectContaining({
        field: `metadata.${field}`,
        message: expect.stringContaining('field is immutable'),
      }),
    ]);
  });

  it('of a status leaves the rest as it is', async () => {
    await on.ask('POST /api/v1/nodes', { metadata: { name: 'n' } });
    on.hook.on('/a', () =>
      patching(
        { op: 'add', path: '/spec/unschedulable', value: true },
        { op: 'add', path: '/status/phase', value: 'Running' },
      ),
    );
    const rules = [{ ...CONFIG_MAPS, resources: ['nodes/status'] }];
    await on.configure('mutating', 'one', [{ rules }]);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const path = '/api/v1/nodes/n/status';
    const body = { status: { capacity: { cpu: '4' } } };
    const answer = (await on.ask(`PATCH ${path}`, body, headers)).json();
    expect(answer.spec.unschedulable).toBeUndefined();
    expect(answer.status).toMatchObject({ capacity: { cpu: '4' }, phase: 'Running' });
  });

  it('of a status brings no part that the object has not', async () => {
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: {
          spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        },
      },
    };
    const versions = [
      { name: 'v1', served: true, storage: true, schema, subresources: { status: {} } },
    ];
    const names = { plural: 'bares', kind: 'Bare' };
    const body = { group: 'test.local', scope: 'Namespaced', names, versions };
    await on.ask('POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'bares.test.local' },
      spec: body,
    });
    const bares = '/apis/test.local/v1/namespaces/default/bares';
    const bare = { apiVersion: 'test.local/v1', kind: 'Bare', metadata: { name: 'b' } };
    await until(async () => (await on.ask(`POST ${bares}`, bare)).status === 201);
    on.hook.on('/a', () => patching({ op: 'add', path: '/spec', value: { sneaked: 'in' } }));
    const rules = [{ ...CONFIG_MAPS, apiGroups: ['test.local'], resources: ['bares/status'] }];
    await on.configure('mutating', 'one', [{ rules }]);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const path = `${bares}/b/status?fieldManager=me`;
    const answer = (await on.ask(`PATCH ${path}`, { status: { up: true } }, headers)).json();
    expect(answer.status).toEqual({ up: true });
    expect(answer.spec).toBeUndefined();
  });

  it('of an update whose list of owners is none leaves the list as the writer made it', async () => {
    await create('owned');
    on.hook.on('/a', () =>
      patching({ op: 'add', path: '/metadata/managedFields', value: [{ operation: 'Steal' }] }),
    );
    await on.configure('mutating', 'one', [{}]);
    const headers = { 'content-type': 'application/merge-patch+json' };
    const path = `${NS}/configmaps/owned?fieldManager=me`;
    const answer = await on.ask(`PATCH ${path}`, { data: { b: '2' } }, headers);
    expect(answer.status, answer.text).toBe(200);
    const owners = JSON.stringify(answer.json().metadata.managedFields);
    expect(owners).toContain('"manager":"me"');
    expect(owners).not.toContain('Steal');
  });

  it('of a list of owners that is none is forgotten', async () => {
    const answer = await patched('owners', {
      op: 'add',
      path: '/metadata/managedFields',
      value: [{ manager: 'evil', operation: 'Steal' }],
    });
    expect(answer.status, answer.text).toBe(201);
    const managers = answer.json().metadata.managedFields.map((each: any) => each.manager); // oxlint-disable-line no-explicit-any
    expect(managers).toHaveLength(1);
    expect(managers).not.toContain('evil');
  });

  it('of a delete is refused, as there is nothing to change', async () => {
    await create('gone');
    on.hook.on('/a', () => patching(setting('b', '2')));
    await on.configure('mutating', 'one', [
      { rules: [{ ...CONFIG_MAPS, operations: ['DELETE'] }] },
    ]);
    const answer = await on.ask(`DELETE ${NS}/configmaps/gone`);
    expect(answer.status).toBe(500);
    expect(answer.json().message).toBe(
      'Internal error occurred: admission webhook "a.test.local" attempted to modify the object, which is not supported for this operation',
    );
  });
});
